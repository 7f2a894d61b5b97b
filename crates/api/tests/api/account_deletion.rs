//! The end of an account: all that is known of a person goes, and whoever still holds a token of theirs holds nothing.

use crate::support::{
    Browser, Database, Mail, ONE_SECOND, PASSWORD, TestApp, TestDb, TestResponse, eventually, hold_hashing,
    on_both_databases, send,
};
use api::clock::Clock;
use api::service::upkeep::erasures::finish_recent;
use api::service::upkeep::prune::prune;
use api::store::AnyConnection;
use auth_types::requests::RegisterRequest;
use auth_types::responses::{CookieTokenResponse, TokenResponse};
use auth_types::{Reason, UserId};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    the_account_is_gone_and_its_names_are_free_at_once,
    nothing_of_the_person_stays,
    of_all_tables_only_the_ended_sessions_refer_to_the_user,
    the_address_gets_a_last_mail_and_nothing_that_waited,
    a_wrong_password_is_named_and_recorded_and_deletes_nothing,
    a_session_that_has_ended_deletes_nothing,
    other_processes_hear_of_it_with_the_next_poll,
    of_several_deletions_at_once_one_is_done,
    of_a_deletion_and_a_new_password_at_once_one_is_done,
    a_password_that_is_another_one_meanwhile_deletes_nothing,
    whatever_races_the_deletion_leaves_nothing_behind,
    a_wrong_password_that_races_the_deletion_leaves_nothing_behind,
    what_is_left_goes_after_a_week,
    an_account_with_much_in_it_is_dead_at_once_and_forgotten_in_batches,
    nobody_else_is_touched,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const BROWSER: &str = "marker-browser/1.0";

fn ada() -> RegisterRequest {
    let username = Some("Marker-Countess".to_owned());
    let display_name = Some("Marker Lovelace".to_owned());
    RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), username, display_name }
}

/// Somebody with a name, a browser, a session that has ended, a link, a failed sign-in, and mail that waits.
async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(EVE).start().await;
    app.register(&ada()).await.created();
    app.sign_in(ADA, "violet harbor lantern 43").await.refused(Reason::CredentialsWrong);
    let ended = app.login(ADA).await;
    app.logout(&ended).await.done();
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    app.deliver_mail().await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    let body = json!({"email": ADA, "password": PASSWORD});
    let login = app.request(Method::POST, "/api/auth/login/").header("User-Agent", BROWSER).json(&body);
    let tokens = send(login).await.ok();
    let body = json!({"new_email": "countess@example.org", "password": PASSWORD});
    send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.done();
    (app, tokens)
}

async fn delete(app: &TestApp, tokens: &TokenResponse, password: &str) -> TestResponse {
    let request = app.request_as(tokens, Method::DELETE, "/api/auth/me/");
    send(request.json(&json!({"password": password}))).await
}

/// What no row may hold any more.
fn assert_forgotten(db: &TestDb) {
    for line in db.content().iter().map(|line| line.to_lowercase()) {
        let found = [ADA, "marker", "countess", "127.0.0.1", "bcrypt_sha256$$2b$04$"].iter().find(|text| {
            // Eve has an address and a password, too.
            line.contains(**text) && !line.contains(EVE)
        });
        assert_eq!(found, None, "{line}");
    }
}

async fn the_account_is_gone_and_its_names_are_free_at_once(database: Database) {
    let (app, tokens) = start(database).await;
    let other = app.login(ADA).await;
    let answer = delete(&app, &tokens, PASSWORD).await;
    answer.has_status(204);
    assert!(answer.body.is_empty());

    for tokens in [&tokens, &other] {
        app.me(tokens).await.refused(Reason::SessionRevoked);
        app.verify(&tokens.access).await.refused(Reason::SessionRevoked);
        app.refresh(tokens).await.refused(Reason::SessionRevoked);
    }
    app.sign_in(ADA, PASSWORD).await.refused(Reason::CredentialsWrong);
    app.sign_in("marker-countess", PASSWORD).await.refused(Reason::CredentialsWrong);

    let again = app.register(&ada()).await.created();
    assert_ne!(again.user.id, tokens.user.id);
    app.me(&again).await.done();
}

async fn nothing_of_the_person_stays(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE users SET avatar_key = 'marker-picture.webp'");
    app.db().execute("DELETE FROM auth_events WHERE user_id IS NULL");
    delete(&app, &tokens, PASSWORD).await.done();
    // The last mail is about an address, until it has left.
    app.deliver_mail().await;
    assert_forgotten(app.db());

    let event = "kind = 'account_deleted' AND user_id IS NULL AND ip_address IS NULL AND user_agent IS NULL";
    let detail = app.db().value(&format!("SELECT detail FROM auth_events WHERE {event}"));
    assert_eq!(detail.unwrap(), json!({"user": tokens.user.id}).to_string());
}

/// How many rows of which table refer to a user.
fn rows_of(db: &TestDb, user: UserId) -> Vec<(String, i64)> {
    let tables = db.tables().into_iter().filter(|table| db.columns(table).contains(&"user_id".to_owned()));
    let count = |table: &String| db.number(&format!("SELECT count(*) FROM {table} WHERE user_id = {user}"));
    tables.map(|table| (table.clone(), count(&table))).collect()
}

/// Whoever adds a table with a `user_id` has to think of it here.
async fn of_all_tables_only_the_ended_sessions_refer_to_the_user(database: Database) {
    let (app, tokens) = start(database).await;
    let (db, user) = (app.db(), tokens.user.id);
    let empty: Vec<_> = rows_of(db, user).into_iter().filter(|(_, rows)| *rows == 0).collect();
    assert_eq!(empty, [], "the test has rows in every table");
    delete(&app, &tokens, PASSWORD).await.done();
    let left: Vec<_> = rows_of(db, user).into_iter().filter(|(_, rows)| *rows > 0).map(|(table, _)| table).collect();
    assert_eq!(left, ["sessions"]);
    let left =
        "ip_address IS NOT NULL OR user_agent IS NOT NULL OR rotation_key_hash IS NOT NULL OR revoked_at IS NULL";
    assert_eq!(db.number(&format!("SELECT count(*) FROM sessions WHERE {left}")), 0);
}

async fn the_address_gets_a_last_mail_and_nothing_that_waited(database: Database) {
    let (app, tokens) = start(database).await;
    delete(&app, &tokens, PASSWORD).await.done();
    let Mail { to, subject, text, html, .. } = app.deliver_one_mail().await;
    assert_eq!((to.as_str(), subject.as_str()), (ADA, "Your account was deleted"));
    for body in [text, html] {
        assert!(body.contains("127.0.0.1:8080 was deleted") && body.contains("change it everywhere else"), "{body}");
        assert!(!body.contains("#token="), "{body}");
    }
}

async fn a_wrong_password_is_named_and_recorded_and_deletes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    delete(&app, &tokens, "violet harbor lantern 43").await.invalid_fields(&["password"]);
    delete(&app, &tokens, "").await.invalid_fields(&["password"]);
    let none = app.request_as(&tokens, Method::DELETE, "/api/auth/me/").json(&json!({}));
    send(none).await.invalid_fields(&["password"]);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'reauthentication_failed'"), 1);
    app.me(&tokens).await.done();
    app.login(ADA).await;
}

async fn a_session_that_has_ended_deletes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    // Ended by another process, of which the feed here has not heard yet.
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout'");
    delete(&app, &tokens, PASSWORD).await.refused(Reason::SessionRevoked);
    app.login(ADA).await;
}

async fn other_processes_hear_of_it_with_the_next_poll(database: Database) {
    let (app, tokens) = start(database).await;
    let other = TestApp::builder_on(Arc::clone(app.db())).clock(app.clock()).start().await;
    other.verify(&tokens.access).await.done();
    delete(&app, &tokens, PASSWORD).await.done();
    // Whatever asks the database knows at once.
    other.me(&tokens).await.refused(Reason::SessionRevoked);
    other.refresh(&tokens).await.refused(Reason::SessionRevoked);

    app.clock().advance(ONE_SECOND);
    other.poll_revocations().await;
    other.verify(&tokens.access).await.refused(Reason::SessionRevoked);
    let late = TestApp::builder_on(Arc::clone(app.db())).clock(app.clock()).start().await;
    late.verify(&tokens.access).await.refused(Reason::SessionRevoked);
}

async fn of_several_deletions_at_once_one_is_done(database: Database) {
    let (app, tokens) = start(database).await;
    let answers = futures_util::future::join_all((0..6).map(|_| delete(&app, &tokens, PASSWORD))).await;
    let (done, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 204);
    assert_eq!(done.len(), 1);
    for answer in late {
        answer.refused(Reason::SessionRevoked);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'account_deleted'"), 1);
    assert_eq!(app.deliver_mail().await.len(), 1);
}

async fn of_a_deletion_and_a_new_password_at_once_one_is_done(database: Database) {
    let (app, tokens) = start(database).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    let change = app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body);
    let (deleted, changed) = tokio::join!(delete(&app, &tokens, PASSWORD), send(change));
    if deleted.status == 204 {
        changed.refused(Reason::SessionRevoked);
    } else {
        deleted.refused(Reason::SessionRevoked);
        app.me(&changed.ok()).await.done();
    }
}

async fn a_password_that_is_another_one_meanwhile_deletes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    let held = hold_hashing(&app, 0).await;
    let interfere = async {
        let waits = async || (app.services().hashing.load().0 > 0).then_some(());
        eventually("the password waits to be compared", waits).await;
        let change = format!("UPDATE users SET password_hash = 'another' WHERE email = '{ADA}'");
        assert_eq!(app.db().execute(&change), 1);
        drop(held);
    };
    let (deleted, ()) = tokio::join!(delete(&app, &tokens, PASSWORD), interfere);

    deleted.failed(503, Reason::Unavailable);
    app.me(&tokens).await.done();
}

async fn whatever_races_the_deletion_leaves_nothing_behind(database: Database) {
    let (app, tokens) = start(database).await;
    let other = app.login(ADA).await;
    let body = json!({"display_name": "Marker Byron"});
    let rename = || send(app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&body));
    let renames = futures_util::future::join_all((0..4).map(|_| rename()));
    let sign_ins = futures_util::future::join_all((0..4).map(|_| app.sign_in(ADA, PASSWORD)));
    let refreshes = futures_util::future::join_all((0..4).map(|_| app.refresh(&other)));
    let (deleted, sign_ins, refreshes, _) = tokio::join!(delete(&app, &tokens, PASSWORD), sign_ins, refreshes, renames);

    deleted.has_status(204);
    for answer in sign_ins.into_iter().chain(refreshes).filter(|answer| answer.status == 200) {
        let opened = answer.ok();
        app.refresh(&opened).await.refused(Reason::SessionRevoked);
        app.me(&opened).await.refused(Reason::SessionRevoked);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE display_name <> ''"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 0);
}

/// What a deletion leaves of a user's row, in short.
const DELETED: &str = "UPDATE users SET is_active = false, deleted_at = created_at, email = '', \
                       email_canonical = 'deleted:' || id WHERE email = 'ada@example.com'";

async fn a_wrong_password_that_races_the_deletion_leaves_nothing_behind(database: Database) {
    let (app, tokens) = start(database).await;
    let held = hold_hashing(&app, 0).await;
    let before = rows_of(app.db(), tokens.user.id);
    let interfere = async {
        let waits = async || (app.services().hashing.load().0 > 1).then_some(());
        eventually("both passwords wait to be compared", waits).await;
        assert_eq!(app.db().execute(DELETED), 1);
        drop(held);
    };
    let wrong = "violet harbor lantern 43";
    let (signed_in, deleted, ()) = tokio::join!(app.sign_in(ADA, wrong), delete(&app, &tokens, wrong), interfere);

    signed_in.refused(Reason::CredentialsWrong);
    deleted.invalid_fields(&["password"]);
    assert_eq!(rows_of(app.db(), tokens.user.id), before);
}

async fn what_is_left_goes_after_a_week(database: Database) {
    let (app, tokens) = start(database).await;
    delete(&app, &tokens, PASSWORD).await.done();
    let rows = || app.db().number("SELECT count(*) FROM users");
    app.clock().advance(Duration::days(7));
    prune(app.services()).await.unwrap();
    assert_eq!(rows(), 2);
    app.clock().advance(ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(rows(), 1);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'account_deleted'"), 1);
    app.login(EVE).await;
}

/// However much there is, the request does a bounded part of it, and a process that ends in between leaves nothing for ever:
/// what finishes it only looks at the database.
async fn an_account_with_much_in_it_is_dead_at_once_and_forgotten_in_batches(database: Database) {
    for hourly in [false, true] {
        let (app, tokens) = start(database).await;
        let (user, db) = (tokens.user.id, app.db());
        db.add_events(Some(user), app.clock().now(), 30_000);
        db.add_sessions(user, app.clock().now(), 6_000);
        let eve = app.login(EVE).await;
        let events = || db.number(&format!("SELECT count(*) FROM auth_events WHERE user_id = {user}"));
        let before = events();
        delete(&app, &tokens, PASSWORD).await.has_status(204);
        assert_eq!(before - events(), 1_000, "one batch goes with the account");
        app.me(&tokens).await.refused(Reason::SessionRevoked);
        assert_eq!(db.number("SELECT count(*) FROM sessions WHERE user_id <> 1 AND revoked_at IS NULL"), 0);
        app.register(&ada()).await.created();

        if hourly {
            app.clock().advance(Duration::days(3));
            prune(app.services()).await.unwrap();
        } else {
            finish_recent(app.services()).await.unwrap();
        }
        assert_eq!(events(), 0);
        let telling = "ip_address IS NOT NULL OR user_agent IS NOT NULL OR rotation_key_hash IS NOT NULL";
        assert_eq!(db.number(&format!("SELECT count(*) FROM sessions WHERE user_id = {user} AND ({telling})")), 0);
        assert_eq!(db.number(&format!("SELECT count(*) FROM auth_events WHERE user_id = {}", eve.user.id)), 1);
    }
}

async fn nobody_else_is_touched(database: Database) {
    let (app, tokens) = start(database).await;
    let eve = app.login(EVE).await;
    app.post("/api/auth/password/reset/", &json!({"email": EVE})).await.done();
    let rows = || rows_of(app.db(), eve.user.id);
    let before = rows();
    delete(&app, &tokens, PASSWORD).await.done();
    assert_eq!(rows(), before);
    app.refresh(&eve).await.ok();
}

fn run(connection: &mut AnyConnection, sql: &str) {
    let AnyConnection::Postgres(postgres) = connection else { panic!("it has no row locks") };
    postgres.batch_execute(sql).unwrap();
}

/// Waits until the API's transaction waits for one of ours.
async fn until_it_waits(app: &TestApp) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a transaction waits", async || (app.db().number(waiting) > 0).then_some(())).await;
}

/// The event was inserted after the deletion has deleted the events, or so it seems from here.
#[actix_web::test]
async fn an_event_that_commits_during_the_deletion_goes_with_the_others() {
    let (app, tokens) = start(Database::Postgres).await;
    let mut other = app.db().connect();
    let event = format!(
        "BEGIN; INSERT INTO auth_events (user_id, kind, at, user_agent) VALUES ({}, 'login_failed', now(), 'marker')",
        tokens.user.id
    );
    run(&mut other, &event);
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut other, "COMMIT");
    };
    let (deleted, ()) = tokio::join!(delete(&app, &tokens, PASSWORD), meanwhile);
    deleted.has_status(204);
    app.deliver_one_mail().await;
    assert_forgotten(app.db());
}

#[actix_web::test]
async fn an_event_waits_for_a_deletion_and_is_not_inserted_then() {
    let (app, tokens) = start(Database::Postgres).await;
    let before = rows_of(app.db(), tokens.user.id);
    let mut deletion = app.db().connect();
    run(&mut deletion, &format!("BEGIN; {DELETED}"));
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut deletion, "COMMIT");
    };
    let (refused, ()) = tokio::join!(app.sign_in(ADA, "violet harbor lantern 43"), meanwhile);
    refused.refused(Reason::CredentialsWrong);
    assert_eq!(rows_of(app.db(), tokens.user.id), before);
}

/// A reused token ends its session and then inserts an event, which refers to the user; a deletion comes from the other
/// side.
#[actix_web::test]
async fn a_deletion_and_the_end_of_a_session_do_not_wait_for_each_other() {
    let (app, tokens) = start(Database::Postgres).await;
    let mut other = app.db().connect();
    run(
        &mut other,
        "BEGIN; UPDATE sessions SET revoked_at = created_at, revoke_reason = 'reuse' WHERE revoked_at IS NULL",
    );
    let event =
        format!("INSERT INTO auth_events (user_id, kind, at) VALUES ({}, 'refresh_reused', now())", tokens.user.id);
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut other, &event);
        run(&mut other, "ROLLBACK");
    };
    let (deleted, ()) = tokio::join!(delete(&app, &tokens, PASSWORD), meanwhile);
    deleted.has_status(204);
}

#[actix_web::test]
async fn a_profile_is_not_changed_after_all_when_its_account_goes_meanwhile() {
    let (app, tokens) = start(Database::Postgres).await;
    let mut deletion = app.db().connect();
    run(&mut deletion, "BEGIN; UPDATE users SET is_active = false, display_name = ''");
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut deletion, "COMMIT");
    };
    let rename = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({"display_name": "Marker Byron"}));
    let (renamed, ()) = tokio::join!(send(rename), meanwhile);
    renamed.refused(Reason::UserInactive);
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE display_name <> ''"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'profile_changed'"), 0);
}

#[actix_web::test]
async fn a_deletion_takes_the_cookies_back() {
    let app = TestApp::builder(Database::Sqlite).set("TOKEN_TRANSPORT", "cookie").user(ADA).start().await;
    let mut browser = Browser::default();
    let login: CookieTokenResponse = browser.login(&app, ADA).await.json();
    let request = app.request(Method::DELETE, "/api/auth/me/").bearer_auth(&login.access);
    let wrong = send(request.try_clone().unwrap().json(&json!({"password": "wrong"}))).await;
    assert_eq!(wrong.header("set-cookie"), "");
    let answer = send(request.json(&json!({"password": PASSWORD}))).await;
    answer.has_status(204);
    browser.keep(&answer);
    assert!(browser.is_empty(), "{browser:?}");
}

/// A stolen access token is no way to try passwords.
#[actix_web::test]
async fn ten_wrong_passwords_are_the_last_for_a_while() {
    let app = TestApp::builder(Database::Sqlite).set("RATE_LIMITS", "on").user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for _ in 0..10 {
        delete(&app, &tokens, "violet harbor lantern 43").await.invalid_fields(&["password"]);
    }
    delete(&app, &tokens, PASSWORD).await.failed(429, Reason::RateLimited);
    app.clock().advance(Duration::minutes(15));
    delete(&app, &tokens, PASSWORD).await.has_status(204);
}

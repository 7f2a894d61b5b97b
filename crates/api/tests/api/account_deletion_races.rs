//! Deleting an account while other requests of the same user run.

use crate::support::deletion::{ADA, assert_erased, delete, rows_of, start};
use crate::support::delivery::WAITING;
use crate::support::{Database, PASSWORD, TestApp, eventually, hold_hashing, on_both_databases, send};
use api::clock::Clock;
use api::prelude::{FeatureMail, RequestContext, queue_mail};
use api::store::AnyConnection;
use auth_types::Reason;
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    one_of_several_concurrent_deletions_succeeds,
    one_of_a_concurrent_deletion_and_password_change_succeeds,
    a_password_that_changes_during_the_comparison_deletes_nothing,
    requests_that_race_the_deletion_leave_no_data,
    wrong_passwords_that_race_the_deletion_leave_no_data,
];

async fn one_of_several_concurrent_deletions_succeeds(database: Database) {
    let (app, tokens) = start(database).await;
    let responses = futures_util::future::join_all((0..6).map(|_| delete(&app, &tokens, PASSWORD))).await;
    let (done, late): (Vec<_>, Vec<_>) = responses.into_iter().partition(|response| response.status == 204);
    assert_eq!(done.len(), 1);
    for response in late {
        response.unauthorized(Reason::SessionRevoked);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'account_deleted'"), 1);
    assert_eq!(app.deliver_mail().await.len(), 1);
}

async fn one_of_a_concurrent_deletion_and_password_change_succeeds(database: Database) {
    let (app, tokens) = start(database).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    let change = app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body);
    let (deleted, changed) = tokio::join!(delete(&app, &tokens, PASSWORD), send(change));
    if deleted.status == 204 {
        changed.unauthorized(Reason::SessionRevoked);
    } else {
        deleted.unauthorized(Reason::SessionRevoked);
        app.me(&changed.tokens()).await.done();
    }
}

async fn a_password_that_changes_during_the_comparison_deletes_nothing(database: Database) {
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

    deleted.problem_of(503, Reason::Unavailable);
    app.me(&tokens).await.done();
}

async fn requests_that_race_the_deletion_leave_no_data(database: Database) {
    let (app, tokens) = start(database).await;
    let other = app.login(ADA).await;
    let body = json!({"display_name": "Marker Byron"});
    let rename = || send(app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&body));
    let renames = futures_util::future::join_all((0..4).map(|_| rename()));
    let sign_ins = futures_util::future::join_all((0..4).map(|_| app.sign_in(ADA, PASSWORD)));
    let refreshes = futures_util::future::join_all((0..4).map(|_| app.refresh(&other)));
    let (deleted, sign_ins, refreshes, _) = tokio::join!(delete(&app, &tokens, PASSWORD), sign_ins, refreshes, renames);

    deleted.has_status(204);
    for response in sign_ins.into_iter().chain(refreshes).filter(|response| response.status == 200) {
        let opened = response.tokens();
        app.refresh(&opened).await.unauthorized(Reason::SessionRevoked);
        app.me(&opened).await.unauthorized(Reason::SessionRevoked);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE display_name <> ''"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 0);
}

/// The part of a deletion that changes the user's row.
const DELETED: &str = "UPDATE users SET is_active = false, deleted_at = created_at, email = '', \
                       email_canonical = 'deleted:' || id WHERE email = 'ada@example.com'";

async fn wrong_passwords_that_race_the_deletion_leave_no_data(database: Database) {
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

    signed_in.unauthorized(Reason::CredentialsWrong);
    deleted.invalid_fields(&["password"]);
    assert_eq!(rows_of(app.db(), tokens.user.id), before);
}

fn run(connection: &mut AnyConnection, sql: &str) {
    let AnyConnection::Postgres(postgres) = connection else { panic!("SQLite has no row locks") };
    postgres.batch_execute(sql).unwrap();
}

/// Waits until the API's transaction waits for the test's.
async fn until_it_waits(app: &TestApp) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a transaction waits", async || (app.db().number(waiting) > 0).then_some(())).await;
}

/// The event is inserted before the deletion and becomes visible only after the deletion has deleted the events.
#[actix_web::test]
async fn an_event_committed_during_the_deletion_is_deleted_too() {
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
    assert_erased(app.db());
}

#[actix_web::test]
async fn an_event_that_waits_for_a_deletion_is_not_inserted() {
    let (app, tokens) = start(Database::Postgres).await;
    let before = rows_of(app.db(), tokens.user.id);
    let mut deletion = app.db().connect();
    run(&mut deletion, &format!("BEGIN; {DELETED}"));
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut deletion, "COMMIT");
    };
    let (refused, ()) = tokio::join!(app.sign_in(ADA, "violet harbor lantern 43"), meanwhile);
    refused.unauthorized(Reason::CredentialsWrong);
    assert_eq!(rows_of(app.db(), tokens.user.id), before);
}

static MAIL: FeatureMail<i64> = FeatureMail::new("letters.received", chrono::Duration::days(1), |_, _, _| Ok(None));

/// Another user's request queues a mail, which becomes visible only after the deletion has begun.
#[actix_web::test]
async fn a_mail_of_a_feature_committed_during_the_deletion_is_deleted_too() {
    let (app, tokens) = start(Database::Postgres).await;
    let mut other = app.db().connect();
    run(&mut other, "BEGIN");
    queue_mail(&mut other, tokens.user.id, MAIL.about(&1), &RequestContext::without_client(app.clock().now())).unwrap();
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut other, "COMMIT");
    };
    let (deleted, ()) = tokio::join!(delete(&app, &tokens, PASSWORD), meanwhile);
    deleted.has_status(204);
    app.deliver_one_mail().await;
    assert_erased(app.db());
}

#[actix_web::test]
async fn a_mail_of_a_feature_that_waits_for_a_deletion_is_not_queued() {
    let (app, tokens) = start(Database::Postgres).await;
    let before = app.db().number(WAITING);
    let mut deletion = app.db().connect();
    run(&mut deletion, &format!("BEGIN; {DELETED}"));
    let context = RequestContext::without_client(app.clock().now());
    let queue = move |connection: &mut _| queue_mail(connection, tokens.user.id, MAIL.about(&1), &context);
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut deletion, "COMMIT");
    };
    let (queued, ()) = tokio::join!(app.services().store.write(queue), meanwhile);
    queued.unwrap();
    assert_eq!(app.db().number(WAITING), before);
}

/// A reused token ends its session and then inserts an event that refers to the user; a deletion locks them in the opposite
/// order.
#[actix_web::test]
async fn a_deletion_and_a_revocation_do_not_deadlock() {
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
async fn a_profile_change_that_waits_for_a_deletion_is_refused() {
    let (app, tokens) = start(Database::Postgres).await;
    let mut deletion = app.db().connect();
    run(&mut deletion, "BEGIN; UPDATE users SET is_active = false, display_name = ''");
    let meanwhile = async {
        until_it_waits(&app).await;
        run(&mut deletion, "COMMIT");
    };
    let rename = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({"display_name": "Marker Byron"}));
    let (renamed, ()) = tokio::join!(send(rename), meanwhile);
    renamed.unauthorized(Reason::UserInactive);
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE display_name <> ''"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'profile_changed'"), 0);
}

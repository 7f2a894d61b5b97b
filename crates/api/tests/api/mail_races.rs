//! Changes between the moment when a worker leases a mail and the moment when it renders it.

use crate::support::{
    Database, Mail, PASSWORD, TestApp, TestResponse, eventually, hold_hashing, on_both_databases, pictures, send,
};
use api::service::mail::deliver_due;
use api::store::AnyConnection;
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use diesel::connection::SimpleConnection;
use image::ImageFormat;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    a_change_of_address_that_was_withdrawn_is_not_mailed,
    an_account_that_was_deactivated_gets_no_link,
    an_address_that_the_account_no_longer_has_gets_no_link,
    the_former_owner_of_an_address_gets_no_notice,
    a_notice_of_a_deleted_account_is_not_mailed,
    a_request_for_a_change_is_mailed_to_the_current_address,
    a_deleted_account_leaves_no_mail_to_its_current_address,
];

const ADA: &str = "ada@example.com";
const NEW: &str = "countess@example.org";

/// Runs `sql` as soon as a worker has leased a mail of this kind, before it does anything with it.
fn when_leased(app: &TestApp, kind: &str, sql: &str) {
    let condition = format!("old.attempts = 0 AND new.kind = '{kind}'");
    match app.db().database() {
        Database::Sqlite => app.db().execute(&format!(
            "CREATE TRIGGER meanwhile AFTER UPDATE OF attempts ON mail_outbox WHEN {condition} BEGIN {sql}; END"
        )),
        Database::Postgres => {
            app.db().execute(&format!(
                "CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {sql}; RETURN NULL; END $$"
            ));
            app.db().execute(&format!(
                "CREATE TRIGGER meanwhile AFTER UPDATE ON mail_outbox FOR EACH ROW WHEN ({condition})
                 EXECUTE FUNCTION meanwhile()"
            ))
        }
    };
}

async fn request_change(app: &TestApp, tokens: &TokenResponse) -> TestResponse {
    let body = json!({"new_email": NEW, "password": PASSWORD});
    send(app.request_as(tokens, Method::POST, "/api/auth/email/change/").json(&body)).await
}

async fn request_reset(app: &TestApp, email: &str) {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
}

fn subjects_to<'a>(mails: &'a [Mail], address: &str) -> Vec<&'a str> {
    mails.iter().filter(|mail| mail.to == address).map(|mail| mail.subject.as_str()).collect()
}

const LIVE_LINKS: &str = "SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL";

/// A new password withdraws the change of address that a thief requested.
async fn a_change_of_address_that_was_withdrawn_is_not_mailed(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    request_change(&app, &tokens).await.has_status(202);
    when_leased(&app, "change_email", "DELETE FROM mail_outbox WHERE kind = 'change_email'");
    let mails = app.deliver_mail().await;
    assert_eq!(subjects_to(&mails, NEW), Vec::<&str>::new());
    assert_eq!(subjects_to(&mails, ADA), ["Your email address is about to change"]);
    assert_eq!(app.db().number(LIVE_LINKS), 0);
}

async fn an_account_that_was_deactivated_gets_no_link(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    request_reset(&app, ADA).await;
    when_leased(&app, "reset_password", "UPDATE users SET is_active = false");
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(app.db().number(LIVE_LINKS), 0);
}

async fn an_address_that_the_account_no_longer_has_gets_no_link(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    request_reset(&app, ADA).await;
    let moved = format!("UPDATE users SET email = '{NEW}', email_canonical = '{NEW}'");
    when_leased(&app, "reset_password", &moved);
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(app.db().number(LIVE_LINKS), 0);
}

async fn the_former_owner_of_an_address_gets_no_notice(database: Database) {
    let app = TestApp::builder(database).user(ADA).set("EMAIL_VERIFICATION", "mandatory").start().await;
    let body = json!({"email": ADA, "password": PASSWORD});
    app.post("/api/auth/register/", &body).await.has_status(202);
    let moved = format!("UPDATE users SET email = '{NEW}', email_canonical = '{NEW}'");
    when_leased(&app, "account_exists", &moved);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn a_notice_of_a_deleted_account_is_not_mailed(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
    when_leased(&app, "password_changed", "DELETE FROM mail_outbox WHERE kind = 'password_changed'");
    assert_eq!(app.deliver_mail().await.len(), 0);
}

/// Occupies the hashing threads, and runs `sql` while a request waits for them.
async fn change_while_waiting(app: &TestApp, request: impl Future<Output = TestResponse>, sql: &str) -> TestResponse {
    let held = hold_hashing(app, 0).await;
    let interfere = async {
        let waits = async || (app.services().hashing.load().0 > 0).then_some(());
        eventually("the password waits to be compared", waits).await;
        assert_eq!(app.db().execute(sql), 1);
        drop(held);
    };
    tokio::join!(request, interfere).0
}

fn moved() -> String {
    format!("UPDATE users SET email = 'moved@example.com', email_canonical = 'moved@example.com' WHERE email = '{ADA}'")
}

async fn a_request_for_a_change_is_mailed_to_the_current_address(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    change_while_waiting(&app, request_change(&app, &tokens), &moved()).await.has_status(202);
    let mails = app.deliver_mail().await;
    assert_eq!(subjects_to(&mails, "moved@example.com"), ["Your email address is about to change"]);
    assert_eq!(subjects_to(&mails, ADA), Vec::<&str>::new());
}

async fn a_deleted_account_leaves_no_mail_to_its_current_address(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    request_reset(&app, "moved@example.com").await;
    let delete = app.request_as(&tokens, Method::DELETE, "/api/auth/me/").json(&json!({"password": PASSWORD}));
    change_while_waiting(&app, send(delete), &moved()).await.has_status(204);
    assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox WHERE kind = 'reset_password'"), 0);
    let mails = app.deliver_mail().await;
    assert_eq!(subjects_to(&mails, "moved@example.com"), ["Your account was deleted"]);
}

fn run(connection: &mut AnyConnection, sql: &str) {
    let AnyConnection::Postgres(postgres) = connection else { panic!("SQLite has no row locks") };
    postgres.batch_execute(sql).unwrap();
}

/// Waits until a transaction of the API waits for a lock of the test's.
async fn wait_for_blocked_transaction(app: &TestApp) {
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("a transaction waits", async || (app.db().number(waiting) > 0).then_some(())).await;
}

/// With real locks: the reset has locked the account when the worker arrives, and commits while the worker waits.
#[actix_web::test]
async fn a_worker_that_waits_for_a_reset_sees_its_changes() {
    let app = TestApp::builder(Database::Postgres).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    request_change(&app, &tokens).await.has_status(202);
    let mut reset = app.db().connect();
    run(&mut reset, "BEGIN; SELECT 1 FROM users FOR UPDATE");
    let meanwhile = async {
        wait_for_blocked_transaction(&app).await;
        run(&mut reset, "UPDATE users SET password_hash = 'another'");
        run(&mut reset, "DELETE FROM mail_outbox WHERE kind = 'change_email'; COMMIT");
    };
    let (sent, ()) = tokio::join!(deliver_due(app.services()), meanwhile);
    assert_eq!(sent.unwrap(), 1, "the notice to the old address");
    assert_eq!(app.db().number(LIVE_LINKS), 0);
}

/// The account is deleted while its picture is being changed.
#[actix_web::test]
async fn a_deleted_account_gets_no_picture() {
    let app = TestApp::builder(Database::Postgres).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let mut deletion = app.db().connect();
    run(&mut deletion, "BEGIN; UPDATE users SET is_active = false, email = ''");
    let meanwhile = async {
        wait_for_blocked_transaction(&app).await;
        run(&mut deletion, "COMMIT");
    };
    let picture = pictures::encoded(&pictures::photo(8, 8), ImageFormat::Png);
    let save = app.request_as(&tokens, Method::PUT, "/api/auth/me/avatar/").header("Content-Type", "image/png");
    let (response, ()) = tokio::join!(send(save.body(picture)), meanwhile);
    response.unauthorized(Reason::UserInactive);
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE avatar_key IS NOT NULL"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'profile_changed'"), 0);
}

/// Replays a stolen token while the transaction of `change` is open; it commits while the replay waits.
async fn reuse_during(app: &TestApp, change: &str) -> TestResponse {
    let stolen = app.login(ADA).await;
    app.refresh_with_key(&stolen, "of the owner").await.tokens();
    let mut other = app.db().connect();
    run(&mut other, &format!("BEGIN; {change}"));
    let meanwhile = async {
        wait_for_blocked_transaction(app).await;
        run(&mut other, "COMMIT");
    };
    tokio::join!(app.refresh(&stolen), meanwhile).0
}

#[actix_web::test]
async fn a_reuse_is_mailed_to_the_current_address() {
    let app = TestApp::builder(Database::Postgres).user(ADA).start().await;
    reuse_during(&app, &moved()).await.unauthorized(Reason::RefreshReused);
    let mails = app.deliver_mail().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["moved@example.com"]);
}

/// A session that expires while the account is being deleted is not revoked by the deletion.
#[actix_web::test]
async fn a_reuse_stores_nothing_about_an_account_that_was_deleted_meanwhile() {
    let app = TestApp::builder(Database::Postgres).user(ADA).start().await;
    let erased = "UPDATE users SET is_active = false, deleted_at = now(), email = '', email_canonical = 'deleted:1'";
    reuse_during(&app, erased).await.unauthorized(Reason::UserInactive);
    assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox"), 0);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'refresh_reused'"), 0);
}

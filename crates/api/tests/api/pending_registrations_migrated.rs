//! Unconfirmed accounts of a release without pending registrations: each keeps working with every setting, and none blocks
//! the owner of its address.

use crate::support::{Database, PASSWORD, TestApp, TestDb, migrate, on_both_databases};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::PendingRegistrationResponse;
use serde_json::{Value, json};
use std::sync::Arc;

on_both_databases![
    a_used_account_keeps_working_where_confirmation_is_optional,
    an_unused_account_is_confirmed_by_its_old_link,
    an_unused_account_gets_its_link_again,
    a_reset_confirms_an_unused_account,
    the_owners_sign_up_replaces_another_persons_unused_account,
    a_used_account_is_not_replaced,
    a_deactivated_account_is_not_replaced,
];

const ADA: &str = "ada@example.com";
const ATTACKERS_PASSWORD: &str = "copper window thistle 77";
/// The migration that restores the schema of the older release.
const DOWN: [(Database, &str); 2] = [
    (Database::Sqlite, include_str!("../../../../migrations/sqlite/00000000000008_pending_registrations/down.sql")),
    (Database::Postgres, include_str!("../../../../migrations/postgres/00000000000008_pending_registrations/down.sql")),
];

/// A database of the older release with one account, signed up with Ada's address, after the migration.
fn migrated_db(database: Database, password: &str, signed_in: bool) -> Arc<TestDb> {
    let db = TestDb::migrated(database);
    let (_, down) = DOWN.into_iter().find(|(kind, _)| *kind == database).unwrap();
    for statement in down.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        db.execute(statement);
    }
    db.execute("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000008'");
    let hash = api::service::passwords::hashing::hash(password, 4).unwrap();
    let at = "'2026-01-02 03:04:05.000000'";
    let (is_active, last_login) = ("true", if signed_in { at } else { "NULL" });
    db.execute(&format!(
        "INSERT INTO users (email, email_canonical, username, username_canonical, password_hash, display_name, is_active,
         created_at, last_login_at) VALUES ('{ADA}', '{ADA}', 'countess', 'countess', '{hash}', 'Somebody', {is_active},
         {at}, {last_login})"
    ));
    db.execute(&format!("INSERT INTO auth_events (user_id, kind, at) VALUES (1, 'registered', {at})"));
    let before = db.texts("SELECT email AS value FROM users");
    assert_eq!(migrate(&db.parsed_url()).unwrap(), ["00000000000008"]);
    assert_eq!(db.texts("SELECT email AS value FROM users"), before);
    Arc::new(db)
}

async fn start(db: Arc<TestDb>, verification: &str) -> TestApp {
    TestApp::builder_on(db).set("EMAIL_VERIFICATION", verification).start().await
}

fn request() -> RegisterRequest {
    RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

async fn mailed_token(app: &TestApp, path: &str) -> String {
    app.post(path, &json!({"email": ADA})).await.has_status(202);
    app.deliver_one_mail().await.token()
}

async fn a_used_account_keeps_working_where_confirmation_is_optional(database: Database) {
    let app = start(migrated_db(database, PASSWORD, true), "optional").await;
    let tokens = app.login(ADA).await;
    assert!(!tokens.user.email_verified);
    assert_eq!((tokens.user.username.as_deref(), tokens.user.display_name.as_str()), (Some("countess"), "Somebody"));
    app.register(&request()).await.problem_of(409, Reason::EmailTaken);
    let token = mailed_token(&app, "/api/auth/email/resend/").await;
    app.post("/api/auth/email/verify/", &json!({"token": token})).await.has_status(200);
    app.refresh(&tokens).await.tokens();
}

async fn an_unused_account_is_confirmed_by_its_old_link(database: Database) {
    let db = migrated_db(database, PASSWORD, false);
    let hash = api::service::opaque_token::OpaqueToken::hash_of("mailed before")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat();
    let bytes = if database == Database::Sqlite { format!("x'{hash}'") } else { format!("'\\x{hash}'") };
    db.execute(&format!(
        "INSERT INTO one_time_tokens (hash, purpose, user_id, email, expires_at)
         VALUES ({bytes}, 'verify_email', 1, '{ADA}', '2100-01-01 00:00:00.000000')"
    ));
    let app = start(db, "mandatory").await;
    app.sign_in(ADA, PASSWORD).await.problem_of(403, Reason::EmailNotVerified);
    app.sign_in(ADA, ATTACKERS_PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    let response = app.post("/api/auth/email/verify/", &json!({"token": "mailed before"})).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({}));
    assert_eq!(app.login(ADA).await.user.username.as_deref(), Some("countess"));
}

async fn an_unused_account_gets_its_link_again(database: Database) {
    let app = start(migrated_db(database, PASSWORD, false), "mandatory").await;
    let token = mailed_token(&app, "/api/auth/email/resend/").await;
    app.post("/api/auth/email/verify/", &json!({"token": token})).await.has_status(200);
    assert_eq!(app.login(ADA).await.user.id.0, 1);
}

async fn a_reset_confirms_an_unused_account(database: Database) {
    let app = start(migrated_db(database, ATTACKERS_PASSWORD, false), "mandatory").await;
    let token = mailed_token(&app, "/api/auth/password/reset/").await;
    let body = json!({"token": token, "new_password": PASSWORD});
    app.post("/api/auth/password/reset/confirm/", &body).await.has_status(200);
    app.sign_in(ADA, ATTACKERS_PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    assert!(app.login(ADA).await.user.email_verified);
}

async fn the_owners_sign_up_replaces_another_persons_unused_account(database: Database) {
    let app = start(migrated_db(database, ATTACKERS_PASSWORD, false), "mandatory").await;
    let response = app.register(&request()).await;
    response.has_status(202);
    let registration = response.json::<PendingRegistrationResponse>().registration;
    app.deliver_one_mail().await;
    let token = mailed_token(&app, "/api/auth/email/resend/").await;
    let body = json!({"token": token, "registration": registration});
    let tokens = app.post("/api/auth/email/verify/", &body).await.created();
    assert_eq!((tokens.user.id.0, tokens.user.display_name.as_str(), tokens.user.username), (2, "", None));
    app.sign_in(ADA, ATTACKERS_PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.login(ADA).await;
    let left = app.db().texts("SELECT password_hash AS value FROM users WHERE id = 1");
    assert_eq!(left, [""], "nothing of the other sign-up is left");
}

async fn a_used_account_is_not_replaced(database: Database) {
    let app = start(migrated_db(database, ATTACKERS_PASSWORD, true), "mandatory").await;
    app.register(&request()).await.has_status(202);
    // The owner of the address, if another person, takes over the account by a reset.
    assert_eq!(app.deliver_one_mail().await.subject, "You already have an account");
    app.sign_in(ADA, ATTACKERS_PASSWORD).await.problem_of(403, Reason::EmailNotVerified);
}

async fn a_deactivated_account_is_not_replaced(database: Database) {
    let db = migrated_db(database, ATTACKERS_PASSWORD, false);
    db.execute("UPDATE users SET is_active = false");
    let app = start(db, "mandatory").await;
    app.register(&request()).await.has_status(202);
    assert!(!app.deliver_one_mail().await.text.contains("#token="));
}

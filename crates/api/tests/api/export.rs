//! Everything that is stored about a user, for them to keep.

use crate::support::{Answer, Database, PASSWORD, TestApp, on_both_databases, send};
use auth_types::Reason;
use auth_types::export::ExportResponse;
use auth_types::responses::TokenResponse;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    everything_that_is_stored_is_in_the_file,
    every_column_of_a_user_is_handed_out_or_left_out_on_purpose,
    the_file_is_kept_by_nobody_on_the_way_and_noted,
    a_session_that_has_ended_gets_nothing,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// Which member of the file holds the rows of which table.
const TABLES: [(&str, &str); 6] = [
    ("auth_events", "events"),
    ("known_networks", "networks"),
    ("mail_outbox", "mails"),
    ("one_time_tokens", "links"),
    ("sessions", "sessions"),
    ("users", "user"),
];

/// Columns that say nothing of a person which another one does not, or only prove who somebody is.
const LEFT_OUT: [(&str, &str); 13] = [
    ("auth_events", "user_id"),
    ("known_networks", "user_id"),
    ("mail_outbox", "id"),
    ("mail_outbox", "user_id"),
    ("one_time_tokens", "hash"),
    ("one_time_tokens", "user_id"),
    ("sessions", "user_id"),
    ("sessions", "jti"),
    ("sessions", "rotation_key_hash"),
    ("users", "email_canonical"),
    ("users", "username_canonical"),
    ("users", "password_hash"),
    // An account that has one exports nothing.
    ("users", "deleted_at"),
];

/// Somebody with a row in every table.
async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).user(EVE).start().await;
    app.login(EVE).await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    app.deliver_mail().await;
    let ended = app.login(ADA).await;
    app.refresh_with_key(&ended, "attempt-1").await.ok();
    app.logout(&ended).await.done();
    let tokens = app.login(ADA).await;
    let body = json!({"new_email": "countess@example.org", "password": PASSWORD});
    send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.done();
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    (app, tokens)
}

async fn export(app: &TestApp, tokens: &TokenResponse) -> Answer {
    send(app.request_as(tokens, Method::GET, "/api/auth/me/export/")).await
}

async fn everything_that_is_stored_is_in_the_file(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE mail_outbox SET kind = 'of_a_newer_release' WHERE kind = 'email_change_requested'");
    let answer = export(&app, &tokens).await;
    answer.has_status(200);
    let text = answer.text();
    let file: ExportResponse = answer.json();
    assert_eq!((file.user.id, file.user.email.as_str()), (tokens.user.id, ADA));
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table} WHERE user_id = {}", tokens.user.id);
        usize::try_from(app.db().number(&sql)).unwrap()
    };
    let expected = [count("sessions"), count("auth_events"), count("known_networks"), count("one_time_tokens")];
    assert_eq!([file.sessions.len(), file.events.len(), file.networks.len(), file.links.len()], expected);
    assert!(expected.iter().all(|rows| *rows > 0), "{expected:?}");
    // The one that was asked for by its address alone, too.
    let mails: Vec<_> = file.mails.iter().map(|mail| (mail.kind.as_str(), mail.recipient.as_str())).collect();
    let expected = [("change_email", "countess@example.org"), ("of_a_newer_release", ADA), ("reset_password", ADA)];
    assert_eq!(mails, expected);
    assert_eq!(file.sessions.iter().filter(|session| session.revoke_reason.as_deref() == Some("logout")).count(), 1);

    for secret in ["SELECT password_hash FROM users WHERE id = 1", "SELECT max(jti) FROM sessions WHERE user_id = 1"] {
        assert!(!text.contains(&app.db().value(secret).unwrap()), "{secret}");
    }
    assert!(!text.contains(EVE), "{text}");
}

/// Whoever adds a table or a column has to think of it here.
async fn every_column_of_a_user_is_handed_out_or_left_out_on_purpose(database: Database) {
    let (app, tokens) = start(database).await;
    let file: Value = export(&app, &tokens).await.json();
    let db = app.db();
    let about_users = |table: &String| table == "users" || db.columns(table).contains(&"user_id".to_owned());
    let tables: Vec<_> = db.tables().into_iter().filter(about_users).collect();
    assert_eq!(tables, TABLES.map(|(table, _)| table));
    for (table, member) in TABLES {
        let row = if file[member].is_array() { &file[member][0] } else { &file[member] };
        for column in db.columns(table) {
            let is_there = row.get(&column).is_some();
            let is_left_out = LEFT_OUT.contains(&(table, column.as_str()));
            assert_ne!(is_there, is_left_out, "{table}.{column}");
        }
    }
}

async fn the_file_is_kept_by_nobody_on_the_way_and_noted(database: Database) {
    let (app, tokens) = start(database).await;
    let answer = export(&app, &tokens).await;
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"latchkey-export.json\"");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let noted = "SELECT count(*) FROM auth_events WHERE kind = 'data_exported' AND ip_address IS NOT NULL";
    assert_eq!(app.db().number(noted), 1);
}

async fn a_session_that_has_ended_gets_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout' WHERE revoked_at IS NULL");
    let before = app.db().content();
    export(&app, &tokens).await.refused(Reason::SessionRevoked);
    assert_eq!(app.db().content(), before);
}

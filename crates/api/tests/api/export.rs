//! The export of everything that is stored about a user.

use crate::support::{
    Builder, Database, ONE_SECOND, PASSWORD, TestApp, TestResponse, eventually, on_both_databases, send,
};
use api::clock::Clock;
use api::store::AnyConnection;
use auth_types::export::ExportResponse;
use auth_types::responses::TokenResponse;
use auth_types::{Reason, UserId};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_databases![
    everything_that_is_stored_is_in_the_file,
    every_column_about_a_user_is_exported_or_left_out_on_purpose,
    the_file_is_not_cached_and_the_export_is_recorded,
    a_revoked_session_gets_no_export,
    a_file_of_many_pages_is_complete_and_in_order,
    an_account_has_one_export_at_a_time,
    a_client_that_reads_slowly_holds_no_connection_and_no_lock,
    an_export_whose_session_ends_is_cut,
    an_export_of_an_account_that_is_deleted_is_cut,
    an_account_has_five_exports_an_hour,
    a_head_request_is_not_an_export,
];

const PATH: &str = "/api/auth/me/export/";
const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// Each table, and the member of the file that holds its rows.
const TABLES: [(&str, &str); 6] = [
    ("auth_events", "events"),
    ("known_networks", "networks"),
    ("mail_outbox", "mails"),
    ("one_time_tokens", "links"),
    ("sessions", "sessions"),
    ("users", "user"),
];

/// Columns without personal data beyond that of the exported ones, and those that only authenticate a user.
const LEFT_OUT: [(&str, &str); 20] = [
    ("auth_events", "user_id"),
    ("known_networks", "user_id"),
    ("mail_outbox", "id"),
    ("mail_outbox", "user_id"),
    ("mail_outbox", "registration_id"),
    ("mail_outbox", "requester"),
    ("mail_outbox", "turn_at"),
    ("one_time_tokens", "hash"),
    ("one_time_tokens", "user_id"),
    ("sessions", "user_id"),
    ("sessions", "jti"),
    ("sessions", "rotation_key_hash"),
    // The thief of a token must not learn when its owner refreshes.
    ("sessions", "generation"),
    ("sessions", "previous_rotated_at"),
    ("sessions", "rotation_origin"),
    ("sessions", "previous_rotation_origin"),
    ("users", "email_canonical"),
    ("users", "username_canonical"),
    ("users", "password_hash"),
    // An account where it is set exports nothing.
    ("users", "deleted_at"),
];

/// A user with a row in every table.
async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).user(EVE).start().await;
    app.login(EVE).await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    app.deliver_mail().await;
    let ended = app.login(ADA).await;
    app.refresh_with_key(&ended, "attempt-1").await.tokens();
    app.logout(&ended).await.done();
    let tokens = app.login(ADA).await;
    let body = json!({"new_email": "countess@example.org", "password": PASSWORD});
    send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.done();
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.done();
    (app, tokens)
}

async fn export(app: &TestApp, tokens: &TokenResponse) -> TestResponse {
    send(app.request_as(tokens, Method::GET, PATH)).await
}

async fn everything_that_is_stored_is_in_the_file(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE mail_outbox SET kind = 'of_a_newer_release' WHERE kind = 'email_change_requested'");
    let response = export(&app, &tokens).await;
    response.has_status(200);
    let text = response.text();
    let file: ExportResponse = response.json();
    assert_eq!((file.user.id, file.user.email.as_str()), (tokens.user.id, ADA));
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table} WHERE user_id = {}", tokens.user.id);
        usize::try_from(app.db().number(&sql)).unwrap()
    };
    let expected = [count("sessions"), count("auth_events"), count("known_networks"), count("one_time_tokens")];
    assert_eq!([file.sessions.len(), file.events.len(), file.networks.len(), file.links.len()], expected);
    assert!(expected.iter().all(|rows| *rows > 0), "{expected:?}");
    // The mail that was requested by the address alone, too.
    let mails: Vec<_> = file.mails.iter().map(|mail| (mail.kind.as_str(), mail.recipient.as_str())).collect();
    let expected = [("change_email", "countess@example.org"), ("of_a_newer_release", ADA), ("reset_password", ADA)];
    assert_eq!(mails, expected);
    assert_eq!(file.sessions.iter().filter(|session| session.revoke_reason.as_deref() == Some("logout")).count(), 1);

    for secret in ["SELECT password_hash FROM users WHERE id = 1", "SELECT max(jti) FROM sessions WHERE user_id = 1"] {
        assert!(!text.contains(&app.db().value(secret).unwrap()), "{secret}");
    }
    assert!(!text.contains(EVE), "{text}");
}

/// A new table or column fails this test until it is exported or listed as left out.
async fn every_column_about_a_user_is_exported_or_left_out_on_purpose(database: Database) {
    let (app, tokens) = start(database).await;
    let file: Value = export(&app, &tokens).await.json();
    let db = app.db();
    let about_users = |table: &String| table == "users" || db.columns(table).contains(&"user_id".to_owned());
    let tables: Vec<_> = db.tables().into_iter().filter(about_users).collect();
    assert_eq!(tables, TABLES.map(|(table, _)| table));
    for (table, member) in TABLES {
        let row = if file[member].is_array() { &file[member][0] } else { &file[member] };
        for column in db.columns(table) {
            let is_exported = row.get(&column).is_some();
            let is_left_out = LEFT_OUT.contains(&(table, column.as_str()));
            assert_ne!(is_exported, is_left_out, "{table}.{column}");
        }
    }
}

async fn the_file_is_not_cached_and_the_export_is_recorded(database: Database) {
    let (app, tokens) = start(database).await;
    let response = export(&app, &tokens).await;
    assert_eq!(response.header("content-disposition"), "attachment; filename=\"latchkey-export.json\"");
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("cache-control"), "no-store");
    let recorded = "SELECT count(*) FROM auth_events WHERE kind = 'data_exported' AND ip_address IS NOT NULL";
    assert_eq!(app.db().number(recorded), 1);
}

async fn a_revoked_session_gets_no_export(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout' WHERE revoked_at IS NULL");
    let before = app.db().content();
    export(&app, &tokens).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().content(), before);
}

/// Two pages and a half of each list, and one that ends with its page.
async fn a_file_of_many_pages_is_complete_and_in_order(database: Database) {
    let app = TestApp::builder(database).user(ADA).user(EVE).start().await;
    let (db, now) = (app.db(), app.clock().now());
    db.add_events(Some(UserId(1)), now - ONE_SECOND, 300);
    db.add_events(Some(UserId(1)), now - ONE_SECOND * 2, 323);
    db.add_events(Some(UserId(2)), now, 30);
    db.add_sessions(UserId(1), now, 624);
    db.add_sessions(UserId(2), now, 30);
    let (seen, hash) =
        (db.instant(now), if database == Database::Sqlite { "randomblob(32)" } else { "sha256(n::text::bytea)" });
    let links = format!("{hash}, 'reset_password', 1, '{ADA}', {seen}");
    db.add("one_time_tokens (hash, purpose, user_id, email, expires_at)", &links, 625);
    let mails = format!("'reset_password', '{ADA}', {seen}, {seen}, {seen}");
    db.add("mail_outbox (kind, recipient, created_at, due_at, expires_at)", &mails, 625);
    let tokens = app.login(ADA).await;
    // A sign-in deletes the networks above the limit; an older release has left these. One more is the sign-in's.
    db.add("known_networks (user_id, network, seen_at)", &format!("1, 'net' || n, {seen}"), 499);

    let file: ExportResponse = export(&app, &tokens).await.json();
    let lists = [file.sessions.len(), file.networks.len(), file.links.len(), file.mails.len()];
    assert_eq!(lists, [625, 500, 625, 625]);
    let ids: BTreeSet<_> = file.sessions.iter().map(|session| session.id).collect();
    assert_eq!(ids.len(), 625);
    // The sign-in and this export itself, too.
    assert_eq!(file.events.len(), 625);
    assert!(file.events.windows(2).all(|pair| pair[0].at >= pair[1].at));
    let ids: BTreeSet<_> = file.events.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), 625);
}

/// An export in progress: its client has read the head, and the rest is more than the buffers of the system hold.
async fn begin(database: Database) -> (TestApp, TokenResponse, Response) {
    begin_with(TestApp::builder(database)).await
}

async fn begin_with(builder: Builder) -> (TestApp, TokenResponse, Response) {
    let app = builder.user(ADA).user(EVE).start().await;
    app.db().add_events(Some(UserId(1)), app.clock().now(), 20_000);
    let tokens = app.login(ADA).await;
    let response = app.request_as(&tokens, Method::GET, PATH).send().await.unwrap();
    assert_eq!(response.status(), 200);
    (app, tokens, response)
}

async fn an_account_has_one_export_at_a_time(database: Database) {
    let (app, tokens, mut first) = begin(database).await;
    let recorded = "SELECT count(*) FROM auth_events WHERE kind = 'data_exported' AND user_id = 1";
    for tokens in [&tokens, &app.login(ADA).await] {
        let second = export(&app, tokens).await;
        second.problem(429);
        assert_eq!(second.header("retry-after"), "10");
        second.problem_of(429, Reason::RateLimited);
    }
    assert_eq!(app.db().number(recorded), 1, "a refused export is not recorded");
    export(&app, &app.login(EVE).await).await.has_status(200);

    // Once the client has disconnected, the next export may begin.
    first.chunk().await.unwrap();
    drop(first);
    app.db().execute("DELETE FROM auth_events WHERE kind = 'profile_changed'");
    let third = eventually("the first has ended", async || {
        Some(export(&app, &tokens).await).filter(|response| response.status == 200)
    });
    assert_eq!(third.await.json::<ExportResponse>().events.len(), 4);
    assert_eq!(app.db().number(recorded), 2);
}

async fn a_client_that_reads_slowly_holds_no_connection_and_no_lock(database: Database) {
    let (app, tokens, mut slow) = begin(database).await;
    slow.chunk().await.unwrap();
    let idle = async || (app.services().store.connections().1 == 0).then_some(());
    eventually("no connection is in use", idle).await;
    app.db().execute("UPDATE users SET display_name = 'Ada' WHERE id = 1");
    app.login(EVE).await;
    let mut whole = 0;
    while let Some(part) = slow.chunk().await.unwrap() {
        whole += part.len();
    }
    assert!(whole > 8_000_000, "{whole} bytes");
    app.me(&tokens).await.done();
}

/// Reads on, and expects the connection to end before the body does.
async fn assert_cut(mut response: Response) {
    loop {
        match response.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a part was sent as the whole"),
            Err(error) => return assert!(error.is_decode() || error.is_body(), "{error:?}"),
        }
    }
}

async fn an_export_whose_session_ends_is_cut(database: Database) {
    let (app, tokens, response) = begin(database).await;
    app.logout(&tokens).await.done();
    assert_cut(response).await;
    app.db().execute("DELETE FROM auth_events");
    let again = app.login(ADA).await;
    export(&app, &again).await.has_status(200);
}

async fn an_export_of_an_account_that_is_deleted_is_cut(database: Database) {
    let (app, tokens, response) = begin(database).await;
    let request = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(request.json(&json!({"password": PASSWORD}))).await.has_status(204);
    assert_cut(response).await;
}

async fn an_account_has_five_exports_an_hour(database: Database) {
    let app = TestApp::builder(database).user(ADA).user(EVE).limited().start().await;
    let tokens = app.login(ADA).await;
    for _ in 0..5 {
        export(&app, &tokens).await.has_status(200);
    }
    let before = app.db().content();
    assert_eq!(export(&app, &tokens).await.throttled(), 3_600);
    assert_eq!(app.db().content(), before);
    export(&app, &app.login(EVE).await).await.has_status(200);
    app.clock().advance(Duration::hours(1));
    export(&app, &app.refresh(&tokens).await.tokens()).await.has_status(200);
}

async fn a_head_request_is_not_an_export(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let tokens = app.login(ADA).await;
    let before = app.db().content();
    let mut heads = BTreeSet::new();
    for _ in 0..6 {
        let head = send(app.request_as(&tokens, Method::HEAD, PATH)).await;
        head.has_status(200);
        assert_eq!(head.headers.get("content-length"), None, "the length is not known beforehand");
        heads.insert((head.header("content-type").to_owned(), head.header("content-disposition").to_owned()));
    }
    assert_eq!(app.db().content(), before);
    let response = export(&app, &tokens).await;
    response.has_status(200);
    assert_eq!(
        heads.into_iter().collect::<Vec<_>>(),
        [(response.header("content-type").to_owned(), response.header("content-disposition").to_owned())]
    );
    app.logout(&tokens).await.done();
    assert_eq!(send(app.request_as(&tokens, Method::HEAD, PATH)).await.status, 401);
}

/// A connection whose response waits for the database is not idle.
#[actix_web::test]
async fn an_export_that_waits_for_its_next_page_is_not_cut_as_idle() {
    let idle = std::time::Duration::from_millis(50);
    let builder = TestApp::builder(Database::Postgres).timeouts(|timeouts| timeouts.idle = idle);
    let (app, _, mut response) = begin_with(builder).await;
    let mut other = app.db().connect();
    let AnyConnection::Postgres(other) = &mut other else { panic!("readers of SQLite do not wait") };
    other.batch_execute("BEGIN; LOCK TABLE auth_events IN ACCESS EXCLUSIVE MODE").unwrap();
    let meanwhile = async {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        eventually("a page waits", async || (app.db().number(waiting) > 0).then_some(())).await;
        tokio::time::sleep(idle * 4).await;
        other.batch_execute("ROLLBACK").unwrap();
    };
    let reading = async {
        let mut whole = 0;
        while let Some(part) = response.chunk().await.unwrap() {
            whole += part.len();
        }
        whole
    };
    let (whole, ()) = tokio::join!(reading, meanwhile);
    assert!(whole > 8_000_000, "{whole} bytes");
}

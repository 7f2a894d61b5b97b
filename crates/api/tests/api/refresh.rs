//! Exchanging refresh tokens: each row of the table "Which refreshes succeed" in docs/reference/sessions.md.

use crate::support::refresh::{ADA, advance_past_the_leeway, generation, signed_in, signed_in_with, stored_generation};
use crate::support::{Database, ONE_SECOND, Proxy, TestApp, TestDb, forge, on_both_databases};
use api::store::AnyConnection;
use auth_types::{Reason, Role};
use chrono::Duration;
use diesel::connection::SimpleConnection;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_live_token_is_exchanged_for_the_next_generation,
    a_new_generation_lives_a_whole_idle_lifetime,
    a_token_of_an_unknown_session_is_refused,
    a_token_of_a_revoked_session_is_refused,
    a_session_that_was_idle_for_its_idle_lifetime_has_expired,
    a_session_whose_row_ends_earlier_has_expired,
    a_session_never_outlives_its_absolute_end,
    an_access_token_never_outlives_the_session,
    an_access_token_never_outlives_the_idle_end_of_its_session,
    an_inactive_user_gets_no_tokens_and_an_active_one_again,
    a_deleted_user_gets_no_tokens,
    the_role_is_read_at_every_refresh,
    a_reused_refresh_token_ends_the_session,
    reuse_is_committed_and_recorded,
    reuse_leaves_the_users_other_sessions_alone,
    the_live_generation_with_another_jti_is_reuse,
    a_generation_ahead_of_the_row_ends_the_session_and_is_recorded,
    one_hundred_concurrent_refreshes_give_one_successor,
];

async fn a_live_token_is_exchanged_for_the_next_generation(database: Database) {
    let (app, first) = signed_in(database).await;
    app.clock().advance(Duration::minutes(5));

    let second = app.refresh(&first).await.tokens();

    let (old, new) = (forge::claims(&first.refresh), forge::claims(&second.refresh));
    assert_eq!((old["gen"].as_i64(), new["gen"].as_i64()), (Some(1), Some(2)));
    assert_eq!(old["sid"], new["sid"]);
    assert_ne!(old["jti"], new["jti"]);
    assert_eq!(second.user, first.user);
    assert_eq!(second.server_time, first.server_time + 300);
    assert_eq!(new["exp"].as_i64().unwrap() - second.server_time, second.refresh_expires_in);
    app.me(&second).await.done();
    app.me(&first).await.done(); // the older access token belongs to the same session
}

async fn a_new_generation_lives_a_whole_idle_lifetime(database: Database) {
    let (app, mut tokens) = signed_in(database).await;
    for _ in 0..3 {
        assert_eq!(tokens.refresh_expires_in, app.settings().lifetimes.refresh.num_seconds());
        assert_eq!(tokens.access_expires_in, app.settings().lifetimes.access.num_seconds());
        app.clock().advance(app.settings().lifetimes.refresh - ONE_SECOND);
        tokens = app.refresh(&tokens).await.tokens();
    }
    assert_eq!(generation(&tokens), 4);
}

async fn a_token_of_an_unknown_session_is_refused(database: Database) {
    let (app, first) = signed_in(database).await;
    let unknown_session = json!("0198a2b4-7c1e-7000-8000-000000000001");
    let token = forge::sign_claims(&forge::claims_with(&first.refresh, "sid", unknown_session));

    app.refresh(&token).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&first).await.tokens();
}

async fn a_token_of_a_revoked_session_is_refused(database: Database) {
    let (app, first) = signed_in(database).await;
    app.logout(&first).await.done();

    app.refresh(&first).await.unauthorized(Reason::SessionRevoked);
    app.refresh_with_key(&first, "any").await.unauthorized(Reason::SessionRevoked);
    assert_eq!(stored_generation(&app), 1);
}

async fn a_session_that_was_idle_for_its_idle_lifetime_has_expired(database: Database) {
    let (app, first) = signed_in(database).await;
    app.clock().advance(app.settings().lifetimes.refresh);

    app.refresh(&first).await.unauthorized(Reason::SessionExpired);
    assert_eq!(stored_generation(&app), 1);
}

async fn a_session_whose_row_ends_earlier_has_expired(database: Database) {
    for column in ["expires_at", "absolute_expires_at"] {
        let (app, first) = signed_in(database).await;
        app.clock().advance(Duration::hours(1));
        app.db().execute(&format!("UPDATE sessions SET {column} = created_at"));

        app.refresh(&first).await.unauthorized(Reason::SessionExpired);
        assert_eq!(stored_generation(&app), 1);
    }
}

/// A hundred seconds in all, of which sixty idle.
const SHORT: [(&str, &str); 3] =
    [("ACCESS_TOKEN_LIFETIME", "30"), ("REFRESH_TOKEN_LIFETIME", "60"), ("SESSION_MAX_AGE", "100")];

async fn a_session_never_outlives_its_absolute_end(database: Database) {
    let (app, first) = signed_in_with(database, &SHORT).await;
    let end = first.server_time + 100;
    app.clock().advance(Duration::seconds(50));
    let second = app.refresh(&first).await.tokens();
    assert_eq!(second.refresh_expires_in, 50);
    assert_eq!(forge::claims(&second.refresh)["exp"], end);
    app.clock().advance(Duration::seconds(49));
    let third = app.refresh(&second).await.tokens();
    assert_eq!(forge::claims(&third.refresh)["exp"], end);
    app.clock().advance(ONE_SECOND);

    app.refresh(&third).await.unauthorized(Reason::SessionExpired);
    app.refresh_with_key(&third, "any").await.unauthorized(Reason::SessionExpired);
}

async fn an_access_token_never_outlives_the_session(database: Database) {
    let (app, first) = signed_in_with(database, &SHORT).await;
    app.clock().advance(Duration::seconds(50));
    let second = app.refresh(&first).await.tokens();
    app.clock().advance(Duration::seconds(40));
    let third = app.refresh(&second).await.tokens();

    assert_eq!(third.access_expires_in, 10);
    assert_eq!(forge::claims(&third.access)["exp"], first.server_time + 100);
    app.clock().advance(Duration::seconds(10));
    app.me(&third).await.unauthorized(Reason::TokenExpired);
}

async fn an_access_token_never_outlives_the_idle_end_of_its_session(database: Database) {
    let (app, first) = signed_in_with(database, &SHORT).await;
    app.refresh_with_key(&first, "attempt-1").await.tokens();
    app.clock().advance(Duration::seconds(50));

    // The response was lost: the session goes on, its idle end does not.
    let again = app.refresh_with_key(&first, "attempt-1").await.tokens();
    assert_eq!((again.access_expires_in, again.refresh_expires_in), (10, 10));
    app.clock().advance(Duration::seconds(10));
    app.me(&again).await.unauthorized(Reason::TokenExpired);
    app.logout_all(&again).await.unauthorized(Reason::TokenExpired);
}

async fn an_inactive_user_gets_no_tokens_and_an_active_one_again(database: Database) {
    let (app, first) = signed_in(database).await;
    app.db().execute("UPDATE users SET is_active = false");
    app.refresh(&first).await.unauthorized(Reason::UserInactive);
    app.refresh_with_key(&first, "any").await.unauthorized(Reason::UserInactive);
    app.me(&first).await.unauthorized(Reason::UserInactive);
    app.verify(&first.refresh).await.unauthorized(Reason::UserInactive);
    assert_eq!(stored_generation(&app), 1);

    app.db().execute("UPDATE users SET is_active = true");
    app.refresh(&first).await.tokens();
}

async fn a_deleted_user_gets_no_tokens(database: Database) {
    let (app, first) = signed_in(database).await;
    app.db().execute("DELETE FROM users");
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 0);

    // The sessions are deleted with their user, and a session that does not exist counts as revoked.
    app.refresh(&first).await.unauthorized(Reason::SessionRevoked);
    app.me(&first).await.unauthorized(Reason::SessionRevoked);
}

async fn the_role_is_read_at_every_refresh(database: Database) {
    let (app, first) = signed_in(database).await;
    assert_eq!(forge::claims(&first.access)["role"], "user");
    app.db().execute("UPDATE users SET role = 'admin'");

    let second = app.refresh(&first).await.tokens();
    assert_eq!(forge::claims(&second.access)["role"], "admin");
    assert_eq!(second.user.role, Role::Admin);
    let again = app.refresh(&first).await.tokens();
    assert_eq!(forge::claims(&again.access)["role"], "admin");

    app.db().execute("UPDATE users SET role = 'user'");
    let third = app.refresh(&second).await.tokens();
    assert_eq!(forge::claims(&third.access)["role"], "user");
}

async fn a_reused_refresh_token_ends_the_session(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.tokens();
    advance_past_the_leeway(&app);

    let problem = app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    assert_eq!(problem.detail, "Token is blacklisted"); // the text that clients written for simplejwt check
    app.refresh(&second).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&first).await.unauthorized(Reason::SessionRevoked);
    // At once, without waiting for the feed.
    app.me(&first).await.unauthorized(Reason::SessionRevoked);
    app.me(&second).await.unauthorized(Reason::SessionRevoked);
    app.verify(&second.access).await.unauthorized(Reason::SessionRevoked);
}

async fn reuse_is_committed_and_recorded(database: Database) {
    let (app, first) = signed_in(database).await;
    app.refresh(&first).await.tokens();
    advance_past_the_leeway(&app);
    app.refresh(&first).await.unauthorized(Reason::RefreshReused);

    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("reuse"));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'refresh_reused'"), 1);
    // A further attempt changes nothing.
    let before = app.db().content();
    app.refresh(&first).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().content(), before);
}

async fn reuse_leaves_the_users_other_sessions_alone(database: Database) {
    let (app, first) = signed_in(database).await;
    let phone = app.login(ADA).await;
    app.refresh(&first).await.tokens();
    advance_past_the_leeway(&app);
    app.refresh(&first).await.unauthorized(Reason::RefreshReused);

    app.me(&phone).await.done();
    app.refresh(&phone).await.tokens();
}

async fn the_live_generation_with_another_jti_is_reuse(database: Database) {
    let (app, first) = signed_in(database).await;
    // A backup was restored, and the session went on from there.
    app.db().execute("UPDATE sessions SET jti = 'of-another-history'");

    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'refresh_reused'"), 1);
    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("reuse"));
    app.me(&first).await.unauthorized(Reason::SessionRevoked);
}

async fn a_generation_ahead_of_the_row_ends_the_session_and_is_recorded(database: Database) {
    let (app, first) = signed_in(database).await;
    let second = app.refresh(&first).await.tokens();
    // A backup was restored: the row does not know the second generation.
    app.db().execute("UPDATE sessions SET generation = 1");

    app.refresh(&second).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'generation_ahead'"), 1);
    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("ahead"));
    app.me(&second).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&first).await.unauthorized(Reason::SessionRevoked);
}

async fn one_hundred_concurrent_refreshes_give_one_successor(database: Database) {
    let (app, first) = signed_in(database).await;
    let responses = futures_util::future::join_all((0..100).map(|_| app.refresh(&first))).await;

    let tokens: Vec<_> = responses.into_iter().map(|response| response.tokens().refresh).collect();
    assert_eq!(tokens.len(), 100);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(stored_generation(&app), 2);
}

#[actix_web::test]
async fn an_unreachable_database_is_a_503_and_ends_no_session() {
    let db = Arc::new(TestDb::migrated(Database::Postgres));
    let proxy = Proxy::before(db.server_address());
    let app = TestApp::builder_on(Arc::clone(&db))
        .set("DATABASE_URL", db.url_through(proxy.address()))
        .user(ADA)
        .start()
        .await;
    let first = app.login(ADA).await;

    proxy.cut();
    app.refresh(&first).await.problem_of(503, Reason::Unavailable);
    let second_attempt = app.refresh_with_key(&first, "attempt-1");
    let (again, login) = tokio::join!(second_attempt, app.sign_in(ADA, "violet harbor lantern 42"));
    again.problem_of(503, Reason::Unavailable);
    login.problem_of(503, Reason::Unavailable);
    app.verify(&first.access).await.done(); // uses no database

    proxy.restore();
    let second = app.refresh_with_key(&first, "attempt-1").await.tokens();
    assert_eq!(generation(&second), 2);
}

#[actix_web::test]
async fn a_locked_sqlite_file_is_a_503_and_ends_no_session() {
    let (app, first) = signed_in(Database::Sqlite).await;
    let mut other = app.db().connect();
    let mut hold = |sql: &str| match &mut other {
        AnyConnection::Sqlite(sqlite) => sqlite.batch_execute(sql).unwrap(),
        AnyConnection::Postgres(_) => unreachable!(),
    };
    hold("BEGIN IMMEDIATE");

    // Each waits for the lock as long as the API waits, so they wait together.
    let (refresh, logout, login) =
        tokio::join!(app.refresh(&first), app.logout(&first), app.sign_in(ADA, "violet harbor lantern 42"));
    refresh.problem_of(503, Reason::Unavailable);
    logout.problem_of(503, Reason::Unavailable);
    login.problem_of(503, Reason::Unavailable);
    app.me(&first).await.done(); // readers do not wait for a writer

    hold("ROLLBACK");
    app.refresh(&first).await.tokens();
}

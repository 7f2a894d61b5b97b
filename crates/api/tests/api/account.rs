//! The caller's own account.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use auth_types::responses::{TokenResponse, UserResponse};
use auth_types::{Reason, Role};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    the_caller_reads_their_own_account,
    an_absent_field_is_unchanged_and_null_clears,
    another_users_username_is_a_409_in_any_spelling,
    a_user_may_change_the_spelling_of_their_username,
    a_change_is_recorded,
    an_update_that_changes_nothing_writes_nothing,
    equal_concurrent_changes_are_recorded_once,
    an_inactive_user_reads_and_changes_nothing,
];

const ADA: &str = "ada@example.com";

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let builder = TestApp::builder(database).account(ADA, Some("Countess"), Role::Admin);
    let app = builder.account("eve@example.com", Some("Eve.9"), Role::User).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

async fn patch(app: &TestApp, tokens: &TokenResponse, body: Value) -> TestResponse {
    send(app.request_as(tokens, Method::PATCH, "/api/auth/me/").json(&body)).await
}

async fn the_caller_reads_their_own_account(database: Database) {
    let (app, tokens) = start(database).await;
    let me: UserResponse = app.me(&tokens).await.json();
    assert_eq!(me, tokens.user);
    let raw: Value = app.me(&tokens).await.json();
    let mut names: Vec<_> = raw.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "avatar_url",
        "created_at",
        "display_name",
        "email",
        "email_verified",
        "id",
        "last_login_at",
        "role",
        "username",
    ];
    assert_eq!(names, expected);
    assert!(raw["id"].is_i64());
    assert_eq!(raw["role"], "admin");
}

async fn an_absent_field_is_unchanged_and_null_clears(database: Database) {
    let (app, tokens) = start(database).await;
    let user = async |body| patch(&app, &tokens, body).await.json::<UserResponse>();
    let named = user(json!({"display_name": "  Ada Lovelace "})).await;
    assert_eq!((named.display_name.as_str(), named.username.as_deref()), ("Ada Lovelace", Some("Countess")));
    let renamed = user(json!({"username": "ada"})).await;
    assert_eq!((renamed.display_name.as_str(), renamed.username.as_deref()), ("Ada Lovelace", Some("ada")));
    assert_eq!(user(json!({})).await, renamed);
    let cleared = user(json!({"display_name": null, "username": null})).await;
    assert_eq!((cleared.display_name.as_str(), cleared.username.as_deref()), ("", None));
    assert_eq!(app.me(&tokens).await.json::<UserResponse>(), cleared);

    app.sign_in("ada", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in("countess", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.login(ADA).await;
}

async fn another_users_username_is_a_409_in_any_spelling(database: Database) {
    let (app, tokens) = start(database).await;
    let before = app.db().content();
    for taken in ["eve.9", "EVE.9", "ｅｖｅ.9"] {
        let problem = patch(&app, &tokens, json!({"username": taken, "display_name": "x"})).await;
        let problem = problem.problem_of(409, Reason::UsernameTaken);
        assert!(problem.errors.contains_key("username"));
    }
    assert_eq!(app.db().content(), before, "nothing is written in part");
}

async fn a_user_may_change_the_spelling_of_their_username(database: Database) {
    let (app, tokens) = start(database).await;
    let user: UserResponse = patch(&app, &tokens, json!({"username": "COUNTESS"})).await.json();
    assert_eq!(user.username.as_deref(), Some("COUNTESS"));
}

async fn a_change_is_recorded(database: Database) {
    let (app, tokens) = start(database).await;
    patch(&app, &tokens, json!({"display_name": "Ada"})).await.done();
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'profile_changed'"), 1);
}

async fn an_update_that_changes_nothing_writes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    patch(&app, &tokens, json!({"display_name": "Ada"})).await.done();
    let before = app.db().content();
    let same = [
        json!({}),
        json!({"display_name": "Ada"}),
        json!({"display_name": "  Ada "}),
        json!({"username": "Countess"}),
        json!({"display_name": "Ada", "username": " Countess"}),
    ];
    for body in same {
        let response = patch(&app, &tokens, body).await;
        response.has_status(200);
        assert_eq!(response.json::<UserResponse>().display_name, "Ada");
    }
    send(app.request_as(&tokens, Method::DELETE, "/api/auth/me/avatar/")).await.has_status(200);
    assert_eq!(app.db().content(), before);

    patch(&app, &tokens, json!({"username": null})).await.done();
    let before = app.db().content();
    for body in [json!({"username": null}), json!({"username": ""}), json!({"username": " "})] {
        patch(&app, &tokens, body).await.has_status(200);
    }
    assert_eq!(app.db().content(), before);
}

async fn equal_concurrent_changes_are_recorded_once(database: Database) {
    let (app, tokens) = start(database).await;
    let body = json!({"display_name": "Ada"});
    let responses = futures_util::future::join_all((0..8).map(|_| patch(&app, &tokens, body.clone()))).await;
    assert!(responses.iter().all(|response| response.status == 200));
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'profile_changed'"), 1);
}

async fn an_inactive_user_reads_and_changes_nothing(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE users SET is_active = false");
    let before = app.db().content();
    app.me(&tokens).await.unauthorized(Reason::UserInactive);
    patch(&app, &tokens, json!({"display_name": "Ada"})).await.unauthorized(Reason::UserInactive);
    app.sessions(&tokens).await.unauthorized(Reason::UserInactive);
    assert_eq!(app.db().content(), before);
}

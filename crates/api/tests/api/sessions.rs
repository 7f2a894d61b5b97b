//! The caller's sessions: seeing and ending them.

use crate::support::{Database, ONE_SECOND, TestApp, TestResponse, on_both_databases, send};
use auth_types::Reason;
use auth_types::responses::{SessionResponse, TokenResponse};
use chrono::Duration;
use reqwest::Method;
use serde_json::Value;

on_both_databases![
    the_list_shows_the_callers_live_sessions_most_recently_used_first,
    no_response_shows_a_thief_when_a_session_was_rotated,
    a_thief_who_watches_a_session_for_hours_does_not_see_it_refreshed,
    a_session_can_be_ended_from_another_device,
    the_session_in_use_can_be_ended_too,
    another_users_session_is_not_found_and_stays,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).user(ADA).user(EVE).start().await
}

async fn list(app: &TestApp, tokens: &TokenResponse) -> Vec<SessionResponse> {
    app.sessions(tokens).await.json()
}

async fn current(app: &TestApp, tokens: &TokenResponse) -> SessionResponse {
    list(app, tokens).await.into_iter().find(|session| session.current).unwrap()
}

async fn end(app: &TestApp, tokens: &TokenResponse, session: &SessionResponse) -> TestResponse {
    send(app.request_as(tokens, Method::DELETE, &format!("/api/auth/sessions/{}/", session.id))).await
}

async fn the_list_shows_the_callers_live_sessions_most_recently_used_first(database: Database) {
    let app = start(database).await;
    app.login(EVE).await;
    let idle = app.login(ADA).await; // expired before the list is requested
    app.clock().advance(app.settings().lifetimes.refresh / 2);
    let (a, b, ended) = (app.login(ADA).await, app.login(ADA).await, app.login(ADA).await);
    app.logout(&ended).await.done();
    app.clock().advance(ONE_SECOND);
    let b = app.refresh(&b).await.tokens();
    app.clock().advance(app.settings().lifetimes.refresh / 2 - ONE_SECOND);
    let a = app.refresh(&a).await.tokens();
    app.refresh(&idle).await.unauthorized(Reason::SessionExpired);

    let sessions = list(&app, &a).await;
    assert_eq!(sessions.iter().map(|session| session.current).collect::<Vec<_>>(), [true, false]);
    let used: Vec<_> = sessions.iter().map(|session| session.last_used_at.timestamp()).collect();
    // In steps of 5 minutes.
    let shown = |seconds: i64| seconds - seconds % 300;
    assert_eq!(used, [shown(a.server_time), shown(b.server_time)]);
    assert_eq!(sessions[0].expires_at.timestamp(), shown(a.server_time + a.refresh_expires_in));
    assert!(sessions.iter().all(|session| session.ip_address.as_deref() == Some("127.0.0.1")));
}

/// What the holder of an access token can see of a session: bodies and headers, without those that differ between any two
/// responses.
async fn seen(app: &TestApp, tokens: &TokenResponse) -> Vec<String> {
    seen_from(app, tokens, "127.0.0.1").await
}

/// Without the session's remaining requests: that the session is in use is no secret, but the time of a refresh is.
fn without_requests(value: &str) -> String {
    let kept: Vec<_> = value.split(", ").filter(|part| !part.starts_with("\"requests-session\";r=")).collect();
    kept.join(", ")
}

/// As [`seen`], from another address.
async fn seen_from(app: &TestApp, tokens: &TokenResponse, address: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for path in ["sessions/", "me/", "events/", "me/export/"] {
        let request = app.request_as(tokens, Method::GET, &format!("/api/auth/{path}"));
        let response = send(request.header("X-Forwarded-For", address)).await;
        response.has_status(200);
        let mut body: Value = response.json();
        if path == "me/export/" {
            // The export is an event itself.
            body["exported_at"] = Value::Null;
            body["events"] = Value::Null;
        } else if path == "events/" {
            body["results"].as_array_mut().unwrap().retain(|event| event["kind"] != "data_exported");
        }
        seen.push(body.to_string());
        // The export grows by its own events.
        let differ = ["x-request-id", "date", "content-length"];
        let headers = response.headers.iter().filter(|(name, _)| !differ.contains(&name.as_str()));
        seen.extend(
            headers.map(|(name, value)| format!("{path} {name}: {}", without_requests(value.to_str().unwrap()))),
        );
    }
    seen
}

/// Every time is rounded to 5 minutes, and so is the order of the list.
async fn no_response_shows_a_thief_when_a_session_was_rotated(database: Database) {
    let app = start(database).await;
    let (laptop, phone) = (app.login(ADA).await, app.login(ADA).await);
    let before = seen(&app, &laptop).await;
    app.clock().advance(ONE_SECOND);
    let rotated = app.refresh_with_key(&laptop, "attempt-1").await.tokens();
    assert_eq!(seen(&app, &laptop).await, before);
    app.clock().advance(ONE_SECOND);
    app.refresh_with_key(&phone, "attempt-1").await.tokens();
    app.refresh_with_key(&rotated, "attempt-2").await.tokens();
    assert_eq!(seen(&app, &laptop).await, before);

    // A superseded refresh token looks like one of a session that was ended, to the byte.
    let ended = app.login(ADA).await;
    app.logout(&ended).await.done();
    assert_eq!(app.verify(&laptop.refresh).await.comparable(), app.verify(&ended.refresh).await.comparable());
}

/// Nothing changes from one check to the next, neither a time after a step of 5 minutes nor the remaining refreshes.
async fn a_thief_who_watches_a_session_for_hours_does_not_see_it_refreshed(database: Database) {
    let builder = TestApp::builder(database).user(ADA).set("TRUSTED_PROXY_HOPS", "1").limited();
    let app = builder.set("ACCESS_TOKEN_LIFETIME", "36000").start().await;
    let mut owners = app.login(ADA).await;
    let stolen = owners.clone();
    let watched = seen_from(&app, &stolen, "192.0.2.66").await;
    for number in 0..4 {
        // Longer than the window of any budget of the thief.
        app.clock().advance(Duration::minutes(62));
        owners = app.refresh_with_key(&owners, &format!("attempt-{number}")).await.tokens();
        app.me(&owners).await.done();
        assert_eq!(seen_from(&app, &stolen, "192.0.2.66").await, watched);
    }
    let seen = current(&app, &owners).await;
    assert_eq!(seen.last_used_at.timestamp(), owners.server_time - owners.server_time % 300, "its owner sees more");
}

async fn a_session_can_be_ended_from_another_device(database: Database) {
    let app = start(database).await;
    let (laptop, phone) = (app.login(ADA).await, app.login(ADA).await);
    let of_phone = current(&app, &phone).await;

    let response = end(&app, &laptop, &of_phone).await;
    response.has_status(204);
    assert!(response.body.is_empty());
    app.me(&phone).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&phone).await.unauthorized(Reason::SessionRevoked);
    assert_eq!(list(&app, &laptop).await.len(), 1);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'session_revoked'"), 1);
    // A repetition is neither an error nor a second event.
    end(&app, &laptop, &of_phone).await.has_status(204);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'session_revoked'"), 1);
}

async fn the_session_in_use_can_be_ended_too(database: Database) {
    let app = start(database).await;
    let tokens = app.login(ADA).await;
    let session = current(&app, &tokens).await;
    end(&app, &tokens, &session).await.has_status(204);
    app.me(&tokens).await.unauthorized(Reason::SessionRevoked);
}

async fn another_users_session_is_not_found_and_stays(database: Database) {
    let app = start(database).await;
    let (ada, eve) = (app.login(ADA).await, app.login(EVE).await);
    let of_ada = current(&app, &ada).await;
    let before = app.db().content();
    end(&app, &eve, &of_ada).await.problem_of(404, Reason::NotFound);
    assert_eq!(app.db().content(), before);
    app.me(&ada).await.done();
}

//! What happened to an account, as its owner sees it.

use crate::support::{Database, ONE_SECOND, PASSWORD, SECRET_KEY, TestApp, TestResponse, on_both_databases, send};
use api::clock::Clock;
use auth_types::events::{EventResponse, EventsResponse};
use auth_types::responses::TokenResponse;
use auth_types::{EventKind, Reason};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_databases![
    each_act_is_an_event_and_the_newest_comes_first,
    an_event_has_its_kind_time_address_and_browser,
    pages_hold_every_event_once_while_events_are_added,
    events_of_one_moment_are_in_the_order_of_their_ids,
    ids_do_not_reveal_how_many_events_others_have,
    ids_change_with_the_key_and_cursors_stay_valid,
    a_malformed_cursor_is_refused,
    a_user_sees_no_events_of_others,
    a_kind_of_a_newer_program_is_shown_as_unknown,
    a_correct_password_with_an_unconfirmed_address_is_recorded,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).user(EVE).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

async fn ask(app: &TestApp, tokens: &TokenResponse, query: &str) -> TestResponse {
    send(app.request_as(tokens, Method::GET, &format!("/api/auth/events/{query}"))).await
}

async fn page(app: &TestApp, tokens: &TokenResponse, query: &str) -> EventsResponse {
    let response = ask(app, tokens, query).await;
    response.has_status(200);
    response.json()
}

async fn all(app: &TestApp, tokens: &TokenResponse) -> Vec<EventResponse> {
    let mut all = Vec::new();
    let mut query = String::new();
    loop {
        let page = page(app, tokens, &query).await;
        all.extend(page.results);
        match page.next {
            Some(next) => query = format!("?cursor={next}"),
            None => return all,
        }
    }
}

async fn each_act_is_an_event_and_the_newest_comes_first(database: Database) {
    let (app, tokens) = start(database).await;
    let post = |path: &str, body: Value| send(app.request_as(&tokens, Method::POST, path).json(&body));
    app.clock().advance(ONE_SECOND);
    app.sign_in(ADA, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
    app.clock().advance(ONE_SECOND);
    app.logout(&app.login(ADA).await).await.done();
    app.clock().advance(ONE_SECOND);
    send(app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({"display_name": "Ada"}))).await.done();
    app.clock().advance(ONE_SECOND);
    post("/api/auth/email/change/", json!({"new_email": "a@example.org", "password": "wrong"})).await.has_status(400);
    app.clock().advance(ONE_SECOND);
    post("/api/auth/email/change/", json!({"new_email": "a@example.org", "password": PASSWORD})).await.done();
    app.clock().advance(ONE_SECOND);
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    let tokens = post("/api/auth/password/change/", body).await.tokens();

    let kinds: Vec<_> = all(&app, &tokens).await.into_iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::PasswordChanged,
        EventKind::EmailChangeRequested,
        EventKind::ReauthenticationFailed,
        EventKind::ProfileChanged,
        EventKind::LoggedOut,
        EventKind::LoggedIn,
        EventKind::LoginFailed,
        EventKind::LoggedIn,
    ];
    assert_eq!(kinds, expected);
}

async fn an_event_has_its_kind_time_address_and_browser(database: Database) {
    let (app, _) = start(database).await;
    app.clock().advance(ONE_SECOND);
    let body = json!({"email": ADA, "password": PASSWORD});
    let login = app.request(Method::POST, "/api/auth/login/").header("User-Agent", "a browser").json(&body);
    let tokens = send(login).await.tokens();
    let response: Value = ask(&app, &tokens, "").await.json();
    let mut newest = response["results"][0].clone();
    let at: DateTime<chrono::Utc> = serde_json::from_value(newest["at"].take()).unwrap();
    assert_eq!(at, app.clock().now());
    assert!(newest["id"].is_i64());
    newest["id"] = Value::Null;
    let expected = json!({
        "id": null, "kind": "logged_in", "at": null, "ip_address": "127.0.0.1", "user_agent": "a browser", "detail": {}
    });
    assert_eq!(newest, expected);
    assert_eq!(response["next"], Value::Null);

    let ended = app.login(ADA).await;
    let session = crate::support::forge::claims(&ended.access)["sid"].clone();
    let path = format!("/api/auth/sessions/{}/", session.as_str().unwrap());
    app.clock().advance(ONE_SECOND);
    send(app.request_as(&tokens, Method::DELETE, &path)).await.done();
    let response: Value = ask(&app, &tokens, "").await.json();
    assert_eq!(response["results"][0]["detail"], json!({"session": session}));
}

async fn pages_hold_every_event_once_while_events_are_added(database: Database) {
    let (app, tokens) = start(database).await;
    for number in 0..44 {
        app.clock().advance(ONE_SECOND);
        let name = json!({"display_name": format!("Ada {number}")});
        let rename = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&name);
        send(rename).await.done();
    }
    let expected = app.db().number("SELECT count(*) FROM auth_events WHERE user_id = 1");
    assert_eq!(expected, 45);
    let mut pages = Vec::new();
    let mut query = String::new();
    loop {
        let page = page(&app, &tokens, &query).await;
        app.login(ADA).await; // an event before the first page
        pages.push(page.results.iter().map(|event| event.id).collect::<Vec<_>>());
        let Some(next) = page.next else { break };
        query = format!("?cursor={next}");
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20, 5]);
    let ids = pages.concat();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 45, "{ids:?}");
}

async fn events_of_one_moment_are_in_the_order_of_their_ids(database: Database) {
    let (app, tokens) = start(database).await;
    let insert = "INSERT INTO auth_events (user_id, kind, at) SELECT user_id, 'logged_out', at FROM auth_events WHERE user_id = 1";
    for _ in 0..5 {
        app.db().execute(insert);
    }
    // Inserted late, with an earlier time, as the cause of a mail is.
    app.db().execute(
        "INSERT INTO auth_events (user_id, kind, at) SELECT 1, 'password_reset_requested', min(created_at) FROM users",
    );
    app.db()
        .execute("UPDATE auth_events SET at = '2020-01-01 00:00:00.000000' WHERE kind = 'password_reset_requested'");
    app.db().execute("UPDATE auth_events SET user_agent = CAST(id AS text)");
    let events = all(&app, &tokens).await;
    assert_eq!(events.len(), 33);
    assert_eq!(events[32].kind, EventKind::PasswordResetRequested);
    let rows: Vec<i64> = events[..32].iter().map(|event| event.user_agent.as_ref().unwrap().parse().unwrap()).collect();
    assert!(rows.windows(2).all(|pair| pair[0] > pair[1]), "{rows:?}");
}

/// The id of a row counts the events of all accounts, failed sign-ins included.
async fn ids_do_not_reveal_how_many_events_others_have(database: Database) {
    let (app, tokens) = start(database).await;
    for _ in 0..24 {
        app.login(ADA).await;
    }
    let first = page(&app, &tokens, "").await;
    let shown: Vec<_> = all(&app, &tokens).await.iter().map(|event| event.id).collect();
    assert!(shown.iter().all(|id| *id > 1_000), "{shown:?}");
    let near = shown.windows(2).filter(|pair| (pair[0] - pair[1]).abs() < 1_000).count();
    assert_eq!(near, 0, "{shown:?}");
    let cursor = URL_SAFE_NO_PAD.decode(first.next.unwrap()).unwrap();
    let (_, id): (i64, i64) = serde_json::from_slice(&cursor).unwrap();
    assert_eq!(id, first.results.last().unwrap().id);
    let export = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await.json::<Value>();
    let exported: Vec<_> =
        export["events"].as_array().unwrap().iter().map(|event| event["id"].as_i64().unwrap()).collect();
    assert_eq!(exported[1..], shown, "the same, after the export itself");
}

async fn ids_change_with_the_key_and_cursors_stay_valid(database: Database) {
    let (app, tokens) = start(database).await;
    for _ in 0..24 {
        app.clock().advance(ONE_SECOND);
        app.login(ADA).await;
    }
    let (first, old) = (page(&app, &tokens, "").await, all(&app, &tokens).await);
    let builder = TestApp::builder_on(app.db().clone()).clock(app.clock());
    let builder = builder.set("SECRET_KEY", "another key, also of more than fifty characters in all");
    let changed = builder.set("SECRET_KEY_FALLBACKS", SECRET_KEY).start().await;
    let new = all(&changed, &tokens).await;
    assert!(old.iter().zip(&new).all(|(old, new)| old.id != new.id && (old.at, old.kind) == (new.at, new.kind)));
    let (known, cursor) = (first.results.len(), first.next.unwrap());
    let mut rest = page(&changed, &tokens, &format!("?cursor={cursor}")).await.results;
    // The last one of the page before may come twice.
    rest.retain(|event| event.at != first.results[known - 1].at);
    assert_eq!(rest, new[known..]);
}

async fn a_malformed_cursor_is_refused(database: Database) {
    let (app, tokens) = start(database).await;
    let encoded = |text| URL_SAFE_NO_PAD.encode(text);
    let odd = ["1", "x%00", "%FF", "AAAA", "../..", "' OR 1=1--", "WzAsMV0%3D", "null"].map(str::to_owned);
    let far =
        ["[9223372036854775807,1]", "[253402300800000000,1]", "[-1,1]", "[1]", "[1,2,3]", "[1.5,2]", "{}", "null"];
    for cursor in odd.into_iter().chain(far.map(encoded)) {
        let problem = ask(&app, &tokens, &format!("?cursor={cursor}")).await.invalid_fields(&["cursor"]);
        assert_eq!(problem.errors["cursor"].len(), 1);
    }
    // A well-formed cursor that was never issued is a position like any other.
    assert_eq!(page(&app, &tokens, &format!("?cursor={}", encoded("[0,9223372036854775807]"))).await.results, []);
    let first = page(&app, &tokens, "").await;
    assert_eq!(page(&app, &tokens, "?cursor=").await, first);
    assert_eq!(page(&app, &tokens, "?page=2&limit=1").await, first);
}

async fn a_user_sees_no_events_of_others(database: Database) {
    let (app, ada) = start(database).await;
    let eve = app.login(EVE).await;
    let events = all(&app, &eve).await;
    assert_eq!(events.len(), 1);
    let ids: Vec<_> = all(&app, &ada).await.iter().map(|event| event.id).collect();
    assert!(!ids.contains(&events[0].id));
    app.db().execute("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'logout'");
    ask(&app, &eve, "").await.unauthorized(Reason::SessionRevoked);
}

async fn a_kind_of_a_newer_program_is_shown_as_unknown(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().execute("UPDATE auth_events SET kind = 'passkey_added', detail = '{\"passkey\": 1}'");
    let events: Value = ask(&app, &tokens, "").await.json();
    assert_eq!((&events["results"][0]["kind"], &events["results"][0]["detail"]), (&json!("unknown"), &json!({})));
}

async fn a_correct_password_with_an_unconfirmed_address_is_recorded(database: Database) {
    let app = TestApp::builder(database).user(ADA).set("EMAIL_VERIFICATION", "mandatory").start().await;
    app.db().execute("UPDATE users SET email_verified_at = NULL");
    app.sign_in(ADA, PASSWORD).await.problem_of(403, Reason::EmailNotVerified);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'login_failed' AND user_id = 1"), 1);
}

/// The table in the document is the list of kinds.
#[test]
fn the_document_names_every_kind() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/security.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, part) = document.split_once("\n### Events\n").unwrap();
    let table = part.split("\n#").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let known: Vec<_> = EventKind::ALL.iter().copied().map(EventKind::as_str).collect();
    assert_eq!(
        rows.collect::<Vec<_>>(),
        known,
        "the table \"Events\" of docs/reference/security.md has a row for each kind, in the order of `EventKind`"
    );
}

//! The rows stored for an account are bounded, and so is the work that trims them.

use crate::support::{Database, ONE_SECOND, TestApp, TestResponse, on_both_databases, send};
use api::clock::Clock;
use api::service::events::retention::{EVENTS_OF_A_USER, EVENTS_WITHOUT_ACCOUNT, newest_event, prune_recent};
use api::service::sessions::login::MAX_SESSIONS;
use api::service::upkeep::prune::prune;
use api::store::known_networks;
use auth_types::responses::{SessionResponse, TokenResponse};
use auth_types::{Reason, UserId};
use chrono::Duration;
use reqwest::Method;
use serde_json::json;

on_both_databases![
    the_newest_ten_thousand_events_of_an_account_are_kept,
    an_account_with_many_new_events_is_trimmed_between_two_prunes,
    events_without_a_user_are_bounded,
    a_large_prune_does_not_block_writes,
    an_account_has_at_most_a_thousand_live_sessions_and_the_least_used_one_ends,
    an_account_above_the_limit_ends_all_its_sessions_at_once,
    an_account_keeps_the_hundred_networks_that_were_seen_last,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const TOO_MANY: u32 = 2_500;
const KEPT: u32 = 10_000;

async fn start(database: Database) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).user(ADA).user(EVE).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

async fn rename(app: &TestApp, tokens: &TokenResponse, name: &str) -> TestResponse {
    send(app.request_as(tokens, Method::PATCH, "/api/auth/me/").json(&json!({"display_name": name}))).await
}

fn events(app: &TestApp, user: UserId) -> i64 {
    app.db().number(&format!("SELECT count(*) FROM auth_events WHERE user_id = {user}"))
}

async fn the_newest_ten_thousand_events_of_an_account_are_kept(database: Database) {
    let (app, ada) = start(database).await;
    let eve = app.login(EVE).await;
    let before = app.clock().now() - Duration::days(1);
    app.db().add_events(Some(ada.user.id), before, TOO_MANY);
    app.db().add_events(Some(eve.user.id), before, KEPT - 1);
    // The newest by time and by id.
    app.db().add_events(Some(ada.user.id), app.clock().now(), KEPT - 1);
    prune(app.services()).await.unwrap();

    assert_eq!(EVENTS_OF_A_USER, i64::from(KEPT));
    assert_eq!(events(&app, ada.user.id), EVENTS_OF_A_USER);
    assert_eq!(events(&app, eve.user.id), EVENTS_OF_A_USER, "another account loses none");
    let old = format!("SELECT count(*) FROM auth_events WHERE user_id = {} AND at <= {}", ada.user.id, {
        app.db().instant(before)
    });
    assert_eq!(app.db().number(&old), 0, "the oldest are deleted");
}

async fn an_account_with_many_new_events_is_trimmed_between_two_prunes(database: Database) {
    let (app, ada) = start(database).await;
    let seen = newest_event(app.services()).await.unwrap();
    app.db().add_events(Some(ada.user.id), app.clock().now(), KEPT + TOO_MANY);
    let seen = prune_recent(app.services(), seen).await.unwrap();
    assert_eq!(events(&app, ada.user.id), EVENTS_OF_A_USER);

    for name in ["a", "b", "c"] {
        rename(&app, &ada, name).await.done();
    }
    assert_eq!(events(&app, ada.user.id), EVENTS_OF_A_USER + 3);
    let end = prune_recent(app.services(), seen).await.unwrap();
    assert_eq!(events(&app, ada.user.id), EVENTS_OF_A_USER);
    assert_eq!(end, newest_event(app.services()).await.unwrap());
    let newest = "SELECT kind FROM auth_events WHERE id = (SELECT max(id) FROM auth_events)";
    assert_eq!(app.db().value(newest).unwrap(), "profile_changed", "the newest stay");
}

async fn events_without_a_user_are_bounded(database: Database) {
    let (app, ada) = start(database).await;
    let bound = u32::try_from(EVENTS_WITHOUT_ACCOUNT).unwrap();
    app.db().add_events(None, app.clock().now(), bound + TOO_MANY);
    let newest = app.db().number("SELECT max(id) FROM auth_events");
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE user_id IS NULL"), EVENTS_WITHOUT_ACCOUNT);
    assert_eq!(app.db().number("SELECT max(id) FROM auth_events"), newest);
    assert_eq!(events(&app, ada.user.id), 1);
}

async fn a_large_prune_does_not_block_writes(database: Database) {
    let (app, ada) = start(database).await;
    let eve = app.login(EVE).await;
    app.db().add_events(Some(eve.user.id), app.clock().now(), KEPT + 6 * TOO_MANY);
    let renames = async {
        for number in 0..20 {
            rename(&app, &ada, &format!("Ada {number}")).await.done();
        }
    };
    let (pruned, ()) = tokio::join!(prune(app.services()), renames);
    pruned.unwrap();
    assert_eq!(events(&app, eve.user.id), EVENTS_OF_A_USER);
    assert_eq!(events(&app, ada.user.id), 21);
}

async fn an_account_has_at_most_a_thousand_live_sessions_and_the_least_used_one_ends(database: Database) {
    let (app, oldest) = start(database).await;
    let live = || app.db().number("SELECT count(*) FROM sessions WHERE user_id = 1 AND revoked_at IS NULL");
    app.clock().advance(ONE_SECOND);
    app.db().add_sessions(oldest.user.id, app.clock().now(), u32::try_from(MAX_SESSIONS - 1).unwrap());
    app.me(&oldest).await.done();
    assert_eq!(live(), MAX_SESSIONS);
    app.clock().advance(ONE_SECOND);
    let newest = app.login(ADA).await;

    assert_eq!(live(), MAX_SESSIONS);
    app.me(&oldest).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&oldest).await.unauthorized(Reason::SessionRevoked);
    let listed: Vec<SessionResponse> = app.sessions(&newest).await.json();
    assert_eq!(listed.len(), usize::try_from(MAX_SESSIONS).unwrap());
    assert!(listed.iter().any(|session| session.current));
    let ended = "SELECT count(*) FROM sessions WHERE revoke_reason = 'too_many'";
    assert_eq!(app.db().number(ended), 1);
}

/// An older release had no limit.
async fn an_account_above_the_limit_ends_all_its_sessions_at_once(database: Database) {
    let (app, tokens) = start(database).await;
    app.db().add_sessions(tokens.user.id, app.clock().now() - ONE_SECOND, 6_000);
    let listed: Vec<SessionResponse> = app.sessions(&tokens).await.json();
    assert_eq!(listed.len(), usize::try_from(MAX_SESSIONS).unwrap());
    let ended = app.logout_all(&tokens).await;
    ended.has_status(200);
    assert_eq!(ended.json::<serde_json::Value>()["revoked"], 6_001);
}

async fn an_account_keeps_the_hundred_networks_that_were_seen_last(database: Database) {
    let (app, tokens) = start(database).await;
    let (user, now) = (tokens.user.id, app.clock().now());
    let noted = app.services().store.write(move |connection| {
        for number in 0..150_i32 {
            let network = format!("2001:db8:0:{number:x}::/64");
            known_networks::remember(connection, user, &network, now + ONE_SECOND * (number + 1))?;
        }
        Ok(())
    });
    noted.await.unwrap();
    let kept = app.db().texts("SELECT network AS value FROM known_networks ORDER BY seen_at");
    assert_eq!(kept.len(), 100);
    assert_eq!((kept[0].as_str(), kept[99].as_str()), ("2001:db8:0:32::/64", "2001:db8:0:95::/64"));
}

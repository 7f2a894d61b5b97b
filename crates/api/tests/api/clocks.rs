//! A process that knows that its clock is wrong does nothing irreversible by it.

use crate::support::{
    Database, ManualClock, PASSWORD, Process, ShiftedClock, TestApp, TestDb, TestResponse, create_user, eventually,
    forge, hold_hashing, on_both_databases, send,
};
use api::service::accounts::register::compare_clocks_and_create;
use api::service::limits::Budget;
use api::service::mail::deliver_due;
use api::service::{CommonError, Error};
use auth_types::requests::RegisterRequest;
use auth_types::responses::{PendingRegistrationResponse, TokenResponse};
use auth_types::{Reason, Role};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::Arc;

on_both_databases![
    tokens_that_have_expired_only_by_a_wrong_clock_get_a_503,
    no_cookies_are_cleared_by_a_wrong_clock,
    what_has_expired_is_not_accepted_by_a_clock_behind,
    links_that_have_expired_only_by_a_wrong_clock_get_a_503,
    tokens_and_links_that_have_expired_by_a_right_clock_are_refused_for_good,
    a_jump_is_noticed_before_the_clocks_are_compared_again,
    tabs_that_race_at_a_process_whose_clock_is_wrong_end_no_session,
    a_revocation_by_a_process_whose_clock_is_wrong_reaches_the_others,
    a_step_recorded_by_a_wrong_clock_is_repeated_elsewhere,
    a_step_whose_session_a_wrong_clock_takes_for_expired_is_not_forgotten,
    no_step_is_done_twice_when_the_clock_is_right_again_during_its_repetition,
    no_mail_is_sent_or_given_up_by_a_wrong_clock,
    a_mail_in_transmission_is_not_lost_when_the_clock_jumps,
    the_difference_is_a_metric,
    no_operator_creates_an_account_by_a_wrong_clock,
    no_session_starts_or_rotates_by_a_wrong_clock,
    nothing_is_dated_by_a_clock_that_jumps_while_a_password_is_hashed,
    a_sign_up_that_a_jump_of_the_clock_refuses_takes_no_attempt,
    no_session_starts_or_rotates_by_a_clock_that_jumps_during_the_request,
    no_link_is_taken_by_a_clock_that_jumps_during_the_request,
    tabs_that_race_at_processes_with_a_tolerated_difference_keep_their_session,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const NEW_PASSWORD: &str = "amber lighthouse window 17";
const KEY: &str = "0b7c1f0e-5d0b-4c8e-9a53-6f1f7e0a7a11";
/// Longer than a session, a link and an access token live.
const EIGHT_DAYS: Duration = Duration::days(8);

/// A process on `db` whose clock is `ahead`, and which has compared it.
async fn process(db: &Arc<TestDb>, ahead: Duration) -> TestApp {
    process_with(db, ahead, &[]).await
}

async fn process_with(db: &Arc<TestDb>, ahead: Duration, variables: &[(&str, &str)]) -> TestApp {
    let clock = Arc::new(ManualClock::running(ahead));
    let builder = TestApp::builder_on(Arc::clone(db)).clock(&clock);
    let app = variables.iter().fold(builder, |builder, (name, value)| builder.set(name, *value)).start().await;
    app.compare_clocks().await;
    app.poll_revocations().await;
    app
}

/// Signs in at a process whose clock is `ahead`, and which has not compared it yet.
async fn login_ahead(db: &Arc<TestDb>, ahead: Duration) -> TokenResponse {
    let clock = Arc::new(ManualClock::running(ahead));
    TestApp::builder_on(Arc::clone(db)).clock(&clock).start().await.login(ADA).await
}

async fn sign_up(app: &TestApp, email: &str) -> TestResponse {
    let request = app.request(Method::POST, "/api/auth/register/").header("Idempotency-Key", KEY);
    let request = request.header("X-Forwarded-For", "203.0.113.9");
    send(request.json(&json!({"email": email, "password": PASSWORD}))).await
}

/// A process whose clock is right, with an account, and one whose clock is `ahead`.
async fn right_and_wrong(database: Database, ahead: Duration) -> (TestApp, TestApp) {
    let db = Arc::new(TestDb::migrated(database));
    let right = process(&db, Duration::zero()).await;
    let wrong = process(&db, ahead).await;
    sign_up(&right, ADA).await.created();
    right.deliver_mail().await;
    (right, wrong)
}

#[track_caller]
fn refused_temporarily(response: TestResponse) {
    assert!(!response.header("retry-after").is_empty(), "{}", response.text());
    assert!(response.headers.get("set-cookie").is_none(), "cookies are cleared");
    response.problem_of(503, Reason::Unavailable);
}

fn new_password() -> Value {
    json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})
}

async fn change(app: &TestApp, tokens: &TokenResponse) -> TestResponse {
    let change = app.request_as(tokens, Method::POST, "/api/auth/password/change/").header("Idempotency-Key", KEY);
    send(change.json(&new_password())).await
}

async fn delete(app: &TestApp, tokens: &TokenResponse) -> TestResponse {
    let deletion = app.request_as(tokens, Method::DELETE, "/api/auth/me/").header("Idempotency-Key", KEY);
    send(deletion.json(&json!({"password": PASSWORD}))).await
}

async fn tokens_that_have_expired_only_by_a_wrong_clock_get_a_503(database: Database) {
    let (right, wrong) = right_and_wrong(database, EIGHT_DAYS).await;
    let tokens = right.login(ADA).await;
    for response in [
        wrong.me(&tokens).await,
        wrong.sessions(&tokens).await,
        wrong.logout_all(&tokens).await,
        wrong.verify(&tokens.access).await,
        wrong.verify(&tokens.refresh).await,
        wrong.refresh(&tokens).await,
        wrong.refresh_with_key(&tokens, "one").await,
        change(&wrong, &tokens).await,
    ] {
        refused_temporarily(response);
    }
    // Only the session has expired: the access token was issued by a clock that is ahead.
    let sid = forge::claims(&tokens.access)["sid"].clone();
    let later = login_ahead(right.db(), EIGHT_DAYS).await;
    let mixed = TokenResponse { access: forge::sign_claims(&forge::claims_with(&later.access, "sid", sid)), ..later };
    refused_temporarily(wrong.me(&mixed).await);
    right.me(&tokens).await.done();
    right.refresh(&tokens).await.tokens();
}

/// By its clock the tokens and the session have ten seconds left.
async fn what_has_expired_is_not_accepted_by_a_clock_behind(database: Database) {
    let (right, wrong) = right_and_wrong(database, Duration::seconds(-20)).await;
    let tokens = right.login(ADA).await;
    wrong.me(&tokens).await.done();
    let expired = |token: &str| {
        let mut claims = forge::claims(token);
        let now = claims["iat"].as_i64().unwrap();
        claims["iat"] = json!(now - 60);
        claims["exp"] = json!(now - 10);
        forge::sign_claims(&claims)
    };
    let access = expired(&tokens.access);
    let rename = |app: &TestApp| {
        let request = app.request(Method::PATCH, "/api/auth/me/").bearer_auth(&access);
        send(request.json(&json!({"display_name": "Ada"})))
    };
    refused_temporarily(rename(&wrong).await);
    rename(&right).await.unauthorized(Reason::TokenExpired);
    for token in [&access, &expired(&tokens.refresh)] {
        refused_temporarily(wrong.verify(token).await);
        right.verify(token).await.unauthorized(Reason::TokenExpired);
    }
    right.db().execute("UPDATE sessions SET expires_at = created_at");
    refused_temporarily(wrong.me(&tokens).await);
    right.me(&tokens).await.unauthorized(Reason::SessionExpired);
}

async fn no_cookies_are_cleared_by_a_wrong_clock(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let cookies = [("TOKEN_TRANSPORT", "cookie")];
    let right = process_with(&db, Duration::zero(), &cookies).await;
    let wrong = process_with(&db, EIGHT_DAYS, &cookies).await;
    let registered = sign_up(&right, ADA).await;
    let csrf = registered.json::<Value>()["csrf_token"].as_str().unwrap().to_owned();
    let sent: Vec<_> = registered.headers.get_all("set-cookie").iter().collect();
    let sent: Vec<_> = sent.iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    let refresh = async |app: &TestApp| {
        let request = app.request(Method::POST, "/api/auth/refresh/").header("Cookie", sent.join("; "));
        send(request.header("X-CSRF-Token", &csrf).json(&json!({}))).await
    };
    refused_temporarily(refresh(&wrong).await);
    refresh(&right).await.has_status(200);
}

async fn links_that_have_expired_only_by_a_wrong_clock_get_a_503(database: Database) {
    for ahead in [EIGHT_DAYS, -EIGHT_DAYS] {
        links_get_a_503_by_a_clock_that_is(ahead, database).await;
    }
}

/// By a clock that is behind, a link that expired days ago would work.
async fn links_get_a_503_by_a_clock_that_is(ahead: Duration, database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let mandatory = [("EMAIL_VERIFICATION", "mandatory")];
    let right = process_with(&db, Duration::zero(), &mandatory).await;
    let wrong = process_with(&db, ahead, &mandatory).await;
    let verify = async |app: &TestApp, body: &Value| app.post("/api/auth/email/verify/", body).await;
    let reset = async |app: &TestApp, body: &Value| app.post("/api/auth/password/reset/confirm/", body).await;

    // The link of a sign-up.
    let pending: PendingRegistrationResponse = sign_up(&right, ADA).await.json();
    let token = right.deliver_one_mail().await.token();
    let confirm = json!({"token": token, "registration": pending.registration});
    refused_temporarily(verify(&wrong, &confirm).await);
    refused_temporarily(verify(&wrong, &json!({"token": token, "reject": true})).await);
    let tokens: TokenResponse = verify(&right, &confirm).await.created();

    // The link of a reset.
    right.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
    let new = json!({"token": right.deliver_one_mail().await.token(), "new_password": PASSWORD});
    refused_temporarily(reset(&wrong, &new).await);

    // The link of an address change.
    let change = json!({"new_email": EVE, "password": PASSWORD});
    send(right.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&change)).await.has_status(202);
    let mails = right.deliver_mail().await;
    let link = mails.iter().find(|mail| mail.to == EVE).unwrap();
    let confirm = json!({"token": link.token()});
    refused_temporarily(verify(&wrong, &confirm).await);

    reset(&right, &new).await.done();
    verify(&right, &json!({"token": "no token of ours"})).await.problem_of(400, Reason::LinkNotValid);
}

async fn tokens_and_links_that_have_expired_by_a_right_clock_are_refused_for_good(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let app = TestApp::builder_on(db).clock(&Arc::new(ManualClock::running(-EIGHT_DAYS))).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    app.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
    let new = json!({"token": app.deliver_one_mail().await.token(), "new_password": PASSWORD});
    app.clock().run(Duration::seconds(3)); // a tolerated difference
    app.compare_clocks().await;
    app.me(&tokens).await.unauthorized(Reason::TokenExpired);
    app.verify(&tokens.refresh).await.unauthorized(Reason::TokenExpired);
    app.refresh(&tokens).await.unauthorized(Reason::SessionExpired);
    app.post("/api/auth/password/reset/confirm/", &new).await.problem_of(400, Reason::LinkNotValid);
    app.poll_revocations().await;
    app.get("/readyz").await.has_status(200);
}

async fn a_jump_is_noticed_before_the_clocks_are_compared_again(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let app = process(&db, Duration::zero()).await;
    sign_up(&app, ADA).await.created();
    let tokens = app.login(ADA).await;
    app.clock().run(EIGHT_DAYS);
    refused_temporarily(app.refresh(&tokens).await);
    refused_temporarily(app.me(&tokens).await);
    assert!(app.deliver_mail().await.is_empty());
    app.clock().run(Duration::zero());
    assert_eq!(app.deliver_mail().await.len(), 1);
    app.refresh(&tokens).await.tokens();
}

/// Two tabs of a client that knows no keys; the second one's request comes to a process whose clock is two minutes ahead.
async fn tabs_that_race_at_a_process_whose_clock_is_wrong_end_no_session(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let limited = [("RATE_LIMITS", "on"), ("TRUSTED_PROXY_HOPS", "1")];
    let right = process_with(&db, Duration::zero(), &limited).await;
    let wrong = process_with(&db, Duration::minutes(2), &limited).await;
    sign_up(&right, ADA).await.created();
    let first = right.login(ADA).await;
    let second = right.refresh(&first).await.tokens();
    refused_temporarily(wrong.refresh(&first).await);
    let third = right.refresh(&second).await.tokens();
    // Long after both rotations this is no race.
    let long_ago = "'2026-01-01 00:00:00.000000'";
    db.execute(&format!("UPDATE sessions SET rotated_at = {long_ago}, previous_rotated_at = {long_ago}"));
    right.refresh(&first).await.unauthorized(Reason::RefreshReused);
    right.refresh(&third).await.unauthorized(Reason::SessionRevoked);
}

async fn a_revocation_by_a_process_whose_clock_is_wrong_reaches_the_others(database: Database) {
    // Less behind than an access token lives: by the database's clock, the caller's must not have expired.
    for ahead in [Duration::seconds(-130), Duration::minutes(-30), EIGHT_DAYS] {
        let (right, wrong) = right_and_wrong(database, ahead).await;
        let [first, second, third] = [right.login(ADA).await, right.login(ADA).await, right.login(ADA).await];
        wrong.logout(&first).await.done();
        // A request of a caller needs a token that is valid at that process.
        let caller = login_ahead(right.db(), ahead).await;
        let id = forge::claims(&second.access)["sid"].as_str().unwrap().to_owned();
        let end = wrong.request_as(&caller, Method::DELETE, &format!("/api/auth/sessions/{id}/"));
        send(end).await.has_status(204);
        right.verify(&first.access).await.done();
        right.poll_revocations().await;
        right.verify(&first.access).await.unauthorized(Reason::SessionRevoked);
        right.verify(&second.access).await.unauthorized(Reason::SessionRevoked);
        wrong.logout_all(&caller).await.done();
        right.poll_revocations().await;
        right.verify(&third.access).await.unauthorized(Reason::SessionRevoked);

        // In the other direction, it learns from the database which sessions others have revoked.
        let fourth = right.login(ADA).await;
        right.logout(&fourth).await.done();
        wrong.poll_revocations().await;
        let session = serde_json::from_value(forge::claims(&fourth.access)["sid"].clone()).unwrap();
        assert!(wrong.services().feed.is_revoked(session), "{ahead}");
    }
}

async fn a_step_recorded_by_a_wrong_clock_is_repeated_elsewhere(database: Database) {
    for ahead in [Duration::minutes(2), Duration::minutes(-12)] {
        let (right, wrong) = right_and_wrong(database, ahead).await;
        let tokens = login_ahead(right.db(), ahead).await;
        delete(&wrong, &tokens).await.has_status(204);
        right.poll_revocations().await;
        // The tokens were issued by that clock; the step's age is measured by the database's.
        right.clock().run(ahead.max(Duration::zero()));
        right.compare_clocks().await;
        delete(&right, &tokens).await.has_status(204);
    }
}

/// The step has a result, and only the clock withholds it.
async fn a_step_whose_session_a_wrong_clock_takes_for_expired_is_not_forgotten(database: Database) {
    let (right, wrong) = right_and_wrong(database, EIGHT_DAYS).await;
    let first = sign_up(&right, EVE).await.created();
    refused_temporarily(sign_up(&wrong, EVE).await);
    let again = sign_up(&right, EVE).await.created();
    assert_eq!(again.refresh, first.refresh);
}

/// Wherever the clock is wrong during the repetition, and however briefly.
async fn no_step_is_done_twice_when_the_clock_is_right_again_during_its_repetition(database: Database) {
    let (_, app) = right_and_wrong(database, Duration::zero()).await;
    let old = app.login(ADA).await;
    let changed = change(&app, &old).await.tokens();
    for during in 1..=3 {
        at_each_jump(&app, Jump { during, ahead: EIGHT_DAYS }, async |_| {
            let response = change(&app, &old).await;
            if response.status == 503 {
                refused_temporarily(response);
            } else {
                assert_eq!(response.tokens().refresh, changed.refresh);
            }
        })
        .await;
    }
    assert_eq!(app.db().number("SELECT count(*) FROM completed_steps"), 2);
}

async fn no_mail_is_sent_or_given_up_by_a_wrong_clock(database: Database) {
    for ahead in [EIGHT_DAYS, Duration::hours(-2)] {
        let (right, wrong) = right_and_wrong(database, ahead).await;
        for _ in 0..3 {
            right.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
        }
        assert!(wrong.deliver_mail().await.is_empty());
        assert_eq!(right.db().number("SELECT count(*) FROM mail_outbox WHERE attempts = 0"), 3);
        assert_eq!(right.db().number("SELECT count(*) FROM one_time_tokens WHERE purpose = 'reset_password'"), 0);
        assert_eq!(right.deliver_mail().await.len(), 3);
        // Mail that the process has queued itself waits until its clock is right.
        wrong.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
        assert!(wrong.deliver_mail().await.is_empty());
        wrong.clock().run(Duration::zero());
        assert_eq!(wrong.deliver_mail().await.len(), 1);
    }
}

/// By the new time of the process, the mail is too old to be of use, or its next attempt is due after that.
async fn a_mail_in_transmission_is_not_lost_when_the_clock_jumps(database: Database) {
    for jump in [EIGHT_DAYS, Duration::hours(1), Duration::minutes(50), Duration::hours(-2)] {
        let db = Arc::new(TestDb::migrated(database));
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", server.local_addr().unwrap());
        let app = process_with(&db, Duration::zero(), &[("EMAIL_URL", &url)]).await;
        sign_up(&app, ADA).await.created();
        let clock = Arc::clone(app.clock());
        let hang_up = std::thread::spawn(move || {
            let _client = server.accept().unwrap();
            clock.run(jump);
        });
        deliver_due(app.services()).await.unwrap();
        hang_up.join().unwrap();
        assert_eq!(db.number("SELECT count(*) FROM mail_outbox WHERE attempts = 1"), 1, "{jump}");
        // The lease ends after two minutes. This process has not compared its clock.
        let later = Arc::new(ManualClock::running(Duration::minutes(2)));
        let later = TestApp::builder_on(db).clock(&later).start().await;
        assert_eq!(later.deliver_mail().await.len(), 1, "{jump}");
    }
}

async fn the_difference_is_a_metric(database: Database) {
    let token = [("METRICS_TOKEN", "a-token-for-the-operators-eyes")];
    let app = process_with(&Arc::new(TestDb::migrated(database)), Duration::hours(-2), &token).await;
    let scrape = app.request(Method::GET, "/metrics").bearer_auth("a-token-for-the-operators-eyes");
    let text = send(scrape).await.text();
    let line = text.lines().find_map(|line| line.strip_prefix("latchkey_clock_skew_seconds "));
    let skew: f64 = line.unwrap().parse().unwrap();
    assert!((-7_210.0..=-7_190.0).contains(&skew), "{skew}");
}

/// The real program, on a machine whose clock is wrong. That is logged once, before anything is done by it.
#[actix_web::test]
async fn a_process_that_starts_with_a_wrong_clock_does_nothing_by_it() {
    let db = TestDb::migrated(Database::Postgres);
    create_user(&db, ADA);
    let right = Process::start(db.url());
    let tokens = right.login(ADA).await;
    let clock = ShiftedClock::ahead(Duration::days(500)); // by which sessions and events are to be deleted
    let wrong = Process::start_with(db.url(), &clock.variables());
    wrong.live_log().wait_for("prune.clock: nothing is deleted");
    wrong.live_log().wait_for("clock.wrong: ");
    assert!(wrong.get("/readyz").await.text().contains("\"clock\":\"differs from the database's by "));
    wrong.refresh(&tokens, None).await.problem_of(503, Reason::Unavailable);
    wrong.me(&tokens).await.problem_of(503, Reason::Unavailable);
    assert_eq!(db.number("SELECT count(*) FROM sessions"), 1);
    assert_eq!(db.number("SELECT count(*) FROM auth_events"), 1);

    clock.set(Duration::zero());
    wrong.live_log().wait_for("clock.right: ");
    wrong.wait_until_ready().await;
    let tokens = wrong.refresh(&tokens, None).await.tokens();
    right.me(&tokens).await.done();
    assert_eq!(wrong.whole_log().await.iter().filter(|line| line.contains("clock.wrong")).count(), 1);
}

/// On SQLite, too, where the clocks agree again as soon as they are compared.
#[actix_web::test]
async fn a_jump_of_this_machines_clock_is_logged_once() {
    let db = TestDb::migrated(Database::Sqlite);
    let clock = ShiftedClock::ahead(Duration::zero());
    let process = Process::start_with(db.url(), &clock.variables());
    process.wait_until_ready().await;
    clock.set(Duration::hours(1));
    process.live_log().wait_for("clock.wrong: ");
    process.live_log().wait_for("clock.right: ");
    assert_eq!(process.whole_log().await.iter().filter(|line| line.contains("clock.wrong")).count(), 1);
}

/// Its times would be wrong for every other process, and could not be corrected.
async fn no_session_starts_or_rotates_by_a_wrong_clock(database: Database) {
    for ahead in [EIGHT_DAYS, -EIGHT_DAYS, Duration::minutes(1), -Duration::minutes(1)] {
        let (right, wrong) = right_and_wrong(database, ahead).await;
        let tokens = right.login(ADA).await;
        refused_temporarily(wrong.sign_in(ADA, PASSWORD).await);
        refused_temporarily(sign_up(&wrong, EVE).await);
        refused_temporarily(change(&wrong, &tokens).await);
        refused_temporarily(wrong.refresh_with_key(&tokens, "one").await);
        refused_temporarily(wrong.refresh(&tokens).await);
        right.refresh(&tokens).await.tokens();
    }
}

/// The clock was right when the request came.
async fn nothing_is_dated_by_a_clock_that_jumps_while_a_password_is_hashed(database: Database) {
    let (right, app) = right_and_wrong(database, Duration::zero()).await;
    let tokens = right.login(ADA).await;
    let create: RegisterRequest = serde_json::from_value(json!({"email": EVE, "password": PASSWORD})).unwrap();
    for jump in [Duration::days(400), -EIGHT_DAYS] {
        right.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
        let token = right.deliver_one_mail().await.token();
        let reset = json!({"token": token, "new_password": NEW_PASSWORD});
        refused_temporarily(with_a_jump(&app, jump, app.sign_in(ADA, PASSWORD)).await);
        refused_temporarily(with_a_jump(&app, jump, sign_up(&app, EVE)).await);
        refused_temporarily(with_a_jump(&app, jump, change(&app, &tokens)).await);
        refused_temporarily(with_a_jump(&app, jump, app.post("/api/auth/password/reset/confirm/", &reset)).await);
        let created = with_a_jump(&app, jump, compare_clocks_and_create(app.services(), &create, Role::User)).await;
        assert!(matches!(created, Err(Error::Common(CommonError::Clock(_)))), "{created:?}");
    }
    assert_eq!(app.db().number("SELECT count(*) FROM users"), 1);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 2, "of the sign-up and of the sign-in");
    right.refresh(&tokens).await.tokens();
}

/// The client repeats it.
async fn a_sign_up_that_a_jump_of_the_clock_refuses_takes_no_attempt(database: Database) {
    let limited = [("RATE_LIMITS", "on"), ("TRUSTED_PROXY_HOPS", "1")];
    let app = process_with(&Arc::new(TestDb::migrated(database)), Duration::zero(), &limited).await;
    for _ in 0..Budget::SignUpClient.rule().quota {
        refused_temporarily(with_a_jump(&app, Duration::minutes(1), sign_up(&app, ADA)).await);
    }
    sign_up(&app, ADA).await.created();
}

/// Sends a request whose password waits to be hashed while the clock jumps. Afterwards the clock is right again.
async fn with_a_jump<T>(app: &TestApp, jump: Duration, request: impl Future<Output = T>) -> T {
    let held = hold_hashing(app, 0).await;
    let interfere = async {
        let waits = async || (app.services().hashing.load().0 > 0).then_some(());
        eventually("the password waits to be hashed", waits).await;
        app.clock().run(jump);
        drop(held);
    };
    let (response, ()) = tokio::join!(request, interfere);
    app.clock().run(Duration::zero());
    response
}

/// Whenever it jumps, the tokens are good at a process whose clock is right, or none are issued.
async fn no_session_starts_or_rotates_by_a_clock_that_jumps_during_the_request(database: Database) {
    let (right, app) = right_and_wrong(database, Duration::zero()).await;
    let mut tokens = right.login(ADA).await;
    for jump in [Duration::days(400), -EIGHT_DAYS] {
        at_each_reading(&app, jump, async |_| {
            tokens_or_503(&right, app.sign_in(ADA, PASSWORD).await).await;
        })
        .await;
        at_each_reading(&app, jump, async |number| {
            tokens_or_503(&right, sign_up(&app, &format!("eve{}{number}@example.com", jump.num_days())).await).await;
        })
        .await;
        at_each_reading(&app, jump, async |_| {
            tokens = tokens_or_503(&right, app.refresh(&tokens).await).await.unwrap_or_else(|| tokens.clone());
        })
        .await;
    }
    right.refresh(&tokens).await.tokens();
}

/// By the time after the jump, the expired links would work.
async fn no_link_is_taken_by_a_clock_that_jumps_during_the_request(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let mandatory = ("EMAIL_VERIFICATION", "mandatory");
    let clock = Arc::new(ManualClock::running(-Duration::hours(25)));
    let builder = TestApp::builder_on(Arc::clone(&db)).set(mandatory.0, mandatory.1).clock(&clock);
    let yesterday = builder.user(ADA).start().await;
    yesterday.post("/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
    let reset = json!({"token": yesterday.deliver_one_mail().await.token(), "new_password": NEW_PASSWORD});
    let pending: PendingRegistrationResponse = sign_up(&yesterday, EVE).await.json();
    let token = yesterday.deliver_one_mail().await.token();
    let confirm = json!({"token": token, "registration": pending.registration});
    let app = process_with(&db, Duration::zero(), &[mandatory]).await;
    for (path, link) in [("/api/auth/password/reset/confirm/", reset), ("/api/auth/email/verify/", confirm)] {
        at_each_reading(&app, -EIGHT_DAYS, async |_| {
            let response = app.post(path, &link).await;
            match response.status.as_u16() {
                503 => refused_temporarily(response),
                _ => drop(response.problem_of(400, Reason::LinkNotValid)),
            }
        })
        .await;
    }
}

/// Sends a request for each reading of the clock that it makes: the clock jumps just before that reading.
async fn at_each_reading(app: &TestApp, ahead: Duration, send: impl AsyncFnMut(u32)) {
    at_each_jump(app, Jump { during: u32::MAX, ahead }, send).await;
}

/// A jump of the clock for so many readings.
#[derive(Clone, Copy)]
struct Jump {
    during: u32,
    ahead: Duration,
}

/// Sends a request for each reading of the clock that it makes: the clock jumps just before that reading, and is right again later.
async fn at_each_jump(app: &TestApp, jump: Jump, mut send: impl AsyncFnMut(u32)) {
    for number in 0.. {
        app.clock().jump_between(number, jump.during, jump.ahead);
        send(number).await;
        let has_jumped = app.clock().has_jumped();
        app.clock().run(Duration::zero());
        if !has_jumped {
            assert!(number > 0, "it reads the clock");
            return;
        }
    }
}

/// The next tokens of the session that a response opens or continues, or `None` for a 503.
async fn tokens_or_503(right: &TestApp, response: TestResponse) -> Option<TokenResponse> {
    if response.status == 503 {
        refused_temporarily(response);
        return None;
    }
    assert!(response.status.is_success(), "{}", response.text());
    let tokens: TokenResponse = response.json();
    right.me(&tokens).await.done();
    Some(right.refresh(&tokens).await.tokens())
}

/// Two tabs of a client that knows no keys, at two processes that are both ready.
async fn tabs_that_race_at_processes_with_a_tolerated_difference_keep_their_session(database: Database) {
    let limited = [("RATE_LIMITS", "on"), ("TRUSTED_PROXY_HOPS", "1")];
    for (one, other) in [(0, 4), (4, 0), (-2, 2)] {
        let db = Arc::new(TestDb::migrated(database));
        let one = process_with(&db, Duration::seconds(one), &limited).await;
        let other = process_with(&db, Duration::seconds(other), &limited).await;
        sign_up(&one, ADA).await.created();
        let first = one.login(ADA).await;
        let second = one.refresh(&first).await.tokens();
        assert_eq!(other.refresh(&first).await.tokens().refresh, second.refresh);
        let third = other.refresh(&second).await.tokens();
        assert_eq!(one.refresh(&second).await.tokens().refresh, third.refresh);
    }
}

/// `api create-user` is a process of its own, which has not compared its clock.
async fn no_operator_creates_an_account_by_a_wrong_clock(database: Database) {
    let db = Arc::new(TestDb::migrated(database));
    let request: RegisterRequest = serde_json::from_value(json!({"email": ADA, "password": PASSWORD})).unwrap();
    for ahead in [EIGHT_DAYS, -EIGHT_DAYS] {
        let clock = Arc::new(ManualClock::running(ahead));
        let app = TestApp::builder_on(Arc::clone(&db)).clock(&clock).start().await;
        let created = compare_clocks_and_create(app.services(), &request, Role::Admin).await;
        assert!(matches!(created, Err(Error::Common(CommonError::Clock(_)))), "{created:?}");
        assert_eq!(db.number("SELECT count(*) FROM users"), 0);
    }
    let app = process(&db, Duration::zero()).await;
    compare_clocks_and_create(app.services(), &request, Role::Admin).await.unwrap();
    app.login(ADA).await;
}

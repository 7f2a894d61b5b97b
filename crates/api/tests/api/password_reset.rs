//! A forgotten password: a mailed link sets a new one.

use crate::support::{Database, ONE_SECOND, PASSWORD, TestApp, TestResponse, on_both_databases};
use api::service::upkeep::prune::prune;
use auth_types::Reason;
use auth_types::requests::{LoginRequest, RegisterRequest};
use chrono::Duration;
use serde_json::{Value, json};

on_both_databases![
    a_mailed_link_sets_a_new_password_and_ends_every_session,
    a_link_works_once,
    a_link_expires_after_an_hour,
    a_newer_link_ends_the_older_one,
    a_link_for_another_purpose_resets_nothing,
    a_refused_password_leaves_the_link_valid,
    of_one_hundred_concurrent_uses_of_a_link_one_succeeds,
    known_and_unknown_addresses_get_the_same_response_after_the_same_work,
    an_inactive_account_gets_no_link_and_its_links_are_refused,
    sign_ins_that_race_a_reset_leave_no_session,
    a_link_is_stored_as_a_hash_and_deleted_eventually,
];

const ADA: &str = "ada@example.com";
const NEW_PASSWORD: &str = "amber lighthouse window 17";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).user(ADA).start().await
}

async fn request_reset(app: &TestApp, email: &str) -> TestResponse {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await
}

async fn mailed_token(app: &TestApp) -> String {
    request_reset(app, ADA).await.has_status(202);
    app.deliver_one_mail().await.token()
}

async fn confirm(app: &TestApp, token: &str, new_password: &str) -> TestResponse {
    let body = json!({"token": token, "new_password": new_password});
    app.post("/api/auth/password/reset/confirm/", &body).await
}

async fn a_mailed_link_sets_a_new_password_and_ends_every_session(database: Database) {
    let app = TestApp::builder(database).start().await;
    let request = RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    let (first, second) = (app.register(&request).await.created(), app.login(ADA).await);
    app.deliver_mail().await; // the link that confirms the address
    request_reset(&app, " ADA@Example.com ").await.has_status(202);
    let mail = app.deliver_one_mail().await;
    assert_eq!(mail.to, ADA);
    assert!(mail.text.contains("http://127.0.0.1:8080/reset-password#token="), "{}", mail.text);

    let response = confirm(&app, &mail.token(), NEW_PASSWORD).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({}));
    for tokens in [&first, &second] {
        app.verify(&tokens.access).await.unauthorized(Reason::SessionRevoked);
        app.refresh(tokens).await.unauthorized(Reason::SessionRevoked);
    }
    app.sign_in(ADA, PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    let user = app.sign_in(ADA, NEW_PASSWORD).await.tokens().user;
    assert!(user.email_verified, "following the link confirms the address");
    let notice = app.deliver_one_mail().await;
    assert_eq!((notice.to.as_str(), notice.subject.as_str()), (ADA, "Your password was changed"));
    let kinds = "SELECT count(*) FROM auth_events WHERE kind IN ('password_reset_requested', 'password_reset')";
    assert_eq!(app.db().number(kinds), 2);
}

async fn a_link_works_once(database: Database) {
    let app = start(database).await;
    let token = mailed_token(&app).await;
    confirm(&app, &token, NEW_PASSWORD).await.done();
    let spent = confirm(&app, &token, PASSWORD).await.problem_of(400, Reason::LinkNotValid);
    for unknown in ["", "x", &"A".repeat(43), &token.to_uppercase(), &format!("{token}="), &"x".repeat(60_000)] {
        let problem = confirm(&app, unknown, PASSWORD).await.problem_of(400, Reason::LinkNotValid);
        assert_eq!(problem.detail, spent.detail, "the cause is not shown");
    }
    app.sign_in(ADA, NEW_PASSWORD).await.tokens();
}

async fn a_link_expires_after_an_hour(database: Database) {
    let app = start(database).await;
    let (in_time, late) = (mailed_token(&app).await, Duration::hours(1));
    app.clock().advance(late - ONE_SECOND);
    confirm(&app, &in_time, NEW_PASSWORD).await.done();
    app.deliver_mail().await;

    let token = mailed_token(&app).await;
    app.clock().advance(late);
    confirm(&app, &token, PASSWORD).await.problem_of(400, Reason::LinkNotValid);
}

async fn a_newer_link_ends_the_older_one(database: Database) {
    let app = start(database).await;
    let (older, newer) = (mailed_token(&app).await, mailed_token(&app).await);
    confirm(&app, &older, NEW_PASSWORD).await.problem_of(400, Reason::LinkNotValid);
    confirm(&app, &newer, NEW_PASSWORD).await.done();
}

async fn a_link_for_another_purpose_resets_nothing(database: Database) {
    let app = TestApp::builder(database).start().await;
    let request = RegisterRequest { email: ADA.to_owned(), password: PASSWORD.to_owned(), ..Default::default() };
    app.register(&request).await.created();
    let verify = app.deliver_one_mail().await.token();
    confirm(&app, &verify, NEW_PASSWORD).await.problem_of(400, Reason::LinkNotValid);
    let reset = mailed_token(&app).await;
    app.post("/api/auth/email/verify/", &json!({"token": reset})).await.problem_of(400, Reason::LinkNotValid);
    // Neither link was spent by the refused attempt.
    app.post("/api/auth/email/verify/", &json!({"token": verify})).await.done();
    confirm(&app, &reset, NEW_PASSWORD).await.done();
}

async fn a_refused_password_leaves_the_link_valid(database: Database) {
    let app = start(database).await;
    let token = mailed_token(&app).await;
    for weak in ["", "short", "password1", ADA] {
        confirm(&app, &token, weak).await.invalid_fields(&["new_password"]);
    }
    app.login(ADA).await;
    confirm(&app, &token, NEW_PASSWORD).await.done();
    request_reset(&app, "no address").await.invalid_fields(&["email"]);
}

async fn of_one_hundred_concurrent_uses_of_a_link_one_succeeds(database: Database) {
    let app = start(database).await;
    let token = mailed_token(&app).await;
    let attempt = async |number: usize| {
        loop {
            let response = confirm(&app, &token, &format!("{NEW_PASSWORD}{number}")).await;
            if response.status != 503 {
                return (response, number); // the hashing queue was full: retry, as Retry-After asks
            }
            tokio::task::yield_now().await;
        }
    };
    let responses = futures_util::future::join_all((0..100).map(attempt)).await;

    let (done, refused): (Vec<_>, Vec<_>) = responses.into_iter().partition(|(response, _)| response.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 99));
    for (response, _) in refused {
        response.problem_of(400, Reason::LinkNotValid);
    }
    app.sign_in(ADA, &format!("{NEW_PASSWORD}{}", done[0].1)).await.tokens();
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'password_reset'"), 1);
}

/// The rows that a request wrote, with the address masked.
fn written(app: &TestApp, before: &[String], email: &str) -> Vec<String> {
    let new = app.db().content().into_iter().filter(|line| !before.contains(line));
    let masked = new.map(|line| line.replace(email, "ADDRESS"));
    // The first column is the row's id.
    masked.map(|line| line.split_once('|').map_or(line.clone(), |(_, rest)| rest.to_owned())).collect()
}

async fn known_and_unknown_addresses_get_the_same_response_after_the_same_work(database: Database) {
    for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
        let app = start(database).await;
        let before = app.db().content();
        let known = app.post(path, &json!({"email": ADA})).await;
        let work_for_known = written(&app, &before, ADA);
        // One client's mails take turns: with one waiting, the next would get a later turn.
        let mails = app.deliver_mail().await;
        let before = app.db().content();
        let unknown = app.post(path, &json!({"email": "eve@example.com"})).await;

        assert_eq!(work_for_known, written(&app, &before, "eve@example.com"), "{path}");
        assert_eq!(work_for_known.len(), 1, "{work_for_known:?}");
        known.has_status(202);
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
        let names = |response: &TestResponse| response.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&known), names(&unknown));
        // Ada's address is confirmed, so only the reset is mailed. An address without an account never gets mail.
        assert!(mails.iter().all(|mail| mail.to == ADA), "{mails:?}");
        assert_eq!(app.deliver_mail().await.len(), 0);
        assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox"), 0);
    }
}

async fn an_inactive_account_gets_no_link_and_its_links_are_refused(database: Database) {
    let app = start(database).await;
    let token = mailed_token(&app).await;
    app.db().execute("UPDATE users SET is_active = false");
    confirm(&app, &token, NEW_PASSWORD).await.problem_of(400, Reason::LinkNotValid);
    request_reset(&app, ADA).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn sign_ins_that_race_a_reset_leave_no_session(database: Database) {
    let app = start(database).await;
    for (old, new) in [(PASSWORD, NEW_PASSWORD), (NEW_PASSWORD, PASSWORD), (PASSWORD, NEW_PASSWORD)] {
        let token = mailed_token(&app).await;
        let request = LoginRequest { email: Some(ADA.to_owned()), username: None, password: old.to_owned() };
        let sign_ins = (0..12).map(|_| app.post("/api/auth/login/", &request));
        let (responses, reset) = tokio::join!(futures_util::future::join_all(sign_ins), confirm(&app, &token, new));
        reset.done();
        for response in responses.into_iter().filter(|response| response.status == 200) {
            app.refresh(&response.tokens()).await.unauthorized(Reason::SessionRevoked);
        }
        assert_eq!(app.db().number("SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), 0);
        app.deliver_mail().await;
    }
}

async fn a_link_is_stored_as_a_hash_and_deleted_eventually(database: Database) {
    let app = start(database).await;
    request_reset(&app, ADA).await.done();
    let waiting = app.db().content();
    let token = app.deliver_one_mail().await.token();
    assert_eq!(token.len(), 43, "256 bits");
    let sent = app.db().content();
    assert!(!waiting.iter().chain(&sent).any(|line| line.contains(&token)));
    confirm(&app, &token, NEW_PASSWORD).await.done();
    app.deliver_mail().await;

    let tokens = "SELECT count(*) FROM one_time_tokens";
    app.clock().advance(Duration::hours(1) + Duration::days(7));
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(tokens), 1);
    app.clock().advance(ONE_SECOND);
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(tokens), 0);
}

//! Confirming an address: where it may be, and where it must be.

use crate::support::{Answer, Database, ONE_SECOND, PASSWORD, TestApp, on_both_databases};
use auth_types::requests::RegisterRequest;
use auth_types::responses::UserResponse;
use auth_types::{ProblemCode, Reason};
use chrono::Duration;
use serde_json::{Value, json};

on_both_databases![
    signing_up_mails_a_link_that_confirms_the_address,
    a_link_confirms_once_within_a_day,
    a_link_is_mailed_again_while_there_is_something_to_confirm,
    where_it_is_mandatory_nobody_signs_in_before,
    where_it_is_mandatory_a_taken_address_is_answered_alike_after_the_same_work,
    where_it_is_mandatory_a_taken_username_is_told_whoever_has_the_address,
    where_it_is_mandatory_one_hundred_sign_ups_at_once_make_one_account,
    a_link_to_an_old_address_confirms_no_new_one,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

async fn mandatory(database: Database) -> TestApp {
    TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").user(ADA).start().await
}

async fn verify(app: &TestApp, token: &str) -> Answer {
    app.post("/api/auth/email/verify/", &json!({"token": token})).await
}

async fn resend(app: &TestApp, email: &str) {
    let answer = app.post("/api/auth/email/resend/", &json!({"email": email})).await;
    answer.has_status(202);
    assert_eq!(answer.json::<Value>(), json!({}));
}

async fn signing_up_mails_a_link_that_confirms_the_address(database: Database) {
    let app = TestApp::builder(database).start().await;
    let made = app.register(&request(ADA)).await.created();
    let mail = app.deliver_one_mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADA, "Confirm your email address"));
    assert!(mail.text.contains("http://127.0.0.1:8080/verify-email#token="), "{}", mail.text);

    let answer = verify(&app, &mail.token()).await;
    answer.has_status(200);
    assert_eq!(answer.json::<Value>(), json!({}));
    assert!(app.me(&made).await.json::<UserResponse>().email_verified);
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'email_verified'"), 1);
}

async fn a_link_confirms_once_within_a_day(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.register(&request(ADA)).await.created();
    let token = app.deliver_one_mail().await.token();
    let uses = futures_util::future::join_all((0..100).map(|_| verify(&app, &token))).await;
    let (done, refused): (Vec<_>, Vec<_>) = uses.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 99));
    for answer in refused {
        answer.failed(400, Reason::LinkNotValid);
    }

    app.register(&request(EVE)).await.created();
    let token = app.deliver_one_mail().await.token();
    app.clock().advance(Duration::hours(24));
    verify(&app, &token).await.failed(400, Reason::LinkNotValid);
}

async fn a_link_is_mailed_again_while_there_is_something_to_confirm(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.register(&request(ADA)).await.created();
    let older = app.deliver_one_mail().await.token();
    resend(&app, " ADA@example.com").await;
    let newer = app.deliver_one_mail().await;
    assert_eq!(newer.to, ADA);
    verify(&app, &older).await.failed(400, Reason::LinkNotValid);
    verify(&app, &newer.token()).await.done();

    resend(&app, ADA).await;
    resend(&app, "nobody@example.com").await;
    assert_eq!(app.deliver_mail().await.len(), 0);
    app.post("/api/auth/email/resend/", &json!({"email": "none"})).await.wrong_fields(&["email"]);
}

async fn where_it_is_mandatory_nobody_signs_in_before(database: Database) {
    let app = mandatory(database).await;
    app.login(ADA).await; // the operator has vouched for her address
    let answer = app.register(&request(EVE)).await;
    answer.has_status(202);
    assert_eq!(answer.json::<Value>(), json!({}));
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 1);

    let problem = app.sign_in(EVE, PASSWORD).await.failed(403, Reason::EmailNotVerified);
    assert_eq!(problem.code, ProblemCode::PermissionDenied);
    app.sign_in(EVE, "violet harbor lantern 43").await.refused(Reason::CredentialsWrong);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 1);
    verify(&app, &app.deliver_one_mail().await.token()).await.done();
    assert!(app.sign_in(EVE, PASSWORD).await.ok().user.email_verified);
}

/// Rows by table: what each sign-up adds must be the same.
fn added(app: &TestApp, before: &[String]) -> Vec<String> {
    let new = app.db().content().into_iter().filter(|line| !before.contains(line));
    new.map(|line| line.split(':').next().unwrap().to_owned()).filter(|table| table != "users").collect()
}

async fn where_it_is_mandatory_a_taken_address_is_answered_alike_after_the_same_work(database: Database) {
    let app = mandatory(database).await;
    let before = app.db().content();
    let free = app.register(&request(EVE)).await;
    let for_free = added(&app, &before);
    let before = app.db().content();
    let taken = app.register(&request("Ada@Example.com")).await;

    // The event is of the new account; the same statement writes none of an account that somebody else has.
    assert_eq!(for_free, ["auth_events", "mail_outbox"]);
    assert_eq!(added(&app, &before), ["mail_outbox"]);
    free.has_status(202);
    assert_eq!((free.status, &free.body), (taken.status, &taken.body));
    let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&free), names(&taken));
    // Only who reads mail at the address sees the difference.
    let mails = app.deliver_mail().await;
    let told: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
    assert_eq!(told, [(EVE, "Confirm your email address"), (ADA, "You already have an account")]);
    assert!(!mails[1].text.contains("#token="));
    app.login(ADA).await;
}

async fn where_it_is_mandatory_a_taken_username_is_told_whoever_has_the_address(database: Database) {
    let app = mandatory(database).await;
    let named = |email: &str| RegisterRequest { username: Some("countess".to_owned()), ..request(email) };
    app.register(&named(EVE)).await.has_status(202);
    let before = app.db().content();
    for email in [ADA, EVE, "free@example.com"] {
        app.register(&named(email)).await.failed(409, Reason::UsernameTaken);
    }
    assert_eq!(app.db().content(), before);
}

async fn where_it_is_mandatory_one_hundred_sign_ups_at_once_make_one_account(database: Database) {
    let app = mandatory(database).await;
    let sign_up = async |_| {
        loop {
            let answer = app.register(&request(EVE)).await;
            if answer.status != 503 {
                return answer; // with a full hashing queue one comes again, as Retry-After asks
            }
            tokio::task::yield_now().await;
        }
    };
    for answer in futures_util::future::join_all((0..100).map(sign_up)).await {
        answer.has_status(202);
    }
    assert_eq!(app.db().number("SELECT count(*) FROM users"), 2);
    let links = "SELECT count(*) FROM mail_outbox WHERE kind = 'verify_email'";
    assert_eq!(app.db().number(links), 1);
}

async fn a_link_to_an_old_address_confirms_no_new_one(database: Database) {
    let app = TestApp::builder(database).start().await;
    app.register(&request(ADA)).await.created();
    let token = app.deliver_one_mail().await.token();
    app.db().execute("UPDATE users SET email = 'new@example.com', email_canonical = 'new@example.com'");
    verify(&app, &token).await.failed(400, Reason::LinkNotValid);
    app.clock().advance(ONE_SECOND);
    assert_eq!(app.db().number("SELECT count(*) FROM users WHERE email_verified_at IS NULL"), 1);
}

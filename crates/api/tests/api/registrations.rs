//! Signing up where an address must be confirmed first: what is stored is no account until its mailed link is opened.

use crate::support::{Database, Mail, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::{PendingRegistrationResponse, TokenResponse};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    the_browser_that_signed_up_is_signed_in_by_its_link,
    another_browser_is_sent_to_sign_in,
    nobody_signs_in_before_and_the_link_is_mailed_again,
    a_taken_address_is_answered_alike_after_the_same_work,
    the_owners_click_makes_the_owners_registration_the_account,
    each_link_makes_its_own_registration_the_account,
    a_pending_username_claims_nothing,
    a_username_that_was_taken_meanwhile_is_left_out,
    a_username_of_an_account_is_refused_whatever_the_address_is,
    a_hundred_clicks_at_once_make_one_account,
    links_of_one_address_clicked_at_once_make_one_account,
    a_link_runs_out_after_a_day,
    a_rejected_registration_is_gone,
    an_address_that_got_an_account_meanwhile_keeps_it,
    the_newest_link_is_mailed_again_or_that_of_the_browser_that_asks,
    all_mails_of_a_sign_up_bring_the_same_link,
    a_reset_mails_nothing_to_an_address_with_registrations_only,
    a_flood_of_sign_ups_leaves_a_mailed_link_alone_and_few_rows,
    a_flood_of_sign_ups_crowds_out_no_other_that_waits_for_its_mail,
    the_link_of_a_waiting_sign_up_is_not_crowded_out_by_those_who_ask_again,
    what_is_over_is_pruned,
    nothing_of_a_registration_is_left_of_a_deleted_account,
    an_account_that_is_not_confirmed_takes_no_registration_along,
    the_owner_of_an_address_exports_its_registrations_and_nobody_else_does,
    the_first_language_of_the_browser_is_kept,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
/// What the stranger chose.
const OTHER_PASSWORD: &str = "copper window thistle 77";

fn request(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

fn strangers(email: &str) -> RegisterRequest {
    RegisterRequest { password: OTHER_PASSWORD.to_owned(), ..request(email) }
}

fn named(email: &str, username: &str) -> RegisterRequest {
    RegisterRequest { username: Some(username.to_owned()), ..request(email) }
}

async fn mandatory(database: Database) -> TestApp {
    TestApp::builder(database).set("EMAIL_VERIFICATION", "mandatory").user(ADA).start().await
}

/// Signs up, and gives what the browser keeps.
async fn sign_up(app: &TestApp, request: &RegisterRequest) -> String {
    let answer = app.register(request).await;
    answer.has_status(202);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json::<PendingRegistrationResponse>().registration
}

async fn verify(app: &TestApp, body: &Value) -> TestResponse {
    app.post("/api/auth/email/verify/", body).await
}

async fn click(app: &TestApp, mail: &Mail) -> TestResponse {
    verify(app, &json!({"token": mail.token()})).await
}

async fn resend(app: &TestApp, email: &str) -> Mail {
    app.post("/api/auth/email/resend/", &json!({"email": email})).await.has_status(202);
    app.deliver_one_mail().await
}

fn users(app: &TestApp) -> i64 {
    app.db().number("SELECT count(*) FROM users WHERE deleted_at IS NULL")
}

fn pending(app: &TestApp) -> i64 {
    app.db().number("SELECT count(*) FROM pending_registrations")
}

async fn the_browser_that_signed_up_is_signed_in_by_its_link(database: Database) {
    let app = mandatory(database).await;
    let full = RegisterRequest { display_name: Some("Eve".to_owned()), ..named("Eve@Example.com", "Apple") };
    let registration = sign_up(&app, &full).await;
    assert_eq!((users(&app), pending(&app)), (1, 1));
    let content = app.db().content();
    assert!(!content.iter().any(|line| line.contains(&registration) || line.contains(PASSWORD)), "{content:?}");
    let mail = app.deliver_one_mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("Eve@example.com", "Confirm your email address"));
    assert!(mail.text.contains("http://127.0.0.1:8080/verify-email#token="), "{}", mail.text);

    let answer = verify(&app, &json!({"token": mail.token(), "registration": registration})).await;
    assert_eq!(answer.json::<Value>().get("notice"), None);
    let tokens: TokenResponse = answer.created();
    let user = &tokens.user;
    assert_eq!((user.email.as_str(), user.username.as_deref()), ("Eve@Example.com", Some("Apple")));
    assert_eq!((user.display_name.as_str(), user.role.as_str()), ("Eve", "user"));
    assert!(user.email_verified && user.last_login_at == Some(user.created_at));
    app.me(&tokens).await.done();
    app.sign_in("apple", PASSWORD).await.ok();
    assert_eq!((users(&app), pending(&app)), (2, 0));
    let events = app.db().texts("SELECT kind AS value FROM auth_events WHERE user_id = 2 ORDER BY id");
    assert_eq!(events, ["registered", "email_verified", "logged_in"]);
    // It is spent.
    let again = verify(&app, &json!({"token": mail.token(), "registration": registration})).await;
    again.failed(400, Reason::LinkNotValid);
}

async fn another_browser_is_sent_to_sign_in(database: Database) {
    let app = mandatory(database).await;
    for (email, sent) in [
        ("one@example.com", None),
        ("two@example.com", Some(String::new())),
        ("three@example.com", Some("not-what-was-given".to_owned())),
        ("four@example.com", Some(sign_up(&app, &request(ADA)).await)), // of another sign-up
    ] {
        app.deliver_mail().await;
        sign_up(&app, &request(email)).await;
        let token = app.deliver_one_mail().await.token();
        let answer = verify(&app, &json!({"token": token, "registration": sent})).await;
        answer.has_status(200);
        assert_eq!(answer.json::<Value>(), json!({}));
        assert!(app.sign_in(email, PASSWORD).await.ok().user.email_verified);
    }
}

async fn nobody_signs_in_before_and_the_link_is_mailed_again(database: Database) {
    let app = mandatory(database).await;
    app.login(ADA).await; // the operator has vouched for her address
    sign_up(&app, &request(EVE)).await;
    let first = app.deliver_one_mail().await;

    app.sign_in(EVE, "violet harbor lantern 43").await.refused(Reason::CredentialsWrong);
    assert_eq!(app.deliver_mail().await.len(), 0);
    let right = app.sign_in(EVE, PASSWORD).await;
    let unknown = app.sign_in("nobody@example.com", PASSWORD).await;
    assert_eq!(right.comparable(), unknown.comparable());
    right.refused(Reason::CredentialsWrong);
    assert_eq!(app.db().number("SELECT count(*) FROM sessions"), 1);
    let second = app.deliver_one_mail().await;
    assert_eq!(second.to, EVE);

    assert_eq!(second.token(), first.token());
    click(&app, &second).await.has_status(200);
    app.sign_in(EVE, PASSWORD).await.ok();
    assert_eq!(app.deliver_mail().await.len(), 0);
}

/// Rows by table: what each sign-up adds must be the same.
fn added(app: &TestApp, before: &[String]) -> Vec<String> {
    let new = app.db().content().into_iter().filter(|line| !before.contains(line));
    new.map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

async fn a_taken_address_is_answered_alike_after_the_same_work(database: Database) {
    let app = mandatory(database).await;
    let before = app.db().content();
    let free = app.register(&request(EVE)).await;
    let for_free = added(&app, &before);
    let before = app.db().content();
    let taken = app.register(&request("Ada@Example.com")).await;

    assert_eq!(for_free, added(&app, &before));
    assert_eq!(for_free, ["mail_outbox", "pending_registrations"]);
    let blank = |answer: &TestResponse| {
        let registration = answer.json::<PendingRegistrationResponse>().registration;
        assert_eq!(registration.len(), 43);
        (answer.status, answer.text().replace(&registration, ""))
    };
    free.has_status(202);
    assert_eq!(blank(&free), blank(&taken));
    let names = |answer: &TestResponse| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&free), names(&taken));
    // Only who reads mail at the address sees the difference.
    let mails = app.deliver_mail().await;
    let told: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
    assert_eq!(told, [(EVE, "Confirm your email address"), (ADA, "You already have an account")]);
    assert!(!mails[1].text.contains("#token="));
    assert_eq!(app.db().texts("SELECT kind AS value FROM auth_events WHERE user_id = 1"), ["register_repeated"]);
    app.login(ADA).await;
}

async fn the_owners_click_makes_the_owners_registration_the_account(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &strangers(EVE)).await;
    app.deliver_one_mail().await;
    let registration = sign_up(&app, &request(EVE)).await;
    app.deliver_one_mail().await;
    let mail = resend(&app, EVE).await;
    verify(&app, &json!({"token": mail.token(), "registration": registration})).await.created();

    app.sign_in(EVE, OTHER_PASSWORD).await.refused(Reason::CredentialsWrong);
    app.sign_in(EVE, PASSWORD).await.ok();
    assert_eq!((users(&app), pending(&app)), (2, 0));
}

async fn each_link_makes_its_own_registration_the_account(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let owners = app.deliver_one_mail().await;
    sign_up(&app, &strangers(EVE)).await;
    let strangers_mail = app.deliver_one_mail().await;
    // Both were due at once here: each mail has the link of its own.
    sign_up(&app, &strangers("three@example.com")).await;
    sign_up(&app, &request("three@example.com")).await;
    let mails = app.deliver_mail().await;
    assert_ne!(mails[0].token(), mails[1].token());

    verify(&app, &json!({"token": owners.token(), "registration": registration})).await.created();
    click(&app, &strangers_mail).await.failed(400, Reason::LinkNotValid);
    app.sign_in(EVE, PASSWORD).await.ok();
    click(&app, &mails[1]).await.has_status(200);
    click(&app, &mails[0]).await.failed(400, Reason::LinkNotValid);
    app.sign_in("three@example.com", PASSWORD).await.ok();
}

async fn a_pending_username_claims_nothing(database: Database) {
    let app = mandatory(database).await;
    for email in [EVE, ADA, "free@example.com", EVE] {
        sign_up(&app, &named(email, "countess")).await;
    }
    app.sign_in("countess", PASSWORD).await.refused(Reason::CredentialsWrong);
    let tokens = app.login(ADA).await;
    let profile = app.request_as(&tokens, Method::PATCH, "/api/auth/me/").json(&json!({"username": "countess"}));
    send(profile).await.has_status(200);
}

async fn a_username_that_was_taken_meanwhile_is_left_out(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &named(EVE, "Countess")).await;
    let eve = app.deliver_one_mail().await;
    sign_up(&app, &named("bob@example.com", "countess")).await;
    let bob = app.deliver_one_mail().await;
    app.db().execute("UPDATE users SET username = 'countess', username_canonical = 'countess' WHERE id = 1");

    let answer = verify(&app, &json!({"token": eve.token(), "registration": registration})).await;
    let body: Value = answer.json();
    assert_eq!((&body["notice"], &body["username"]), (&json!("username_taken"), &Value::Null));
    assert!(body.as_object().unwrap().contains_key("username"));
    let tokens = answer.created();
    assert_eq!((tokens.user.email.as_str(), tokens.user.username), (EVE, None));
    let answer = click(&app, &bob).await;
    answer.has_status(200);
    assert_eq!(answer.json::<Value>(), json!({"username": null, "notice": "username_taken"}));
    app.sign_in("bob@example.com", PASSWORD).await.ok();
}

async fn a_username_of_an_account_is_refused_whatever_the_address_is(database: Database) {
    let app = mandatory(database).await;
    app.db().execute("UPDATE users SET username = 'countess', username_canonical = 'countess' WHERE id = 1");
    let before = app.db().content();
    for email in [ADA, EVE, "free@example.com"] {
        app.register(&named(email, "Countess")).await.failed(409, Reason::UsernameTaken);
    }
    assert_eq!(app.db().content(), before);
}

async fn a_hundred_clicks_at_once_make_one_account(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let body = json!({"token": app.deliver_one_mail().await.token(), "registration": registration});
    let answers = futures_util::future::join_all((0..100).map(|_| verify(&app, &body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 99));
    for answer in refused {
        answer.failed(400, Reason::LinkNotValid);
    }
    assert_eq!((users(&app), app.db().number("SELECT count(*) FROM sessions")), (2, 1));
}

async fn links_of_one_address_clicked_at_once_make_one_account(database: Database) {
    let app = mandatory(database).await;
    for _ in 0..10 {
        sign_up(&app, &request(EVE)).await;
    }
    let mails = app.deliver_mail().await;
    let mut answers = futures_util::future::join_all(mails.iter().map(|mail| click(&app, mail))).await;
    answers.sort_by_key(|answer| answer.status);
    answers.remove(0).has_status(200);
    for answer in answers {
        answer.failed(400, Reason::LinkNotValid);
    }
    assert_eq!((users(&app), pending(&app)), (2, 0));
}

async fn a_link_runs_out_after_a_day(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    let mail = app.deliver_one_mail().await;
    app.clock().advance(Duration::hours(24));
    click(&app, &mail).await.failed(400, Reason::LinkNotValid);
    app.sign_in(EVE, PASSWORD).await.refused(Reason::CredentialsWrong);
    app.post("/api/auth/email/resend/", &json!({"email": EVE})).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
    assert_eq!(users(&app), 1);
}

async fn a_rejected_registration_is_gone(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &strangers(EVE)).await;
    let strangers_mail = app.deliver_one_mail().await;
    sign_up(&app, &request(EVE)).await;
    let owners = app.deliver_one_mail().await;
    let reject = json!({"token": strangers_mail.token(), "reject": true});
    let answer = verify(&app, &reject).await;
    answer.has_status(200);
    assert_eq!(answer.json::<Value>(), json!({}));
    verify(&app, &reject).await.failed(400, Reason::LinkNotValid);
    click(&app, &strangers_mail).await.failed(400, Reason::LinkNotValid);
    assert_eq!((users(&app), pending(&app)), (1, 1));
    click(&app, &owners).await.has_status(200);
}

async fn an_address_that_got_an_account_meanwhile_keeps_it(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    let mail = app.deliver_one_mail().await;
    app.db().execute(&format!("UPDATE users SET email = '{EVE}', email_canonical = '{EVE}' WHERE id = 1"));
    let before = app.db().content();
    click(&app, &mail).await.failed(400, Reason::LinkNotValid);
    assert_eq!(app.db().content(), before);
}

async fn the_newest_link_is_mailed_again_or_that_of_the_browser_that_asks(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    sign_up(&app, &strangers(EVE)).await;
    app.deliver_mail().await;
    let newest = resend(&app, " EVE@example.com").await;
    let body = json!({"email": EVE, "registration": registration});
    app.post("/api/auth/email/resend/", &body).await.has_status(202);
    let own = app.deliver_one_mail().await;
    // Somebody else's counts as none.
    let body = json!({"email": ADA, "registration": registration});
    app.post("/api/auth/email/resend/", &body).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);

    verify(&app, &json!({"token": newest.token(), "reject": true})).await.has_status(200);
    assert_eq!(pending(&app), 1);
    verify(&app, &json!({"token": own.token(), "registration": registration})).await.created();
    app.sign_in(EVE, PASSWORD).await.ok();
    app.post("/api/auth/email/resend/", &json!({"email": EVE})).await.has_status(202);
    app.post("/api/auth/email/resend/", &json!({"email": "nobody@example.com"})).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn a_reset_mails_nothing_to_an_address_with_registrations_only(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    app.deliver_one_mail().await;
    app.post("/api/auth/password/reset/", &json!({"email": EVE})).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn a_flood_of_sign_ups_leaves_a_mailed_link_alone_and_few_rows(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let mail = app.deliver_one_mail().await;
    for _ in 0..30 {
        sign_up(&app, &strangers(EVE)).await;
    }
    assert_eq!(pending(&app), 1 + 20);
    verify(&app, &json!({"token": mail.token(), "registration": registration})).await.created();
    app.sign_in(EVE, PASSWORD).await.ok();
    // The mails of those that are gone reach nobody, but the owner of an account is told.
    let mails = app.deliver_mail().await;
    assert!(mails.iter().all(|mail| mail.subject == "You already have an account"), "{mails:?}");
}

/// Signs up from a place of its own.
async fn sign_up_from(app: &TestApp, address: &str, request: &RegisterRequest) {
    let sign_up = app.request(Method::POST, "/api/auth/register/").header("X-Forwarded-For", address);
    send(sign_up.json(request)).await.has_status(202);
}

/// The worker looks at the outbox only after the flood: it is down, or the flood takes less than a second.
async fn a_flood_of_sign_ups_crowds_out_no_other_that_waits_for_its_mail(database: Database) {
    let app = TestApp::builder(database).limited().set("EMAIL_VERIFICATION", "mandatory").start().await;
    sign_up_from(&app, "198.51.100.1", &request(EVE)).await;
    for number in 0..30 {
        // One IPv6 customer has 2^64 addresses and is one client.
        let address = if number < 15 { "203.0.113.5".to_owned() } else { format!("2001:db8::{number:x}") };
        sign_up_from(&app, &address, &strangers(EVE)).await;
    }
    assert_eq!(pending(&app), 20);
    assert_eq!(app.deliver_mail().await.len(), 5);
    let owners = app.db().number("SELECT count(*) FROM pending_registrations WHERE id = 1 AND link_hash IS NOT NULL");
    assert_eq!(owners, 1, "the owner's is among those that were mailed");
}

async fn the_link_of_a_waiting_sign_up_is_not_crowded_out_by_those_who_ask_again(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    app.deliver_one_mail().await;
    sign_up(&app, &strangers(EVE)).await;
    app.deliver_one_mail().await;
    let own = json!({"email": EVE, "registration": registration});
    app.post("/api/auth/email/resend/", &own).await.has_status(202);
    for _ in 0..6 {
        app.post("/api/auth/email/resend/", &json!({"email": EVE})).await.has_status(202);
    }
    let owners = app.db().number("SELECT count(*) FROM mail_outbox WHERE registration_id = 1");
    assert_eq!((owners, app.db().number("SELECT count(*) FROM mail_outbox")), (1, 6));
    let mail = app.deliver_mail().await.swap_remove(0);
    verify(&app, &json!({"token": mail.token(), "registration": registration})).await.created();
}

async fn what_is_over_is_pruned(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &request(EVE)).await;
    app.clock().advance(Duration::hours(23));
    api::service::upkeep::prune::prune(app.services()).await.unwrap();
    assert_eq!(pending(&app), 1);
    app.clock().advance(Duration::hours(1) + Duration::seconds(1));
    api::service::upkeep::prune::prune(app.services()).await.unwrap();
    assert_eq!(pending(&app), 0);
}

async fn nothing_of_a_registration_is_left_of_a_deleted_account(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    sign_up(&app, &named(ADA, "somebody")).await;
    let request = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(request.json(&json!({"password": PASSWORD}))).await.has_status(204);
    assert_eq!(pending(&app), 0);
}

/// Of an address that was never confirmed the registrations may be its owner's.
async fn an_account_that_is_not_confirmed_takes_no_registration_along(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    app.db().execute("UPDATE users SET email_verified_at = NULL WHERE id = 1");
    let registration = sign_up(&app, &request(ADA)).await;
    let deletion = app.request_as(&tokens, Method::DELETE, "/api/auth/me/");
    send(deletion.json(&json!({"password": PASSWORD}))).await.has_status(204);
    assert_eq!(pending(&app), 1);
    // The mail that waited goes to whoever reads there.
    let mails = app.deliver_mail().await;
    let token = mails.iter().find(|mail| mail.subject == "Confirm your email address").unwrap().token();
    verify(&app, &json!({"token": token, "registration": registration})).await.created();
}

async fn the_owner_of_an_address_exports_its_registrations_and_nobody_else_does(database: Database) {
    let app = mandatory(database).await;
    let tokens = app.login(ADA).await;
    let sign_up = app.request(Method::POST, "/api/auth/register/").header("Accept-Language", "de");
    send(sign_up.json(&named("Ada@example.com", "other"))).await.has_status(202);
    let export = async || {
        let answer = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
        answer.json::<Value>()["registrations"].clone()
    };
    let exported = export().await;
    let columns = app.db().columns("pending_registrations");
    let proofs = ["id", "email_canonical", "username_canonical", "password_hash", "registration_hash", "link_hash"];
    for column in columns {
        assert_ne!(exported[0].get(&column).is_some(), proofs.contains(&column.as_str()), "{column}");
    }
    assert_eq!(exported[0]["email"], "Ada@example.com");
    app.db().execute("UPDATE users SET email_verified_at = NULL");
    assert_eq!(export().await, json!([]));
    // Neither does who has an account and never confirmed its address see the mails to its owner.
    let answer = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
    assert_eq!(answer.json::<Value>()["mails"], json!([]));
    app.deliver_mail().await;
    let answer = send(app.request_as(&tokens, Method::GET, "/api/auth/me/export/")).await;
    assert_eq!(answer.json::<Value>()["sent_mails"], json!([]));
}

async fn the_first_language_of_the_browser_is_kept(database: Database) {
    let app = mandatory(database).await;
    let long = "x".repeat(36);
    for (number, (header, kept)) in [
        (Some("de-AT,de;q=0.9,en;q=0.8"), Some("de-AT")),
        (Some("en;q=0.5"), Some("en")),
        (Some("*"), None),
        (Some("<script>"), None),
        (Some(""), None),
        (Some(long.as_str()), None),
        (None, None),
    ]
    .into_iter()
    .enumerate()
    {
        let sign_up = app.request(Method::POST, "/api/auth/register/").json(&request(EVE));
        let sign_up = header.into_iter().fold(sign_up, |request, value| request.header("Accept-Language", value));
        send(sign_up).await.has_status(202);
        let language = format!("SELECT language FROM pending_registrations WHERE id = {}", number + 1);
        assert_eq!(app.db().value(&language).as_deref(), kept, "{header:?}");
    }
}

/// An older mail may arrive after a newer one.
async fn all_mails_of_a_sign_up_bring_the_same_link(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let first = app.deliver_one_mail().await.token();
    app.clock().advance(Duration::hours(1));
    app.post("/api/auth/email/resend/", &json!({"email": EVE, "registration": registration})).await.has_status(202);
    assert_eq!(app.deliver_one_mail().await.token(), first);
    // It lives as long as the newest mail says.
    app.clock().advance(Duration::hours(23) + Duration::minutes(30));
    app.post("/api/auth/email/verify/", &json!({"token": first, "registration": registration})).await.created();
}

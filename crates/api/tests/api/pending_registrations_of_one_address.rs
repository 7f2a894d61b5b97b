//! Several registrations for one address: the opened link decides which one becomes the account, and a flood displaces none.

use crate::support::sign_ups::{ADA, EVE, click, mandatory, pending, request, sign_up, users, verify};
use crate::support::{Database, Mail, PASSWORD, TestApp, on_both_databases, send};
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    the_owners_link_creates_the_account_of_the_owners_registration,
    each_link_creates_the_account_of_its_own_registration,
    concurrent_links_of_one_address_create_one_account,
    a_rejected_registration_is_deleted,
    a_resend_mails_the_newest_link_or_the_one_of_the_asking_browser,
    a_flood_of_sign_ups_keeps_a_mailed_link_valid_and_stores_few_rows,
    a_flood_of_sign_ups_does_not_displace_one_that_waits_for_its_mail,
    the_link_of_a_waiting_sign_up_is_not_displaced_by_repeated_requests,
];

/// The attacker's password.
const OTHER_PASSWORD: &str = "copper window thistle 77";

fn attackers_sign_up(email: &str) -> RegisterRequest {
    RegisterRequest { password: OTHER_PASSWORD.to_owned(), ..request(email) }
}

async fn resend(app: &TestApp, email: &str) -> Mail {
    app.post("/api/auth/email/resend/", &json!({"email": email})).await.has_status(202);
    app.deliver_one_mail().await
}

async fn the_owners_link_creates_the_account_of_the_owners_registration(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &attackers_sign_up(EVE)).await;
    app.deliver_one_mail().await;
    let registration = sign_up(&app, &request(EVE)).await;
    app.deliver_one_mail().await;
    let mail = resend(&app, EVE).await;
    verify(&app, &json!({"token": mail.token(), "registration": registration})).await.created();

    app.sign_in(EVE, OTHER_PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in(EVE, PASSWORD).await.tokens();
    assert_eq!((users(&app), pending(&app)), (2, 0));
}

async fn each_link_creates_the_account_of_its_own_registration(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let owners = app.deliver_one_mail().await;
    sign_up(&app, &attackers_sign_up(EVE)).await;
    let attackers_mail = app.deliver_one_mail().await;
    // Both are due at once here: each mail has the link of its own registration.
    sign_up(&app, &attackers_sign_up("three@example.com")).await;
    sign_up(&app, &request("three@example.com")).await;
    let mails = app.deliver_mail().await;
    assert_ne!(mails[0].token(), mails[1].token());

    verify(&app, &json!({"token": owners.token(), "registration": registration})).await.created();
    click(&app, &attackers_mail).await.problem_of(400, Reason::LinkNotValid);
    app.sign_in(EVE, PASSWORD).await.tokens();
    click(&app, &mails[1]).await.has_status(200);
    click(&app, &mails[0]).await.problem_of(400, Reason::LinkNotValid);
    app.sign_in("three@example.com", PASSWORD).await.tokens();
}

async fn concurrent_links_of_one_address_create_one_account(database: Database) {
    let app = mandatory(database).await;
    for _ in 0..10 {
        sign_up(&app, &request(EVE)).await;
    }
    let mails = app.deliver_mail().await;
    let mut responses = futures_util::future::join_all(mails.iter().map(|mail| click(&app, mail))).await;
    responses.sort_by_key(|response| response.status);
    responses.remove(0).has_status(200);
    for response in responses {
        response.problem_of(400, Reason::LinkNotValid);
    }
    assert_eq!((users(&app), pending(&app)), (2, 0));
}

async fn a_rejected_registration_is_deleted(database: Database) {
    let app = mandatory(database).await;
    sign_up(&app, &attackers_sign_up(EVE)).await;
    let attackers_mail = app.deliver_one_mail().await;
    sign_up(&app, &request(EVE)).await;
    let owners = app.deliver_one_mail().await;
    let reject = json!({"token": attackers_mail.token(), "reject": true});
    let response = verify(&app, &reject).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({}));
    verify(&app, &reject).await.problem_of(400, Reason::LinkNotValid);
    click(&app, &attackers_mail).await.problem_of(400, Reason::LinkNotValid);
    assert_eq!((users(&app), pending(&app)), (1, 1));
    click(&app, &owners).await.has_status(200);
}

async fn a_resend_mails_the_newest_link_or_the_one_of_the_asking_browser(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    sign_up(&app, &attackers_sign_up(EVE)).await;
    app.deliver_mail().await;
    let newest = resend(&app, " EVE@example.com").await;
    let body = json!({"email": EVE, "registration": registration});
    app.post("/api/auth/email/resend/", &body).await.has_status(202);
    let own = app.deliver_one_mail().await;
    // The secret of a registration for another address is ignored.
    let body = json!({"email": ADA, "registration": registration});
    app.post("/api/auth/email/resend/", &body).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);

    verify(&app, &json!({"token": newest.token(), "reject": true})).await.has_status(200);
    assert_eq!(pending(&app), 1);
    verify(&app, &json!({"token": own.token(), "registration": registration})).await.created();
    app.sign_in(EVE, PASSWORD).await.tokens();
    app.post("/api/auth/email/resend/", &json!({"email": EVE})).await.has_status(202);
    app.post("/api/auth/email/resend/", &json!({"email": "nobody@example.com"})).await.has_status(202);
    assert_eq!(app.deliver_mail().await.len(), 0);
}

async fn a_flood_of_sign_ups_keeps_a_mailed_link_valid_and_stores_few_rows(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    let mail = app.deliver_one_mail().await;
    for _ in 0..30 {
        sign_up(&app, &attackers_sign_up(EVE)).await;
    }
    assert_eq!(pending(&app), 1 + 20);
    verify(&app, &json!({"token": mail.token(), "registration": registration})).await.created();
    app.sign_in(EVE, PASSWORD).await.tokens();
    // The mails of deleted registrations are dropped; the owner of the account gets notices.
    let mails = app.deliver_mail().await;
    assert!(mails.iter().all(|mail| mail.subject == "You already have an account"), "{mails:?}");
}

/// Signs up from the given address.
async fn sign_up_from(app: &TestApp, address: &str, request: &RegisterRequest) {
    let sign_up = app.request(Method::POST, "/api/auth/register/").header("X-Forwarded-For", address);
    send(sign_up.json(request)).await.has_status(202);
}

/// The worker reads the outbox only after the flood: it is down, or the flood takes less than a second.
async fn a_flood_of_sign_ups_does_not_displace_one_that_waits_for_its_mail(database: Database) {
    let app = TestApp::builder(database).limited().set("EMAIL_VERIFICATION", "mandatory").start().await;
    sign_up_from(&app, "198.51.100.1", &request(EVE)).await;
    for number in 0..30 {
        // One IPv6 customer has 2^64 addresses and is one client.
        let address = if number < 15 { "203.0.113.5".to_owned() } else { format!("2001:db8::{number:x}") };
        sign_up_from(&app, &address, &attackers_sign_up(EVE)).await;
    }
    assert_eq!(pending(&app), 20);
    assert_eq!(app.deliver_mail().await.len(), 5);
    let owners = app.db().number("SELECT count(*) FROM pending_registrations WHERE id = 1 AND link_hash IS NOT NULL");
    assert_eq!(owners, 1, "the owner's registration is among the mailed ones");
}

async fn the_link_of_a_waiting_sign_up_is_not_displaced_by_repeated_requests(database: Database) {
    let app = mandatory(database).await;
    let registration = sign_up(&app, &request(EVE)).await;
    app.deliver_one_mail().await;
    sign_up(&app, &attackers_sign_up(EVE)).await;
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

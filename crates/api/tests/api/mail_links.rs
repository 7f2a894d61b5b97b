//! Links in mails that are sent again: the same link arrives, and an older one works until a newer one has arrived.

use crate::support::delivery::{ADA, BEN, ONE_MINUTE, WAITING, deliver, request_reset, start, url_of};
use crate::support::{
    Database, ManualClock, PASSWORD, Refusal, SECRET_KEY, ScriptedMailServer, TestApp, eventually, on_both_databases,
    send,
};
use chrono::Duration;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

on_both_databases![
    a_mail_that_is_sent_again_has_the_same_link_and_no_used_one,
    a_mail_that_is_sent_again_under_a_new_secret_has_the_same_link,
    a_mail_that_is_sent_again_has_the_link_that_works,
    a_link_that_has_arrived_works_until_the_next_one_has_arrived,
    a_mail_that_is_accepted_late_does_not_end_a_newer_link,
    two_mails_whose_attempts_overlap_do_not_end_each_others_links,
    a_new_password_does_not_end_the_link_that_confirms_the_address,
    a_change_to_an_address_that_another_account_requests_too_is_mailed,
    of_the_links_that_one_account_requests_in_an_outage_the_last_is_mailed,
    deleting_an_unconfirmed_account_keeps_another_accounts_change_to_its_address,
];

/// The server's reply was lost after the mail had arrived: its reader must be able to use its link.
async fn a_mail_that_is_sent_again_has_the_same_link_and_no_used_one(database: Database) {
    const TOKENS: &str = "SELECT count(*) FROM one_time_tokens";
    const LIVE: &str = "SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL";
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    server.refuse("MESSAGE", Refusal::HangUp);
    request_reset(&app, ADA).await;
    for _ in 0..2 {
        assert_eq!(deliver(&app).await, 0);
        assert_eq!((app.db().number(TOKENS), app.db().number(LIVE)), (1, 1));
        app.clock().advance(ONE_MINUTE * 25);
    }
    server.accept_all();
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((app.db().number(TOKENS), app.db().number(LIVE)), (1, 1));

    // A link of a newer mail does not work twice, either.
    server.refuse("MESSAGE", Refusal::HangUp);
    request_reset(&app, ADA).await;
    assert_eq!(deliver(&app).await, 0);
    assert_eq!((app.db().number(TOKENS), app.db().number(LIVE)), (2, 2));
    app.db().execute("UPDATE one_time_tokens SET used_at = expires_at");
    server.accept_all();
    server.accepted();
    app.clock().advance(ONE_MINUTE * 4);
    assert_eq!(deliver(&app).await, 0);
    assert!(server.accepted().is_empty());
    assert_eq!((app.db().number(LIVE), app.db().number(WAITING)), (0, 0));
}

/// The secret was changed between two attempts to send the mail of a reset, and that of a sign-up.
async fn a_mail_that_is_sent_again_under_a_new_secret_has_the_same_link(database: Database) {
    const NEW_SECRET: &str = "a second secret that is as long as it has to be";
    const SAME_RESET: &str = "SELECT count(*) - count(used_at) * 2 FROM one_time_tokens";
    const SAME_SIGN_UP: &str = "SELECT count(*) FROM pending_registrations JOIN known_links USING (link_hash)";
    for same in [SAME_RESET, SAME_SIGN_UP] {
        let (lost, server) = (ScriptedMailServer::start(), ScriptedMailServer::start());
        let old = TestApp::builder(database).user(ADA).set("EMAIL_VERIFICATION", "mandatory");
        let old = old.set("EMAIL_URL", url_of(&lost)).start().await;
        lost.refuse("MESSAGE", Refusal::HangUp);
        if same == SAME_RESET {
            request_reset(&old, ADA).await;
        } else {
            old.post("/api/auth/register/", &json!({"email": BEN, "password": PASSWORD})).await.has_status(202);
        }
        assert_eq!(deliver(&old).await, 0);
        old.db().execute("CREATE TABLE known_links AS SELECT link_hash FROM pending_registrations");

        let new = TestApp::builder_on(old.db().clone()).clock(old.clock()).set("EMAIL_URL", url_of(&server));
        let new = new.set("SECRET_KEY", NEW_SECRET).set("SECRET_KEY_FALLBACKS", SECRET_KEY).start().await;
        new.clock().advance(ONE_MINUTE * 4);
        assert_eq!(deliver(&new).await, 1);
        assert_eq!(new.db().number(same), 1, "{same}");
    }
}

/// One process knew only the new secret, and its link has ended the link of the old secret.
async fn a_mail_that_is_sent_again_has_the_link_that_works(database: Database) {
    const NEW_SECRET: &str = "a second secret that is as long as it has to be";
    const LINKS: &str = "SELECT count(*) FROM one_time_tokens";
    const END_OLDER: &str = "UPDATE one_time_tokens SET used_at = expires_at \
        WHERE expires_at = (SELECT min(expires_at) FROM one_time_tokens)";
    // In both orders, since the database may find either row first.
    for (first, second) in [(SECRET_KEY, NEW_SECRET), (NEW_SECRET, SECRET_KEY)] {
        let (lost, server) = (ScriptedMailServer::start(), ScriptedMailServer::start());
        let old =
            TestApp::builder(database).user(ADA).set("SECRET_KEY", first).set("EMAIL_URL", url_of(&lost)).start().await;
        lost.refuse("MESSAGE", Refusal::HangUp);
        request_reset(&old, ADA).await;
        assert_eq!(deliver(&old).await, 0);
        let process = async |server: &ScriptedMailServer, fallbacks: &str| {
            let process = TestApp::builder_on(old.db().clone()).clock(old.clock()).set("EMAIL_URL", url_of(server));
            let process = process.set("SECRET_KEY", second).set("SECRET_KEY_FALLBACKS", fallbacks).start().await;
            process.clock().advance(ONE_MINUTE * 25);
            process
        };
        assert_eq!(deliver(&process(&lost, "").await).await, 0);
        old.db().execute(END_OLDER);
        assert_eq!(old.db().number(LINKS), 2);
        assert_eq!(deliver(&process(&server, first).await).await, 1);
        assert_eq!((old.db().number(LINKS), server.accepted().len()), (2, 1));
    }
}

async fn a_link_that_has_arrived_works_until_the_next_one_has_arrived(database: Database) {
    const LIVE: &str = "SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL";
    const LIVE_NEWEST: &str = "SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL \
        AND expires_at = (SELECT max(expires_at) FROM one_time_tokens)";
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    request_reset(&app, ADA).await;
    assert_eq!(deliver(&app).await, 1);
    server.refuse("MESSAGE", Refusal::HangUp);
    app.clock().advance(ONE_MINUTE);
    request_reset(&app, ADA).await;
    for _ in 0..2 {
        assert_eq!(deliver(&app).await, 0);
        assert_eq!(app.db().number(LIVE), 2);
        app.clock().advance(ONE_MINUTE * 25);
    }
    server.accept_all();
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((app.db().number(LIVE), app.db().number(LIVE_NEWEST)), (1, 1));
}

/// Two processes whose clocks differ, each within the tolerance: by its times, the newer link expires first.
async fn a_mail_that_is_accepted_late_does_not_end_a_newer_link(database: Database) {
    const LIVE: &str = "SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL";
    const LIVE_NEWER: &str = "SELECT count(*) FROM one_time_tokens LEFT JOIN older_links USING (hash) \
        WHERE used_at IS NULL AND older_links.hash IS NULL";
    let (slow, quick) = (ScriptedMailServer::start(), ScriptedMailServer::start());
    let ahead = start(database, url_of(&slow)).await;
    let clock = Arc::new(ManualClock::new());
    clock.advance(Duration::seconds(-8));
    let behind = TestApp::builder_on(ahead.db().clone()).clock(&clock).set("EMAIL_URL", url_of(&quick)).start().await;
    request_reset(&ahead, ADA).await;
    let release = slow.hold();
    let meanwhile = async {
        eventually("the first mail arrives", async || slow.is_holding().then_some(())).await;
        ahead.db().execute("CREATE TABLE older_links AS SELECT hash FROM one_time_tokens");
        request_reset(&behind, ADA).await;
        assert_eq!(deliver(&behind).await, 1);
        assert_eq!((ahead.db().number(LIVE), ahead.db().number(LIVE_NEWER)), (1, 1));
        drop(release);
    };
    let (sent, ()) = tokio::join!(deliver(&ahead), meanwhile);
    assert_eq!(sent, 1);
    assert_eq!((ahead.db().number(LIVE), ahead.db().number(LIVE_NEWER)), (1, 1));
}

/// The first request's turn comes late. So its first attempt comes after that of the second request's mail, which was postponed.
async fn two_mails_whose_attempts_overlap_do_not_end_each_others_links(database: Database) {
    const LIVE: &str = "SELECT count(*) FROM one_time_tokens WHERE used_at IS NULL";
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    request_reset(&app, ADA).await;
    app.db().execute("UPDATE mail_outbox SET due_at = expires_at");
    server.refuse("RCPT", Refusal::Reply("450 4.7.1 try again later"));
    request_reset(&app, ADA).await;
    assert_eq!(deliver(&app).await, 0);
    server.accept_all();
    app.clock().advance(ONE_MINUTE);
    app.db().execute("UPDATE mail_outbox SET due_at = created_at");
    let release = server.hold();
    let meanwhile = async {
        let accepted = async || (app.db().number(WAITING) == 1 && server.is_holding()).then_some(());
        eventually("one mail is accepted while the other one is being sent", accepted).await;
        assert_eq!(app.db().number(LIVE), 1);
        drop(release);
    };
    let (sent, ()) = tokio::join!(deliver(&app), meanwhile);
    assert_eq!((sent, app.db().number(LIVE)), (2, 1));
}

/// The mail with that link has not arrived yet.
async fn a_new_password_does_not_end_the_link_that_confirms_the_address(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    server.refuse("MESSAGE", Refusal::HangUp);
    let sign_up = json!({"email": "eve@example.com", "password": PASSWORD});
    let tokens = app.post("/api/auth/register/", &sign_up).await.created();
    assert_eq!(deliver(&app).await, 0);
    let body = json!({"current_password": PASSWORD, "new_password": "another lantern in the harbor 7"});
    send(app.request_as(&tokens, Method::POST, "/api/auth/password/change/").json(&body)).await.tokens();
    server.accept_all();
    app.clock().advance(ONE_MINUTE * 4);
    assert_eq!(deliver(&app).await, 2);
    let live = "SELECT count(*) FROM one_time_tokens WHERE purpose = 'verify_email' AND used_at IS NULL";
    assert_eq!(app.db().number(live), 1);
}

/// Both accounts ask for the same address while its server postpones all mail; each link is for the account that requested it.
async fn a_change_to_an_address_that_another_account_requests_too_is_mailed(database: Database) {
    const NEW: &str = "countess@example.net";
    const LINKS: &str = "SELECT count(DISTINCT user_id) FROM one_time_tokens WHERE used_at IS NULL";
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    server.refuse("RCPT", Refusal::Reply("450 4.7.1 try again later"));
    for email in [ADA, BEN] {
        let tokens = app.login(email).await;
        let body = json!({"new_email": NEW, "password": PASSWORD});
        send(app.request_as(&tokens, Method::POST, "/api/auth/email/change/").json(&body)).await.has_status(202);
        assert_eq!(deliver(&app).await, 0);
    }
    server.accept_all();
    app.clock().advance(ONE_MINUTE * 4);
    assert_eq!(deliver(&app).await, 4);
    let mut accepted = server.accepted();
    accepted.sort();
    assert_eq!(accepted, [ADA, BEN, NEW, NEW]);
    assert_eq!((app.db().number(LINKS), app.db().number(WAITING)), (2, 0));
}

async fn of_the_links_that_one_account_requests_in_an_outage_the_last_is_mailed(database: Database) {
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    server.refuse("RCPT", Refusal::Reply("450 4.7.1 try again later"));
    for _ in 0..3 {
        request_reset(&app, ADA).await;
        assert_eq!(deliver(&app).await, 0);
    }
    server.accept_all();
    app.clock().advance(ONE_MINUTE * 4);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((server.accepted(), app.db().number(WAITING)), (vec![ADA.to_owned()], 0));
}

/// Anyone can sign up with an address that is not theirs, and delete that account.
async fn deleting_an_unconfirmed_account_keeps_another_accounts_change_to_its_address(database: Database) {
    const NEW: &str = "countess@example.net";
    let server = ScriptedMailServer::start();
    let app = start(database, url_of(&server)).await;
    server.refuse("RCPT", Refusal::Reply("450 4.7.1 try again later"));
    let ada = app.login(ADA).await;
    let body = json!({"new_email": NEW, "password": PASSWORD});
    send(app.request_as(&ada, Method::POST, "/api/auth/email/change/").json(&body)).await.has_status(202);
    assert_eq!(deliver(&app).await, 0);

    let body = json!({"email": NEW, "password": "amber lighthouse window 17"});
    let eve = send(app.request(Method::POST, "/api/auth/register/").json(&body)).await.created();
    let body = json!({"password": "amber lighthouse window 17"});
    send(app.request_as(&eve, Method::DELETE, "/api/auth/me/").json(&body)).await.done();

    server.accept_all();
    app.clock().advance(ONE_MINUTE * 4);
    deliver(&app).await;
    let subject = "SELECT count(*) FROM one_time_tokens WHERE purpose = 'change_email' AND used_at IS NULL";
    assert_eq!(app.db().number(subject), 1);
    assert_eq!(server.accepted().iter().filter(|to| *to == NEW).count(), 2, "the link, and the notice of the deletion");
}

//! Mails to a recipient's slow server do not delay other mails.

use crate::support::{Database, MailServer, Process, TestApp, TestDb, create_user, on_both_databases, send};
use api::clock::Stopwatch;
use api::service::mail::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

on_both_databases![
    ten_slow_mails_do_not_delay_ninety_others,
    ninety_mails_arrive_alone_and_with_ten_slow_ones,
    a_mail_that_is_requested_while_others_are_slow_is_sent,
    a_thousand_mails_to_one_slow_domain_do_not_delay_others,
    a_mail_in_flight_is_released_when_the_process_ends,
    two_requesters_with_many_slow_domains_do_not_delay_other_mail,
    the_networks_of_one_ipv6_site_do_not_delay_other_mail,
    retries_to_slow_domains_do_not_delay_new_mail,
];

const SLOW: &str = "slow.example";

fn slow_server() -> MailServer {
    MailServer::start(&json!({"port": 0, "tls": "none", "silent_to": SLOW}))
}

async fn start(database: Database, server: &MailServer, people: &[String]) -> TestApp {
    let builder = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
    builder.set("EMAIL_URL", format!("smtp://127.0.0.1:{}", server.port())).start().await
}

async fn request_reset(app: &TestApp, email: &str) {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
}

/// The recipients of the next `mails` mails that the server accepts.
fn next_recipients(server: &MailServer, mails: usize) -> HashSet<String> {
    let accepted = std::iter::repeat_with(|| server.next()).filter(|line| line.get("to").is_some());
    accepted.take(mails).map(|line| line["to"][0].as_str().unwrap().to_owned()).collect()
}

/// Delivers until `mails` have arrived while others are still stuck, and then stops.
async fn deliver_meanwhile(app: &TestApp, server: MailServer, mails: usize) -> HashSet<String> {
    let arrived = tokio::task::spawn_blocking(move || (next_recipients(&server, mails), server));
    tokio::select! {
        sent = deliver_due(app.services()) => panic!("no mail was delayed: {sent:?}"),
        arrived = arrived => arrived.unwrap().0,
    }
}

fn at(domain: &str, number: usize) -> Vec<String> {
    (0..number).map(|number| format!("user{number}@{domain}")).collect()
}

async fn ten_slow_mails_do_not_delay_ninety_others(database: Database) {
    let server = slow_server();
    let (slow, quick) = (at(SLOW, 10), at("example.com", 90));
    // The mails to the slow server are requested first.
    let all = [slow, quick.clone()].concat();
    let app = start(database, &server, &all).await;
    for email in &all {
        request_reset(&app, email).await;
    }
    assert_eq!(deliver_meanwhile(&app, server, 90).await, quick.into_iter().collect());
    assert_eq!(app.db().number(&format!("SELECT count(*) FROM mail_outbox WHERE recipient LIKE '%@{SLOW}'")), 10);
}

/// Milliseconds until ninety mails have arrived, behind `slow` mails whose server does not reply.
async fn time_for_ninety(database: Database, slow: usize) -> u128 {
    let server = slow_server();
    let all = [at(SLOW, slow), at("example.com", 90)].concat();
    let app = start(database, &server, &all).await;
    for email in &all {
        request_reset(&app, email).await;
    }
    let watch = Stopwatch::start();
    let mut arrived = tokio::task::spawn_blocking(move || (next_recipients(&server, 90), watch.elapsed(), server));
    let arrived = tokio::select! {
        _ = deliver_due(app.services()) => arrived.await,
        arrived = &mut arrived => arrived,
    };
    arrived.unwrap().1.as_millis()
}

/// Prints how long that takes. On a quiet machine, run more than one round:
///
/// `MAIL_ROUNDS=7 scripts/postgres run -- cargo test -p api --test api -- --nocapture ninety_mails_arrive_alone`
async fn ninety_mails_arrive_alone_and_with_ten_slow_ones(database: Database) {
    let rounds = std::env::var("MAIL_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let (mut alone, mut with_slow) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(time_for_ninety(database, 0).await);
        with_slow.push(time_for_ninety(database, 10).await);
    }
    alone.sort_unstable();
    with_slow.sort_unstable();
    let (alone, with_slow) = (alone[rounds / 2], with_slow[rounds / 2]);
    let percent = with_slow * 100 / alone.max(1);
    println!("{database:?}: ninety mails take {alone} ms alone, {with_slow} ms with ten slow ones: {percent} %");
}

async fn a_mail_that_is_requested_while_others_are_slow_is_sent(database: Database) {
    let server = slow_server();
    let slow = at(SLOW, 10);
    let app = start(database, &server, &[slow.clone(), at("example.com", 1)].concat()).await;
    for email in &slow {
        request_reset(&app, email).await;
    }
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let waits = tokio::task::spawn_blocking(move || {
        assert!(server.next().get("waits").is_some());
        begun.send(()).unwrap();
        next_recipients(&server, 1)
    });
    let late = async {
        beginning.await.unwrap();
        request_reset(&app, "user0@example.com").await;
        waits.await.unwrap()
    };
    tokio::select! {
        sent = deliver_due(app.services()) => panic!("no mail was delayed: {sent:?}"),
        arrived = late => assert!(arrived.contains("user0@example.com")),
    }
}

/// More mails than one batch reads, to a domain that is spelled in two ways.
async fn a_thousand_mails_to_one_slow_domain_do_not_delay_others(database: Database) {
    let server = slow_server();
    let app = start(database, &server, &[at("Slow.Example", 2), at("example.com", 1)].concat()).await;
    for email in at("Slow.Example", 2) {
        request_reset(&app, &email).await;
    }
    app.db().execute("UPDATE mail_outbox SET recipient = 'user1@Slow.Example' WHERE recipient LIKE 'user1@%'");
    app.db().execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
         INSERT INTO mail_outbox (kind, recipient, created_at, due_at, turn_at, expires_at)
         SELECT 'email_changed', 'user' || n || recipient, created_at, due_at, turn_at, expires_at
         FROM mail_outbox, numbers",
    );
    request_reset(&app, "user0@example.com").await;
    app.db().execute("UPDATE mail_outbox SET turn_at = expires_at WHERE recipient = 'user0@example.com'");
    assert_eq!(deliver_meanwhile(&app, server, 1).await, HashSet::from(["user0@example.com".to_owned()]));
    assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox WHERE recipient <> 'user0@example.com'"), 1002);
}

/// Twenty-four mails to as many slow domains, number n requested by `client(n)` and attempted `attempts` times before,
/// and behind them a mail of another client.
async fn assert_sent_behind_slow_domains(database: Database, client: impl Fn(usize) -> String, attempts: u32) {
    let domains: Vec<_> = (0..24).map(|number| format!("slow{number}.com")).collect();
    let server = MailServer::start(&json!({"port": 0, "tls": "none", "silent_to": domains}));
    let people = domains.iter().map(|domain| format!("u@{domain}")).chain(at("example.com", 1));
    let builder = people.fold(TestApp::builder(database), |builder, email| builder.user(&email)).limited();
    let app = builder.set("EMAIL_URL", format!("smtp://127.0.0.1:{}", server.port())).start().await;
    let request_reset_from = async |client: String, email: &str| {
        let request = app.request(Method::POST, "/api/auth/password/reset/").header("X-Forwarded-For", client);
        send(request.json(&json!({"email": email}))).await.has_status(202);
    };
    for (number, domain) in domains.iter().enumerate() {
        request_reset_from(client(number), &format!("u@{domain}")).await;
    }
    app.db().execute(&format!("UPDATE mail_outbox SET attempts = {attempts}"));
    request_reset_from("198.51.100.7".to_owned(), "user0@example.com").await;
    app.db().execute("UPDATE mail_outbox SET turn_at = expires_at WHERE recipient = 'user0@example.com'");
    let arrived = tokio::task::spawn_blocking(move || {
        let lines: Vec<_> =
            std::iter::repeat_with(|| server.next()).take_while(|line| line.get("to").is_none()).collect();
        lines.len()
    });
    let slow = tokio::select! {
        sent = deliver_due(app.services()) => panic!("no mail was delayed: {sent:?}"),
        arrived = arrived => arrived.unwrap(),
    };
    // It did not wait until one of them timed out.
    assert!((1..16).contains(&slow), "{slow}");
}

async fn two_requesters_with_many_slow_domains_do_not_delay_other_mail(database: Database) {
    assert_sent_behind_slow_domains(database, |number| format!("203.0.113.{}", number % 2), 0).await;
}

async fn the_networks_of_one_ipv6_site_do_not_delay_other_mail(database: Database) {
    assert_sent_behind_slow_domains(database, |number| format!("2001:db8:1:{number}::1"), 0).await;
}

async fn retries_to_slow_domains_do_not_delay_new_mail(database: Database) {
    assert_sent_behind_slow_domains(database, |number| format!("203.0.113.{number}"), 1).await;
}

async fn a_mail_in_flight_is_released_when_the_process_ends(database: Database) {
    let server = slow_server();
    let db = TestDb::migrated(database);
    let slow = format!("ada@{SLOW}");
    create_user(&db, &slow);
    let url = format!("smtp://127.0.0.1:{}", server.port());
    let variables = [("EMAIL_URL", url.as_str()), ("FRONTEND_URL", "https://app.example.com")];
    let mut api = Process::start_with(db.url(), &variables);
    let reset = api.request(Method::POST, "/api/auth/password/reset/").json(&json!({"email": slow}));
    send(reset).await.has_status(202);
    let waits: Value = server.next();
    assert_eq!(waits, json!({"waits": slow}));
    api.terminate();
    assert!(api.exit_status().await.success());
    api.live_log().wait_for("mail.given_back: 1 mail");
    let due = match database {
        Database::Sqlite => "SELECT count(*) FROM mail_outbox WHERE due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')",
        Database::Postgres => "SELECT count(*) FROM mail_outbox WHERE due_at <= now()",
    };
    assert_eq!(db.number(due), 1);
    // The next process sends it at once.
    let _next = Process::start_with(db.url(), &variables);
    assert_eq!(server.next(), waits);
}

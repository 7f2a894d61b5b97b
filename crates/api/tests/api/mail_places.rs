//! Mails that one recipient's server holds up cost nobody else anything.

use crate::support::{Database, MailServer, Process, TestApp, TestDb, create_user, on_both_databases, send};
use api::clock::Stopwatch;
use api::service::mail::deliver_due;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

on_both_databases![
    of_a_hundred_mails_ten_slow_ones_hold_up_none_of_the_others,
    ninety_mails_arrive_alone_and_beside_ten_slow_ones,
    a_mail_that_is_asked_for_while_others_are_slow_leaves,
    a_thousand_mails_to_one_slow_domain_hold_up_nobody_elses,
    a_mail_on_its_way_is_given_back_when_the_process_ends,
    two_requesters_with_many_slow_domains_hold_up_nobody_elses_mail,
    the_networks_of_one_ipv6_site_hold_up_nobody_elses_mail,
    mails_that_come_again_to_slow_domains_hold_up_no_new_one,
];

const SLOW: &str = "slow.example";

fn slow_server() -> MailServer {
    MailServer::start(&json!({"port": 0, "tls": "none", "silent_to": SLOW}))
}

async fn start(database: Database, server: &MailServer, people: &[String]) -> TestApp {
    let builder = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
    builder.set("EMAIL_URL", format!("smtp://127.0.0.1:{}", server.port())).start().await
}

async fn ask_for_reset(app: &TestApp, email: &str) {
    app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
}

/// The recipients of as many mails as the server takes next, whoever waits meanwhile.
fn next_recipients(server: &MailServer, mails: usize) -> HashSet<String> {
    let taken = std::iter::repeat_with(|| server.next()).filter(|line| line.get("to").is_some());
    taken.take(mails).map(|line| line["to"][0].as_str().unwrap().to_owned()).collect()
}

/// Delivers until `mails` have arrived, while others are held up, and leaves those then.
async fn deliver_meanwhile(app: &TestApp, server: MailServer, mails: usize) -> HashSet<String> {
    let arrived = tokio::task::spawn_blocking(move || (next_recipients(&server, mails), server));
    tokio::select! {
        sent = deliver_due(app.services()) => panic!("nothing was held up: {sent:?}"),
        arrived = arrived => arrived.unwrap().0,
    }
}

fn at(domain: &str, number: usize) -> Vec<String> {
    (0..number).map(|number| format!("user{number}@{domain}")).collect()
}

async fn of_a_hundred_mails_ten_slow_ones_hold_up_none_of_the_others(database: Database) {
    let server = slow_server();
    let (slow, quick) = (at(SLOW, 10), at("example.com", 90));
    // The slow ones are asked for first.
    let everybody = [slow, quick.clone()].concat();
    let app = start(database, &server, &everybody).await;
    for email in &everybody {
        ask_for_reset(&app, email).await;
    }
    assert_eq!(deliver_meanwhile(&app, server, 90).await, quick.into_iter().collect());
    assert_eq!(app.db().number(&format!("SELECT count(*) FROM mail_outbox WHERE recipient LIKE '%@{SLOW}'")), 10);
}

/// Milliseconds until ninety mails have arrived, with so many before them whose server says nothing.
async fn time_for_ninety(database: Database, slow: usize) -> u128 {
    let server = slow_server();
    let everybody = [at(SLOW, slow), at("example.com", 90)].concat();
    let app = start(database, &server, &everybody).await;
    for email in &everybody {
        ask_for_reset(&app, email).await;
    }
    let watch = Stopwatch::start();
    let mut arrived = tokio::task::spawn_blocking(move || (next_recipients(&server, 90), watch.elapsed(), server));
    let arrived = tokio::select! {
        _ = deliver_due(app.services()) => arrived.await,
        arrived = &mut arrived => arrived,
    };
    arrived.unwrap().1.as_millis()
}

/// Prints how long that takes, on a quiet machine with more than one round:
///
/// `MAIL_ROUNDS=7 scripts/postgres run -- cargo test -p api --test api -- --nocapture ninety_mails_arrive_alone`
async fn ninety_mails_arrive_alone_and_beside_ten_slow_ones(database: Database) {
    let rounds = std::env::var("MAIL_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alone.push(time_for_ninety(database, 0).await);
        beside.push(time_for_ninety(database, 10).await);
    }
    alone.sort_unstable();
    beside.sort_unstable();
    let (alone, beside) = (alone[rounds / 2], beside[rounds / 2]);
    let percent = beside * 100 / alone.max(1);
    println!("{database:?}: ninety mails take {alone} ms alone, {beside} ms beside ten slow ones: {percent} %");
}

async fn a_mail_that_is_asked_for_while_others_are_slow_leaves(database: Database) {
    let server = slow_server();
    let slow = at(SLOW, 10);
    let app = start(database, &server, &[slow.clone(), at("example.com", 1)].concat()).await;
    for email in &slow {
        ask_for_reset(&app, email).await;
    }
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let waits = tokio::task::spawn_blocking(move || {
        assert!(server.next().get("waits").is_some());
        begun.send(()).unwrap();
        next_recipients(&server, 1)
    });
    let late = async {
        beginning.await.unwrap();
        ask_for_reset(&app, "user0@example.com").await;
        waits.await.unwrap()
    };
    tokio::select! {
        sent = deliver_due(app.services()) => panic!("nothing was held up: {sent:?}"),
        arrived = late => assert!(arrived.contains("user0@example.com")),
    }
}

/// More than are looked at together, and spelled in more than one way.
async fn a_thousand_mails_to_one_slow_domain_hold_up_nobody_elses(database: Database) {
    let server = slow_server();
    let app = start(database, &server, &[at("Slow.Example", 2), at("example.com", 1)].concat()).await;
    for email in at("Slow.Example", 2) {
        ask_for_reset(&app, &email).await;
    }
    app.db().execute("UPDATE mail_outbox SET recipient = 'user1@Slow.Example' WHERE recipient LIKE 'user1@%'");
    app.db().execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
         INSERT INTO mail_outbox (kind, recipient, created_at, due_at, turn_at, expires_at)
         SELECT 'email_changed', 'user' || n || recipient, created_at, due_at, turn_at, expires_at
         FROM mail_outbox, numbers",
    );
    ask_for_reset(&app, "user0@example.com").await;
    app.db().execute("UPDATE mail_outbox SET turn_at = expires_at WHERE recipient = 'user0@example.com'");
    assert_eq!(deliver_meanwhile(&app, server, 1).await, HashSet::from(["user0@example.com".to_owned()]));
    assert_eq!(app.db().number("SELECT count(*) FROM mail_outbox WHERE recipient <> 'user0@example.com'"), 1002);
}

/// Twenty-four mails to as many slow domains, each asked for by the client of its number and attempted so often before, and
/// then somebody else's.
async fn a_mail_behind_many_slow_domains_leaves(database: Database, client: impl Fn(usize) -> String, attempts: u32) {
    let domains: Vec<_> = (0..24).map(|number| format!("slow{number}.com")).collect();
    let server = MailServer::start(&json!({"port": 0, "tls": "none", "silent_to": domains}));
    let people = domains.iter().map(|domain| format!("u@{domain}")).chain(at("example.com", 1));
    let builder = people.fold(TestApp::builder(database), |builder, email| builder.user(&email)).limited();
    let app = builder.set("EMAIL_URL", format!("smtp://127.0.0.1:{}", server.port())).start().await;
    let ask = async |client: String, email: &str| {
        let request = app.request(Method::POST, "/api/auth/password/reset/").header("X-Forwarded-For", client);
        send(request.json(&json!({"email": email}))).await.has_status(202);
    };
    for (number, domain) in domains.iter().enumerate() {
        ask(client(number), &format!("u@{domain}")).await;
    }
    app.db().execute(&format!("UPDATE mail_outbox SET attempts = {attempts}"));
    ask("198.51.100.7".to_owned(), "user0@example.com").await;
    app.db().execute("UPDATE mail_outbox SET turn_at = expires_at WHERE recipient = 'user0@example.com'");
    let arrived = tokio::task::spawn_blocking(move || {
        let lines: Vec<_> =
            std::iter::repeat_with(|| server.next()).take_while(|line| line.get("to").is_none()).collect();
        lines.len()
    });
    let slow = tokio::select! {
        sent = deliver_due(app.services()) => panic!("nothing was held up: {sent:?}"),
        arrived = arrived => arrived.unwrap(),
    };
    // It has not waited until one of them was given up.
    assert!((1..16).contains(&slow), "{slow}");
}

async fn two_requesters_with_many_slow_domains_hold_up_nobody_elses_mail(database: Database) {
    a_mail_behind_many_slow_domains_leaves(database, |number| format!("203.0.113.{}", number % 2), 0).await;
}

async fn the_networks_of_one_ipv6_site_hold_up_nobody_elses_mail(database: Database) {
    a_mail_behind_many_slow_domains_leaves(database, |number| format!("2001:db8:1:{number}::1"), 0).await;
}

async fn mails_that_come_again_to_slow_domains_hold_up_no_new_one(database: Database) {
    a_mail_behind_many_slow_domains_leaves(database, |number| format!("203.0.113.{number}"), 1).await;
}

async fn a_mail_on_its_way_is_given_back_when_the_process_ends(database: Database) {
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

//! A refusal that concerns one mail, one recipient or one connection stops no other mail and raises no alert.

use crate::support::delivery::{ONE_MINUTE, TOKEN, WAITING, deliver, has_metric, request_reset, url_of};
use crate::support::{Database, Refusal, ScriptedMailServer, TestApp, on_both_databases};
use chrono::Duration;

on_both_databases![
    a_server_with_a_limit_per_connection_gets_all_mails_at_once,
    a_mail_whose_form_is_refused_delays_no_other,
    an_address_that_the_server_cannot_take_is_given_up_after_the_usual_time,
    one_refused_domain_is_not_taken_for_a_server_that_refuses_us,
];

const REFUSES: &str = "latchkey_mail_server_refuses 1";

async fn start(database: Database, server: &ScriptedMailServer, people: &[String]) -> TestApp {
    let builder = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
    builder.set("METRICS_TOKEN", TOKEN).set("EMAIL_URL", url_of(server)).start().await
}

async fn a_server_with_a_limit_per_connection_gets_all_mails_at_once(database: Database) {
    let server = ScriptedMailServer::start();
    let people: Vec<_> = (0..24).map(|number| format!("user{number}@example{}.com", number % 12)).collect();
    let app = start(database, &server, &people).await;
    for (step, refusal) in [
        ("MAIL", Refusal::Reply("421 4.7.0 too many messages in this connection")),
        ("MAIL", Refusal::Reply("452 4.5.3 too many messages in this connection")),
        ("MAIL", Refusal::Reply("550 5.5.1 too many messages in this connection")),
        ("MAIL", Refusal::HangUp),
        ("RSET", Refusal::Reply("421 4.7.0 too many messages in this connection")),
        ("RSET", Refusal::Reply("451 not now")),
        ("RSET", Refusal::HangUp),
        ("RCPT", Refusal::Reply("421 4.7.0 too many recipients in this connection")),
        ("DATA", Refusal::Reply("421 4.7.0 too many messages in this connection")),
        ("DATA", Refusal::HangUp),
    ] {
        let case = format!("{refusal:?} at {step}");
        server.accept_one_per_connection(step, refusal);
        for email in &people {
            request_reset(&app, email).await;
        }
        assert_eq!(deliver(&app).await, 24, "{case}");
        assert_eq!(server.accepted().len(), 24, "{case}");
        assert_eq!(server.commands_after_421(), 0, "{case}: a connection that said 421 was used again");
        assert!(!has_metric(&app, REFUSES).await, "{case}");
        app.clock().advance(Duration::hours(1));
    }
    assert!(has_metric(&app, r#"latchkey_mails_total{outcome="postponed"} 0"#).await);
}

/// The address typed at sign-up decides which parameters its mail needs.
async fn a_mail_whose_form_is_refused_delays_no_other(database: Database) {
    const HONEST: [&str; 2] = ["honest@example.org", "other@example.net"];
    let special: Vec<_> = (0..18).map(|number| format!("ärger{number}@example{number}.com")).collect();
    let people: Vec<_> = special.iter().cloned().chain(HONEST.map(str::to_owned)).collect();
    for reply in ["550 5.6.7 no such addresses here", "555 5.5.4 unknown parameter", "504 unknown", "451 4.6.7 not now"]
    {
        let server = ScriptedMailServer::start();
        server.refuse("SMTPUTF8", Refusal::Reply(reply));
        let app = start(database, &server, &people).await;
        for email in &special {
            request_reset(&app, email).await;
        }
        assert_eq!(deliver(&app).await, 0, "{reply}");
        for email in HONEST {
            request_reset(&app, email).await;
            assert_eq!(deliver(&app).await, 1, "{reply}: {email} had to wait");
        }
        assert_eq!(server.accepted(), HONEST, "{reply}");
        assert!(!has_metric(&app, REFUSES).await, "{reply}");
        for _ in 0..60 {
            app.clock().advance(Duration::seconds(10));
            deliver(&app).await;
        }
        let attempts = app.db().number("SELECT max(attempts) FROM mail_outbox");
        assert_eq!(attempts, 5, "{reply}: after 0, 30, 90, 210 and 450 seconds");
        assert!(!has_metric(&app, REFUSES).await, "{reply}");

        server.accept_all();
        app.clock().advance(Duration::minutes(10));
        assert_eq!(deliver(&app).await, 18, "{reply}");
        assert_eq!(app.db().number(WAITING), 0);
    }
}

/// A server without SMTPUTF8 gets no mail to an address outside ASCII (RFC 6531, section 3.1), and all other mail.
async fn an_address_that_the_server_cannot_take_is_given_up_after_the_usual_time(database: Database) {
    let people = ["ärger@example.com", "honest@example.org", "other@example.net"].map(str::to_owned);
    let server = ScriptedMailServer::start();
    server.refuse("EHLO", Refusal::Reply("250-mail.test\r\n250-8bitmime\r\n250 auth plain"));
    let app = start(database, &server, &people).await;
    for email in &people {
        request_reset(&app, email).await;
    }
    assert_eq!(deliver(&app).await, 2);
    assert_eq!(app.db().number(WAITING), 1);
    for _ in 0..60 {
        app.clock().advance(ONE_MINUTE);
        deliver(&app).await;
    }
    let mut taken = server.accepted();
    taken.sort();
    assert_eq!(taken, people[1..]);
    assert_eq!(app.db().number(WAITING), 0);
    assert!(has_metric(&app, r#"latchkey_mails_total{outcome="given_up"} 1"#).await);
    assert!(!has_metric(&app, REFUSES).await);
}

/// Anyone can request mail to an address whose server refuses it.
async fn one_refused_domain_is_not_taken_for_a_server_that_refuses_us(database: Database) {
    const REFUSED: [&str; 2] = ["a@one.example", "b@sub.one.example"];
    const TAKEN: &str = "c@two.example";
    let people: Vec<_> = REFUSED.into_iter().chain([TAKEN]).map(str::to_owned).collect();
    for (step, name, reply) in [
        ("RCPT", "rcpt", "550 5.7.1 not to them"),
        ("DATA", "data", "554 no"),
        ("MESSAGE", "message", "554 5.7.1 content"),
    ] {
        let server = ScriptedMailServer::start();
        let app = start(database, &server, &people).await;
        server.refuse(step, Refusal::Reply(reply));
        for email in REFUSED {
            request_reset(&app, email).await;
        }
        assert_eq!(deliver(&app).await, 0);
        let counted = format!("latchkey_mail_refusals_total{{step=\"{name}\"}} 2");
        assert!(has_metric(&app, &counted).await, "{step}");
        assert!(!has_metric(&app, REFUSES).await, "{step}: one domain is taken for all");

        server.refuse_to("one.example", step, Refusal::Reply(reply));
        request_reset(&app, TAKEN).await;
        assert_eq!(deliver(&app).await, 1);
        // Another domain was refused, but after a mail was accepted.
        server.refuse_to("two.example", step, Refusal::Reply(reply));
        request_reset(&app, TAKEN).await;
        deliver(&app).await;
        assert!(!has_metric(&app, REFUSES).await, "{step}: a mail was accepted in between");

        server.refuse(step, Refusal::Reply(reply));
        app.clock().advance(ONE_MINUTE);
        assert_eq!(deliver(&app).await, 0);
        assert!(has_metric(&app, REFUSES).await, "{step}");
        server.accept_all();
        app.clock().advance(ONE_MINUTE * 2);
        assert_eq!(deliver(&app).await, 3, "{step}");
        assert!(!has_metric(&app, REFUSES).await, "{step}");
    }
}

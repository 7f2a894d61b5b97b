//! No secret is ever printed.

use super::program::api;
use super::{SOUND, deploy, message, with};
use crate::support::servers::{Server, unused_address};
use api::cli::check::configuration;
use api::config::{Inspection, VariableRow, Variables, variables};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const MARK: &str = "hunter2";

/// Every variable that holds a secret with [`MARK`] in it, pointing at an address where nothing listens.
fn marked(password: &str) -> Vec<(&'static str, String)> {
    let closed = unused_address();
    let url = |scheme: &str| format!("{scheme}://user:{password}@{closed}/name");
    vec![
        // Refused in production, so that no password is hashed here.
        ("BCRYPT_COST", "4".to_owned()),
        ("SECRET_KEY", MARK.repeat(6)),
        ("SECRET_KEY_FALLBACKS", MARK.repeat(7)),
        ("DATABASE_URL", url("postgres")),
        ("EMAIL_URL", url("smtp")),
        ("AWS_SECRET_ACCESS_KEY", MARK.repeat(3)),
        ("AWS_S3_ENDPOINT_URL", format!("http://{closed}")),
        ("REDIS_URL", url("redis")),
        ("METRICS_TOKEN", MARK.repeat(4)),
    ]
}

/// The sound production configuration with some variables changed.
fn production(changes: &[(&str, String)]) -> Variables {
    changes.iter().fold(with(&[]), |variables, (name, value)| variables.with(name, value))
}

/// Wrong values and unreachable servers are reported without the secret.
#[actix_web::test]
async fn no_secret_is_repeated() {
    let parts = [("DATABASE_URL", String::new()), ("DB_PASSWORD", MARK.repeat(2)), ("DB_HOST", "no host".to_owned())];
    let in_parts = marked(MARK).into_iter().chain(parts).collect();
    let configurations = [marked(MARK), marked("hunter2%2Fhunter2%40"), marked("hunter2%zz"), in_parts];
    let reports = configurations.iter().map(|changes| deploy(production(changes)));
    let mut reports = futures_util::future::join_all(reports).await;

    for name in variables().filter(|variable| variable.secret).flat_map(VariableRow::names) {
        for wrong in
            ["-----BEGIN hunter2", "nonsense://u:hunter2@h", "postgres://u:hunter2@h:port/d#x", "hunter2 \u{e9}"]
        {
            let changes: Vec<_> = marked(MARK).into_iter().chain([(name, wrong.to_owned())]).collect();
            reports.push(configuration(&Inspection::of(production(&changes))));
        }
    }
    for report in reports {
        assert!(report.findings.len() > 2, "{report}");
        let printed = format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap());
        assert!(!printed.contains(MARK), "{printed}");
    }
}

/// A server may repeat the secret that it received.
#[actix_web::test]
async fn no_secret_that_a_server_repeats_is_printed() {
    let echoing = Server::redis("-ERR hunter2 and hunter2%2F, go away");
    let changes = [("REDIS_URL", format!("redis://{}", echoing.address()))];
    let all: Vec<_> = marked("hunter2%2F").into_iter().chain(changes).collect();
    let report = deploy(production(&all)).await;
    assert!(message(&report, "redis.unreachable").contains("***"), "{report}");
    assert!(!report.to_string().contains("hunter2%2F"), "{report}");
}

/// At `AUTH` it receives the password in base64.
#[actix_web::test]
async fn no_word_of_a_mail_server_is_printed() {
    let login = STANDARD.encode(format!("\0user\0{MARK}"));
    for (before, id, found) in [
        ("500 5.5.1 Unrecognized command: ", "mail.refused", "refuses us at auth: replied 500"),
        ("535-5.7.8 no\r\n535 ", "mail.refused", "refuses us at auth: replied 535"),
        ("500\t", "mail.unreachable", "cannot be used: its reply is malformed"),
        ("Unrecognized: ", "mail.unreachable", "cannot be used: its reply is malformed"),
    ] {
        let echoing = Server::echoing_mail("AUTH", before);
        let changes = [("EMAIL_URL", format!("smtp://user:{MARK}@{}", echoing.address()))];
        let report = deploy(production(&marked(MARK).into_iter().chain(changes).collect::<Vec<_>>())).await;
        assert_eq!(message(&report, id), found);
        assert!(!report.to_string().contains(&login), "{report}");
    }
}

#[test]
fn the_program_prints_no_secret() {
    let marked = marked(MARK);
    let texts = marked.iter().map(|(name, value)| (*name, value.as_str()));
    let all: Vec<_> = SOUND.iter().copied().chain(texts).collect();
    for arguments in [&["check", "--deploy"][..], &["check", "--json"], &["serve"]] {
        let (output, _) = api(arguments, &all);
        let printed = format!("{output:?}");
        assert!(printed.contains("BCRYPT_COST") && !printed.contains(MARK), "{arguments:?}: {printed}");
    }
}

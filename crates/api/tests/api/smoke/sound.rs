//! Sound pairs: every check passes, and no account is left.

use super::{Pair, Plan, smoke, with};
use crate::support::{Database, PASSWORD, create_user, on_both_databases};

on_both_databases![
    a_sound_pair_passes_every_check_and_keeps_no_account,
    a_given_account_is_kept_and_only_the_sessions_of_the_run_end,
    tokens_in_cookies_pass_the_same_checks,
];

const ADA: &str = "ada@example.com";

fn port(pair: &Pair) -> String {
    pair.http_port.to_string()
}

async fn a_sound_pair_passes_every_check_and_keeps_no_account(database: Database) {
    // Short enough to wait for, and longer than any check takes on a busy machine.
    let pair = Plan { database, ..with(&[("ACCESS_TOKEN_LIFETIME", "15")]) }.start().await;
    let run = smoke(&pair, &[], "").await;
    run.expect_no_failure();
    // Without `--http-port` the port for plain HTTP is unknown.
    assert_eq!(run.names("skipped"), ["api.redirect", "api.clear", "web.redirect", "auth.cookies"], "{}", run.output);
    assert_eq!(run.code, Some(0));
    assert!(run.seen("auth.tidied").starts_with("deleted smoke-"), "{}", run.output);
    assert_eq!(pair.db.number("SELECT count(*) FROM users WHERE email LIKE 'smoke-%'"), 0);
    assert_eq!(run.report["passed"], run.names("passed").len());
}

async fn a_given_account_is_kept_and_only_the_sessions_of_the_run_end(database: Database) {
    let pair = Plan { database, ..with(&[("REGISTRATION", "closed"), ("EMAIL_VERIFICATION", "mandatory")]) };
    let pair = pair.start().await;
    create_user(&pair.db, ADA);
    let kept = pair.processes[0].login(ADA).await;
    let run = smoke(&pair, &["--email", ADA, "--password-stdin"], &format!("{PASSWORD}\n")).await;
    assert_eq!(run.code, Some(0), "{}", run.output);
    assert!(run.seen("auth.expiry").contains("--wait"), "the run must not wait for an hour: {}", run.output);
    assert!(!run.output.contains(PASSWORD));
    let live = "SELECT count(*) FROM sessions WHERE revoked_at IS NULL";
    assert_eq!(pair.db.number(live), 1, "only the session that the run did not open is live");
    pair.processes[0].me(&kept).await.done();
}

async fn tokens_in_cookies_pass_the_same_checks(database: Database) {
    let pair = Plan { database, ..with(&[("TOKEN_TRANSPORT", "cookie")]) }.start().await;
    let run = smoke(&pair, &[], "").await;
    run.expect_no_failure();
    assert!(run.names("passed").contains(&"auth.cookies"), "{}", run.output);
}

/// The API redirects or refuses. This pair has no static host that redirects.
#[actix_web::test]
async fn plain_http_is_redirected_and_tokens_in_plaintext_are_refused() {
    let pair = Plan::default().start().await;
    let run = smoke(&pair, &["--http-port", &port(&pair)], "").await;
    for name in ["api.redirect", "api.clear"] {
        assert!(run.names("passed").contains(&name), "{}", run.output);
    }
}

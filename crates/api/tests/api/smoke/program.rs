//! What the program prints and exits with.

use super::{Plan, Run, run, smoke};
use crate::support::{Publication, StaticHost};
use std::process::{Command, Stdio};

fn arguments(api: &str, web: &str) -> Vec<String> {
    ["smoke", "--api", api, "--web", web].map(str::to_owned).to_vec()
}

#[actix_web::test]
async fn people_read_a_table_with_what_to_do() {
    let pair = Plan { publish: |publication| publication.rewrites = false, ..Plan::default() }.start().await;
    let output = run(arguments(&pair.api, &pair.web), String::new()).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("passed   api.ready            "), "{said}");
    assert!(said.contains("FAILED   web.deep_links       /login says 404"), "{said}");
    assert!(said.contains("-> Let the static host rewrite"), "{said}");
    assert!(said.trim_end().ends_with("skipped"), "{said}");
    assert!(said.is_ascii() && !said.contains('\u{1b}'), "{said}");
}

#[actix_web::test]
async fn what_cannot_be_run_ends_with_2_and_says_why() {
    for (api, web, why) in [
        ("http://api.example.com", "https://app.example.com", "in plaintext"),
        ("api.example.com", "https://app.example.com", "not an address"),
    ] {
        let output = Run::of(&run(arguments(api, web), String::new()).await);
        assert_eq!(output.code, Some(2), "{}", output.said);
        assert!(output.said.contains(why), "{}", output.said);
    }
}

/// Nobody listens at port 1.
#[actix_web::test]
async fn sites_that_do_not_answer_fail_and_skip_the_rest() {
    let host = StaticHost::new();
    let web = host.url();
    host.publish(Publication::for_api("http://127.0.0.1:1"));
    let mut arguments = arguments("http://127.0.0.1:1", &web);
    arguments.push("--json".to_owned());
    let run = Run::of(&run(arguments, String::new()).await);
    assert_eq!(run.names("failed"), ["api.reached"], "{}", run.said);
    assert_eq!(run.seen("auth.sign_in"), "needs auth.account");
    assert!(run.names("passed").contains(&"web.deep_links"), "the other site is looked at all the same: {}", run.said);
    assert_eq!(run.code, Some(1));
}

/// The machine-readable form has the members that its readers count on.
#[actix_web::test]
async fn the_json_output_is_one_object() {
    let pair = Plan::default().start().await;
    let run = smoke(&pair, &[], "").await;
    assert_eq!((run.report["api"].as_str(), run.report["web"].as_str()), (Some(&*pair.api), Some(&*pair.web)));
    let rows = run.report["checks"].as_array().unwrap();
    let known: Vec<_> = api::cli::smoke::every_check().map(|check| check.id).collect();
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), known);
    assert!(rows.iter().all(|row| row["seen"].is_string() && row["fix"].is_null()), "{}", run.said);
}

/// Ctrl-C in the middle of a run that waits for a token to expire.
#[actix_web::test]
async fn an_interrupted_run_takes_away_what_it_made() {
    let pair = Plan::default().start().await;
    let child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["smoke", "--json", "--wait", "--api", &pair.api, "--web", &pair.web])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let users = "SELECT count(*) FROM users";
    crate::support::eventually("an account is made", async || (pair.db.number(users) == 1).then_some(())).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = actix_web::web::block(move || child.wait_with_output().unwrap()).await.unwrap();
    let run = Run::of(&output);
    assert_eq!(run.code, Some(2), "{}", run.said);
    assert_eq!(run.seen("auth.expiry"), "the run was interrupted");
    let left = pair.db.number("SELECT count(*) FROM users WHERE email LIKE 'smoke-%'");
    assert_eq!(left, 0, "{}", run.said);
}

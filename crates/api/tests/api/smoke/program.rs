//! The program's output and its exit code.

use super::{Plan, Run, run, smoke};
use crate::support::{Publication, StaticHost};
use std::process::{Command, Stdio};

fn arguments(api: &str, web: &str) -> Vec<String> {
    ["smoke", "--api", api, "--web", web].map(str::to_owned).to_vec()
}

#[actix_web::test]
async fn the_output_for_people_is_a_table_with_remedies() {
    let pair = Plan { publish: |publication| publication.rewrites = false, ..Plan::default() }.start().await;
    let output = run(arguments(&pair.api, &pair.web), String::new()).await;
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("passed   api.ready            "), "{table}");
    assert!(table.contains("FAILED   web.deep_links       /login says 404"), "{table}");
    assert!(table.contains("-> Let the static host rewrite"), "{table}");
    assert!(table.trim_end().ends_with("skipped"), "{table}");
    assert!(table.is_ascii() && !table.contains('\u{1b}'), "{table}");
}

#[actix_web::test]
async fn invalid_arguments_exit_with_2_and_the_reason() {
    for (api, web, why) in [
        ("http://api.example.com", "https://app.example.com", "in plaintext"),
        ("api.example.com", "https://app.example.com", "not an address"),
    ] {
        let run = Run::of(&run(arguments(api, web), String::new()).await);
        assert_eq!(run.code, Some(2), "{}", run.output);
        assert!(run.output.contains(why), "{}", run.output);
    }
}

/// No server listens on port 1.
#[actix_web::test]
async fn an_unreachable_site_fails_and_its_other_checks_are_skipped() {
    let host = StaticHost::new();
    let web = host.url();
    host.publish(Publication::for_api("http://127.0.0.1:1"));
    let mut arguments = arguments("http://127.0.0.1:1", &web);
    arguments.push("--json".to_owned());
    let run = Run::of(&run(arguments, String::new()).await);
    assert_eq!(run.names("failed"), ["api.reached"], "{}", run.output);
    assert_eq!(run.seen("auth.sign_in"), "needs auth.account");
    assert!(run.names("passed").contains(&"web.deep_links"), "the other site is still checked: {}", run.output);
    assert_eq!(run.code, Some(1));
}

/// The machine-readable output has the members that its readers need.
#[actix_web::test]
async fn the_json_output_is_one_object() {
    let pair = Plan::default().start().await;
    let run = smoke(&pair, &[], "").await;
    assert_eq!((run.report["api"].as_str(), run.report["web"].as_str()), (Some(&*pair.api), Some(&*pair.web)));
    let rows = run.report["checks"].as_array().unwrap();
    let known: Vec<_> = api::cli::smoke::every_check().map(|check| check.id).collect();
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), known);
    assert!(rows.iter().all(|row| row["seen"].is_string() && row["fix"].is_null()), "{}", run.output);
}

/// Ctrl-C in the middle of a run that waits for a token to expire.
#[actix_web::test]
async fn an_interrupted_run_deletes_its_account() {
    let pair = Plan::default().start().await;
    let child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["smoke", "--json", "--wait", "--api", &pair.api, "--web", &pair.web])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let users = "SELECT count(*) FROM users";
    crate::support::eventually("an account is created", async || (pair.db.number(users) == 1).then_some(())).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = actix_web::web::block(move || child.wait_with_output().unwrap()).await.unwrap();
    let run = Run::of(&output);
    assert_eq!(run.code, Some(2), "{}", run.output);
    assert_eq!(run.seen("auth.expiry"), "the run was interrupted");
    let left = pair.db.number("SELECT count(*) FROM users WHERE email LIKE 'smoke-%'");
    assert_eq!(left, 0, "{}", run.output);
}

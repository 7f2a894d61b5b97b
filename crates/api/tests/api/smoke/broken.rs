//! Broken deployments, and exactly the checks that must fail for each.

use super::{Plan, Run, smoke, with};
use crate::support::{PASSWORD, Publication, eventually, send};

async fn failures(plan: Plan, further: &[&str], expected: &[&str]) -> Run {
    let pair = plan.start().await;
    let port = pair.http_port.to_string();
    let further: Vec<_> =
        further.iter().map(|argument| if *argument == "PORT" { port.as_str() } else { argument }).collect();
    let run = smoke(&pair, &further, "").await;
    assert_eq!(run.names("failed"), expected, "{}", run.output);
    assert_eq!(run.code, Some(1));
    let left = pair.db.number("SELECT count(*) FROM users WHERE email LIKE 'smoke-%'");
    assert_eq!(left, 0, "a failed run must delete its account, too");
    run
}

#[actix_web::test]
async fn an_api_that_allows_another_front_end_is_found() {
    let plan = Plan { cors: Some("https://old.example.com".to_owned()), ..Plan::default() };
    let run = failures(plan, &[], &["cors.preflight", "cors.answers"]).await;
    assert!(run.seen("cors.answers").contains("origin_not_allowed"), "its pages may change nothing: {}", run.output);
}

#[actix_web::test]
async fn a_client_built_for_another_api_is_found() {
    let publish = |publication: &mut Publication| {
        publication.built_for = "https://api.old.example.com".to_owned();
        publication.allowed = "https://api.old.example.com".to_owned();
    };
    let run = failures(Plan { publish, ..Plan::default() }, &[], &["web.api", "web.policy"]).await;
    assert!(run.seen("web.api").contains("https://api.old.example.com"), "{}", run.output);
}

#[actix_web::test]
async fn a_static_host_without_headers_is_found() {
    let plan = Plan { publish: |publication| publication.headers = false, ..Plan::default() };
    failures(plan, &[], &["web.headers", "web.caching"]).await;
}

#[actix_web::test]
async fn a_static_host_without_the_rewrite_is_found() {
    let plan = Plan { publish: |publication| publication.rewrites = false, ..Plan::default() };
    // `web.caching` fails, too, because a 404 has no caching headers.
    failures(plan, &[], &["web.deep_links", "web.caching"]).await;
}

#[actix_web::test]
async fn files_of_two_builds_are_found() {
    let plan = Plan { publish: |publication| publication.stale = true, ..Plan::default() };
    failures(plan, &[], &["web.files"]).await;
}

#[actix_web::test]
async fn a_program_with_the_wrong_media_type_is_found() {
    let plan = Plan { publish: |publication| publication.wasm_type = "application/octet-stream", ..Plan::default() };
    let run = failures(plan, &[], &["web.files"]).await;
    assert!(run.seen("web.files").contains("octet-stream"), "{}", run.output);
}

/// In development mode HTTPS is not required, and the documentation is open.
#[actix_web::test]
async fn an_api_in_development_mode_is_found() {
    let expected = ["api.redirect", "api.clear", "api.headers", "api.docs", "web.redirect"];
    failures(with(&[("APP_ENV", "development")]), &["--http-port", "PORT"], &expected).await;
}

#[actix_web::test]
async fn an_api_that_believes_a_forged_address_is_found() {
    let run = failures(with(&[("TRUSTED_PROXY_HOPS", "2")]), &[], &["auth.address"]).await;
    assert!(run.seen("auth.address").contains("believes any X-Forwarded-For"), "{}", run.output);
}

/// The address that the API saw is named, so that an operator knows which proxy is missing.
#[actix_web::test]
async fn an_api_that_takes_a_proxy_for_the_client_is_found() {
    for (client, hops) in [("203.0.113.9, 104.22.17.40", "1"), ("unknown", "1")] {
        let plan = Plan { client, ..with(&[("TRUSTED_PROXY_HOPS", hops)]) };
        let run = failures(plan, &[], &["auth.address"]).await;
        let seen = if client == "unknown" { "no address" } else { "104.22.17.40" };
        assert!(run.seen("auth.address").contains(seen), "{}", run.output);
    }
}

#[actix_web::test]
async fn the_address_that_the_api_sees_is_reported() {
    let plan = Plan { client: "203.0.113.9, 104.22.17.40", ..with(&[("TRUSTED_PROXY_HOPS", ""), ("RENDER", "true")]) };
    let run = smoke(&plan.start().await, &[], "").await;
    run.expect_no_failure();
    assert_eq!(run.seen("auth.address"), "the API sees 203.0.113.9");
}

/// Two processes behind one load balancer with different keys: neither accepts the other's tokens.
#[actix_web::test]
async fn processes_with_different_keys_are_found() {
    let other = vec![("SECRET_KEY", "another key that is long enough for anyone as well".to_owned())];
    let plan = Plan { processes: vec![Vec::new(), other], ..Plan::default() };
    let pair = plan.start().await;
    let run = smoke(&pair, &[], "").await;
    assert!(run.names("failed").contains(&"auth.protected"), "{}", run.output);
    assert!(run.seen("auth.protected").contains("token_malformed"), "{}", run.output);
    assert_eq!(run.code, Some(1));
    assert_eq!(pair.db.number("SELECT count(*) FROM users WHERE email LIKE 'smoke-%'"), 0, "{}", run.output);
}

#[actix_web::test]
async fn a_closed_registration_needs_a_given_account() {
    let run = failures(with(&[("REGISTRATION", "closed")]), &[], &["auth.account"]).await;
    assert_eq!(run.seen("auth.sign_in"), "needs auth.account");
    assert!(run.names("passed").contains(&"auth.unauthorized"), "checks that need no account still run");
    failures(with(&[("EMAIL_VERIFICATION", "mandatory")]), &[], &["auth.account"]).await;
}

/// The schema is of an older release: the API responds, and reports the missing migrations.
#[actix_web::test]
async fn a_database_without_the_latest_migration_is_found() {
    let pair = Plan::default().start().await;
    pair.db.execute(
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)",
    );
    // The process uses the result of its start for a second.
    eventually("the process is not ready", async || {
        (pair.processes[0].get("/readyz").await.status == 503).then_some(())
    })
    .await;
    let run = smoke(&pair, &[], "").await;
    assert_eq!(run.names("failed"), ["api.ready"], "{}", run.output);
    assert!(run.seen("api.ready").starts_with("migrations: "), "{}", run.output);
    assert_eq!(run.seen("auth.account"), "needs api.ready");
}

/// Other clients at this address have used up its registrations.
#[actix_web::test]
async fn a_rate_limit_is_reported_and_not_waited_for() {
    let pair = Plan::default().start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for person in 0..20 {
        let body = serde_json::json!({"email": format!("person-{person}@example.com"), "password": PASSWORD});
        let response = send(client.post(format!("{}/api/auth/register/", pair.api)).json(&body)).await;
        assert_eq!(response.status, 201);
    }
    let run = smoke(&pair, &[], "").await;
    assert_eq!(run.names("failed"), ["auth.account"], "{}", run.output);
    assert!(run.seen("auth.account").starts_with("limited: the API asks to come back in "), "{}", run.output);
    assert_eq!(run.seen("auth.tidied"), "no account was made");
}

/// The run does not sign in to an existing account, and deletes nothing of it.
#[actix_web::test]
async fn a_taken_address_is_left_alone() {
    let pair = Plan::default().start().await;
    assert_eq!(pair.processes[0].register("ada@example.com").await.status, 201);
    let run = smoke(&pair, &["--email", "ada@example.com"], "").await;
    assert_eq!(run.names("failed"), ["auth.account"], "{}", run.output);
    assert!(run.seen("auth.account").starts_with("409 email_taken"), "{}", run.output);
    assert_eq!(pair.db.number("SELECT count(*) FROM users WHERE email = 'ada@example.com'"), 1);
}

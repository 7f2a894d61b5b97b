//! The metrics that an operator's Prometheus reads, and that no one else can read them.

use crate::support::{Database, PASSWORD, TestApp, TestResponse, eventually, on_both_databases, send};
use api::gate::{Requester, RequesterId, on_behalf_of};
use auth_types::Reason;
use chrono::Duration;
use reqwest::Method;

on_both_databases![sign_ins_refreshes_and_requests_are_counted, the_current_state_is_reported];

const ADA: &str = "ada@example.com";
const TOKEN: &str = "a-token-for-the-operators-eyes";

async fn start(database: Database) -> TestApp {
    TestApp::builder(database).user(ADA).limited().set("METRICS_TOKEN", TOKEN).start().await
}

async fn scrape(app: &TestApp) -> String {
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let response = send(app.request(Method::GET, "/metrics").bearer_auth(TOKEN).header("Accept", accept)).await;
    response.has_status(200);
    assert_eq!(response.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = response.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

#[track_caller]
fn assert_holds(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line} is not in\n{text}");
    }
}

async fn sign_ins_refreshes_and_requests_are_counted(database: Database) {
    let app = start(database).await;
    let first = app.login(ADA).await;
    app.sign_in(ADA, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
    let second = app.refresh_with_key(&first, "attempt-1").await.tokens();
    app.refresh_with_key(&first, "attempt-1").await.tokens();
    app.clock().advance(Duration::seconds(11));
    app.refresh(&first).await.unauthorized(Reason::RefreshReused);
    app.refresh(&second).await.unauthorized(Reason::SessionRevoked);
    for _ in 0..9 {
        app.sign_in("eve@example.com", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    }
    app.sign_in("eve@example.com", PASSWORD).await.unauthorized(Reason::CredentialsWrong);
    app.sign_in("eve@example.com", PASSWORD).await.throttled();

    assert_holds(
        &scrape(&app).await,
        &[
            r#"latchkey_sign_ins_total{outcome="succeeded"} 1"#,
            r#"latchkey_sign_ins_total{outcome="refused"} 11"#,
            r#"latchkey_sign_ins_total{outcome="throttled"} 1"#,
            r#"latchkey_refreshes_total{outcome="rotated"} 1"#,
            r#"latchkey_refreshes_total{outcome="repeated"} 1"#,
            r#"latchkey_refreshes_total{outcome="reused"} 1"#,
            r#"latchkey_refreshes_total{outcome="refused"} 1"#,
            r#"latchkey_limits_refused_total{budget="sign_in_stranger"} 1"#,
            r#"latchkey_http_requests_total{method="POST",route="/api/auth/login",status="401"} 11"#,
            r#"latchkey_http_requests_total{method="POST",route="/api/auth/login",status="429"} 1"#,
            r#"latchkey_http_failures_total{route="/api/auth/refresh",reason="refresh_reused"} 1"#,
            r#"latchkey_http_failures_total{route="/api/auth/login",reason="rate_limited"} 1"#,
            r#"latchkey_http_request_duration_seconds_count{route="/api/auth/login"} 13"#,
        ],
    );
}

async fn the_current_state_is_reported(database: Database) {
    let app = start(database).await;
    app.poll_revocations().await;
    app.clock().advance(Duration::milliseconds(2_500));
    app.sign_in(ADA, "violet harbor lantern 43").await.unauthorized(Reason::CredentialsWrong);
    // The response may be a moment ahead of the thread that hashed for it.
    let text = eventually("no hashing job runs", async || {
        let text = scrape(&app).await;
        text.contains("latchkey_hashing_jobs{state=\"running\"} 0\n").then_some(text)
    });
    let text = text.await;
    let version = format!(
        r#"latchkey_build_info{{version="{}",revision="{}",rustc="1."#,
        env!("CARGO_PKG_VERSION"),
        option_env!("RENDER_GIT_COMMIT").unwrap_or("unknown"),
    );
    assert!(text.contains(&version), "{version} is not in\n{text}");
    assert_holds(
        &text,
        &[
            "latchkey_revocation_feed_age_seconds 2.5",
            r#"latchkey_hashing_jobs{state="waiting"} 0"#,
            r#"latchkey_database_connections{state="used"} 0"#,
            "latchkey_limits_keys 5",
            "latchkey_limits_redis_up 0",
        ],
    );
    let idle = text.lines().find_map(|line| line.strip_prefix(r#"latchkey_database_connections{state="idle"} "#));
    assert!(idle.unwrap().parse::<u32>().unwrap() >= 1);
}

#[actix_web::test]
async fn running_and_waiting_hashing_jobs_are_reported() {
    let app = start(Database::Sqlite).await;
    let threads = std::thread::available_parallelism().unwrap().get();
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let (release, held): (Vec<_>, Vec<_>) = (0..=threads).map(|_| std::sync::mpsc::channel::<()>()).unzip();
    // Each for another requester, since one gets at most half of the threads.
    let jobs = held.into_iter().enumerate().map(|(number, held)| {
        let (started, account) = (started.clone(), RequesterId::Account(i64::try_from(number).unwrap()));
        let job = app.services().hashing.run(move || started.send(()).is_ok() && held.recv().is_err());
        on_behalf_of(Requester::recognized(account), job)
    });
    let jobs = futures_util::future::join_all(jobs);
    let scraping = async {
        for _ in 0..threads {
            starts.recv().await.unwrap();
        }
        let text = scrape(&app).await;
        drop(release);
        text
    };
    let (_, text) = tokio::join!(jobs, scraping);
    assert_holds(
        &text,
        &[
            &format!(r#"latchkey_hashing_jobs{{state="running"}} {threads}"#),
            r#"latchkey_hashing_jobs{state="waiting"} 1"#,
        ],
    );
}

async fn request_metrics(app: &TestApp, token: Option<&str>) -> TestResponse {
    let request = app.request(Method::GET, "/metrics");
    send(if let Some(token) = token { request.bearer_auth(token) } else { request }).await
}

#[actix_web::test]
async fn the_metrics_need_their_own_token() {
    let app = start(Database::Sqlite).await;
    let tokens = app.login(ADA).await;
    request_metrics(&app, None).await.unauthorized(Reason::CredentialsMissing);
    for wrong in ["", "a", &TOKEN[1..], &format!("{TOKEN}x"), &TOKEN.to_uppercase(), &tokens.access] {
        request_metrics(&app, Some(wrong)).await.unauthorized(Reason::TokenMalformed);
    }
    send(app.request(Method::GET, &format!("/metrics?token={TOKEN}"))).await.unauthorized(Reason::CredentialsMissing);
    app.me(&auth_types::responses::TokenResponse { access: TOKEN.to_owned(), ..tokens })
        .await
        .unauthorized(Reason::TokenMalformed);

    let closed = TestApp::builder(Database::Sqlite).start().await;
    request_metrics(&closed, None).await.unauthorized(Reason::CredentialsMissing);
    for token in ["", "x", TOKEN] {
        request_metrics(&closed, Some(token)).await.unauthorized(Reason::TokenMalformed);
    }
}

/// A client that could create labels could fill the memory of the process and of its collector.
#[actix_web::test]
async fn client_input_never_becomes_a_label() {
    let app = start(Database::Sqlite).await;
    let tokens = app.login(ADA).await;
    let before = scrape(&app).await.lines().count();
    for number in 0..50 {
        let _ = app.get(&format!("/invented/{number}")).await;
        let _ = send(app.request(Method::from_bytes(format!("X{number}").as_bytes()).unwrap(), "/healthz")).await;
        let _ = send(app.request_as(&tokens, Method::DELETE, &format!("/api/auth/sessions/{number}/"))).await;
        let _ = app.sign_in_from("203.0.113.9", &format!("mallory{number}@example.com"), "of no use").await;
    }
    let text = scrape(&app).await;
    assert!(text.lines().count() < before + 80, "{text}");
    for private in ["invented", "X1", "mallory", "ada", "203.0.113", "127.0.0.1", TOKEN, PASSWORD] {
        assert!(!text.contains(private), "{private} is in\n{text}");
    }
}

/// Only a request for `OpenMetrics` gets it: older collectors and people with `curl` read the classic format.
#[actix_web::test]
async fn other_collectors_get_the_classic_format() {
    let app = start(Database::Sqlite).await;
    let scrape = async |accept: &str| {
        let request = app.request(Method::GET, "/metrics").bearer_auth(TOKEN);
        send(if accept.is_empty() { request } else { request.header("Accept", accept) }).await
    };
    for accept in [
        "",
        "*/*",
        "text/plain",
        "text/plain;version=0.0.4",
        "text/plain; version=0.0.4; charset=utf-8",
        "text/plain;version=0.0.4, application/openmetrics-text;q=0.5",
        "application/openmetrics-text;q=0",
        "text/html",
    ] {
        let response = scrape(accept).await;
        assert_eq!(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8", "{accept}");
        let text = response.text();
        assert!(
            !text.contains("# EOF")
                && !text.contains("# UNIT")
                && text.contains("# TYPE latchkey_mails_total counter\n")
        );
        assert!(text.contains("# TYPE latchkey_build_info gauge\n"), "{text}");
    }
    for accept in ["application/openmetrics-text", "Application/OpenMetrics-Text; version=1.0.0 , text/plain;q=0.9"] {
        let response = scrape(accept).await;
        assert!(response.header("content-type").starts_with("application/openmetrics-text"), "{accept}");
        assert!(response.text().ends_with("# EOF\n"));
    }
}

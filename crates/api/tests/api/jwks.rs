//! The published key set, and interoperability with an independent JWT library in both directions.

use crate::support::{Database, KeyPair, SECRET_KEY, TestApp, forge, send};
use auth_types::responses::TokenResponse;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const ADA: &str = "ada@example.com";
const PATH: &str = "/.well-known/jwks.json";

#[actix_web::test]
async fn a_secret_key_is_not_published() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let response = app.get(PATH).await;
    response.has_status(200);
    assert_eq!(response.json::<Value>(), json!({"keys": []}));
}

#[actix_web::test]
async fn the_ring_is_published_in_order_with_public_members_only() {
    for pair in KeyPair::both() {
        let older = KeyPair::both();
        let ring = [pair.private_pem(), older[0].public_pem(), older[1].private_pem()].concat();
        let builder = TestApp::builder(Database::Sqlite).key_pair(&pair).user(ADA);
        let app = builder.set("JWT_PRIVATE_KEY", ring).start().await;
        let response = app.get(PATH).await;
        response.has_status(200);
        assert_eq!(response.header("content-type"), "application/json");
        assert_eq!(response.header("cache-control"), "public, max-age=300");
        let keys = [&pair, &older[0], &older[1]].map(KeyPair::json_web_key);
        assert_eq!(response.json::<Value>(), json!({"keys": keys}));
        let tokens = app.login(ADA).await;
        for token in [&tokens.access, &tokens.refresh] {
            assert_eq!(forge::header(token), pair.header());
        }
    }
}

/// RFC 8037, appendix A.3.
#[actix_web::test]
async fn a_key_is_named_by_its_thumbprint() {
    let key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
               -----END PUBLIC KEY-----";
    let app = TestApp::builder(Database::Sqlite).set("JWT_PRIVATE_KEY", key).start().await;
    let key_set: Value = app.get(PATH).await.json();
    assert_eq!(key_set["keys"][0]["kid"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[actix_web::test]
async fn the_front_end_may_read_the_key_set() {
    let origin = "https://app.example.com";
    let app = TestApp::builder(Database::Sqlite).set("CORS_ALLOWED_ORIGINS", origin).start().await;
    let response = send(app.request(Method::GET, PATH).header("Origin", origin)).await;
    assert_eq!(response.header("access-control-allow-origin"), origin);
}

/// Runs the orders with `jose`, an independent JavaScript library.
fn jose(orders: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/e2e/support/jose.js");
    let mut command = Command::new("node");
    let child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("cannot start node ({error}): run scripts/setup test"));
    child.stdin.take().unwrap().write_all(orders.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "jose is missing (run scripts/setup test), or: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The orders to verify both of our tokens.
fn orders(tokens: &TokenResponse, alg: &str, trust: &Value) -> Value {
    json!([
        {"verify": tokens.access, "alg": alg, "with": trust},
        {"verify": tokens.refresh, "alg": alg, "with": trust},
    ])
}

fn claims(tokens: &TokenResponse) -> Value {
    json!([{"claims": forge::claims(&tokens.access)}, {"claims": forge::claims(&tokens.refresh)}])
}

#[actix_web::test]
async fn another_library_verifies_our_tokens_with_the_published_keys() {
    for pair in KeyPair::both() {
        let builder = TestApp::builder(Database::Sqlite).key_pair(&pair).user(ADA);
        let app = builder.set("JWT_ISSUER", "https://api.example.com").set("JWT_AUDIENCE", "web").start().await;
        let tokens = app.login(ADA).await;
        let trust = json!({"jwks": app.url(PATH), "issuer": "https://api.example.com", "audience": "web"});
        assert_eq!(jose(&orders(&tokens, pair.algorithm(), &trust)), claims(&tokens));
        // Another API's keys do not verify them.
        let other = TestApp::builder(Database::Sqlite).key_pair(&pair.another()).start().await;
        let refused = jose(&orders(&tokens, pair.algorithm(), &json!({"jwks": other.url(PATH)})));
        assert_eq!(refused[0], json!({"error": "ERR_JWKS_NO_MATCHING_KEY"}));
    }
}

#[actix_web::test]
async fn another_library_verifies_our_tokens_with_the_secret() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    assert_eq!(jose(&orders(&tokens, "HS256", &json!({"secret": SECRET_KEY}))), claims(&tokens));
    let refused = jose(&orders(&tokens, "HS256", &json!({"secret": "another secret, as long as it has to be"})));
    assert_eq!(refused[0], json!({"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}));
}

/// With a secret, simplejwt's tokens and our tokens have the same header; simplejwt's lack our `sid`, `sub` and `role`.
#[actix_web::test]
async fn we_verify_the_tokens_of_another_library() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let mut simplejwt = forge::claims(&tokens.access);
    for claim in ["sid", "sub", "role"] {
        simplejwt.as_object_mut().unwrap().remove(claim);
    }
    let signed = jose(&json!([
        {"sign": forge::claims(&tokens.access), "header": header, "with": {"secret": SECRET_KEY}},
        {"sign": forge::claims(&tokens.refresh), "header": header, "with": {"secret": SECRET_KEY}},
        {"sign": forge::claims(&tokens.access), "header": header, "with": {"secret": "not the API's secret, though as long"}},
        {"sign": simplejwt, "header": header, "with": {"secret": SECRET_KEY}},
    ]));
    assert_verdicts(&app, &signed, &[true, true, false, false]).await;

    for pair in KeyPair::both() {
        let app = TestApp::builder(Database::Sqlite).key_pair(&pair).user(ADA).start().await;
        let tokens = app.login(ADA).await;
        let (claims, alg) = (forge::claims(&tokens.access), pair.algorithm());
        let without_kid = json!({"alg": alg, "typ": "JWT"});
        let own = json!({"pem": pair.private_pem()});
        let other = json!({"pem": pair.another().private_pem()});
        let signed = jose(&json!([
            {"sign": claims, "header": pair.header(), "with": own},
            {"sign": claims, "header": without_kid, "with": own},
            {"sign": claims, "header": pair.header(), "with": other},
            {"sign": claims, "header": without_kid, "with": other},
            {"sign": claims, "header": header, "with": {"secret": SECRET_KEY}},
            {"sign": claims, "header": header, "with": {"secret": pair.public_pem()}},
        ]));
        assert_verdicts(&app, &signed, &[true, true, false, false, false, false]).await;
    }
}

async fn assert_verdicts(app: &TestApp, signed: &Value, good: &[bool]) {
    assert_eq!(signed.as_array().unwrap().len(), good.len());
    for (index, good) in good.iter().enumerate() {
        let response = app.verify(signed[index]["token"].as_str().unwrap()).await;
        assert_eq!(response.status.as_u16(), if *good { 200 } else { 401 }, "{index}: {}", response.text());
    }
}

//! The public keys, and what an independent library says of our tokens and we of its.

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
    let answer = app.get(PATH).await;
    answer.has_status(200);
    assert_eq!(answer.json::<Value>(), json!({"keys": []}));
}

#[actix_web::test]
async fn the_ring_is_published_in_its_order_and_only_its_public_members() {
    for pair in KeyPair::both() {
        let older = KeyPair::both();
        let ring = [pair.private_pem(), older[0].public_pem(), older[1].private_pem()].concat();
        let builder = TestApp::builder(Database::Sqlite).key_pair(&pair).user(ADA);
        let app = builder.set("JWT_PRIVATE_KEY", ring).start().await;
        let answer = app.get(PATH).await;
        answer.has_status(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let keys = [&pair, &older[0], &older[1]].map(KeyPair::json_web_key);
        assert_eq!(answer.json::<Value>(), json!({"keys": keys}));
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
    let answer = send(app.request(Method::GET, PATH).header("Origin", origin)).await;
    assert_eq!(answer.header("access-control-allow-origin"), origin);
}

/// Asks `jose`, a JavaScript library that knows nothing of ours.
fn jose(orders: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/e2e/support/jose.js");
    let mut command = Command::new("node");
    let child = command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("cannot start node ({error}): run scripts/setup test"));
    child.stdin.take().unwrap().write_all(orders.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "jose is missing (run scripts/setup test), or: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Our two tokens, as an order to verify each.
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
        // And it can tell: another API's keys do not verify them.
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

/// simplejwt's tokens have the header that ours have with a secret, and its claims; ours have `sid` besides.
#[actix_web::test]
async fn we_verify_the_tokens_of_another_library() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let mut simplejwt = forge::claims(&tokens.access);
    for ours in ["sid", "sub", "role"] {
        simplejwt.as_object_mut().unwrap().remove(ours);
    }
    let made = jose(&json!([
        {"sign": forge::claims(&tokens.access), "header": header, "with": {"secret": SECRET_KEY}},
        {"sign": forge::claims(&tokens.refresh), "header": header, "with": {"secret": SECRET_KEY}},
        {"sign": forge::claims(&tokens.access), "header": header, "with": {"secret": "not the API's secret, though as long"}},
        {"sign": simplejwt, "header": header, "with": {"secret": SECRET_KEY}},
    ]));
    judge(&app, &made, &[true, true, false, false]).await;

    for pair in KeyPair::both() {
        let app = TestApp::builder(Database::Sqlite).key_pair(&pair).user(ADA).start().await;
        let tokens = app.login(ADA).await;
        let (claims, alg) = (forge::claims(&tokens.access), pair.algorithm());
        let nameless = json!({"alg": alg, "typ": "JWT"});
        let own = json!({"pem": pair.private_pem()});
        let other = json!({"pem": pair.another().private_pem()});
        let made = jose(&json!([
            {"sign": claims, "header": pair.header(), "with": own},
            {"sign": claims, "header": nameless, "with": own},
            {"sign": claims, "header": pair.header(), "with": other},
            {"sign": claims, "header": nameless, "with": other},
            {"sign": claims, "header": header, "with": {"secret": SECRET_KEY}},
            {"sign": claims, "header": header, "with": {"secret": pair.public_pem()}},
        ]));
        judge(&app, &made, &[true, true, false, false, false, false]).await;
    }
}

async fn judge(app: &TestApp, made: &Value, good: &[bool]) {
    assert_eq!(made.as_array().unwrap().len(), good.len());
    for (index, good) in good.iter().enumerate() {
        let answer = app.verify(made[index]["token"].as_str().unwrap()).await;
        assert_eq!(answer.status.as_u16(), if *good { 200 } else { 401 }, "{index}: {}", answer.text());
    }
}

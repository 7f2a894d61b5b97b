//! Tokens forged against a key pair: none is accepted, none causes a 5xx, nothing is written.

use crate::support::{
    Database, KeyPair, SECRET_KEY, TestApp, TestResponse, forge, forge::encode, on_both_databases, send,
};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use aws_lc_rs::hmac::HMAC_SHA256;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    no_forged_token_of_a_key_pair_is_accepted_anywhere,
    the_other_signature_of_a_revoked_token_opens_nothing,
];

const ADA: &str = "ada@example.com";

/// Name → token.
type Forgeries = Vec<(String, String)>;

/// The catalogue, each row made of a token that `pair` has signed.
fn forgeries(pair: &KeyPair, good: &str) -> Forgeries {
    let mut all = confusions(pair, good);
    all.extend(algorithms(pair, good));
    all.extend(other_keys(pair, good));
    all.extend(headers(pair, good));
    all.extend(signatures(pair, good));
    all
}

/// The public key, which everyone knows, used as an HMAC secret.
fn confusions(pair: &KeyPair, good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let (pem, key) = (pair.public_pem(), pair.json_web_key());
    let key_set = json!({"keys": [key]}).to_string();
    let secrets: [(&str, &[u8]); 9] = [
        ("PEM", pem.as_bytes()),
        ("PEM without its last line end", pem.trim_end().as_bytes()),
        ("PEM on one line", &pem.replace('\n', "\\n").into_bytes()),
        ("private PEM", &pair.private_pem().into_bytes()),
        ("key set", key_set.as_bytes()),
        ("key as JSON", &key.to_string().into_bytes()),
        ("point", pair.point()),
        ("x", &key["x"].as_str().unwrap().to_owned().into_bytes()),
        ("kid", &pair.kid().into_bytes()),
    ];
    let headers = [json!({"typ": "JWT", "alg": "HS256"}), json!({"typ": "JWT", "alg": "HS256", "kid": pair.kid()})];
    let mut all = Forgeries::new();
    for header in headers {
        let message = format!("{}.{}", encode(header.to_string()), encode(&payload));
        for (name, secret) in &secrets {
            all.push((format!("HMAC by the {name}, {header}"), forge::sign_bytes(&message, HMAC_SHA256, secret)));
        }
        // `SECRET_KEY` signs other things here, not tokens.
        let with_secret = forge::sign(header.to_string(), &payload, SECRET_KEY);
        all.push((format!("HMAC by SECRET_KEY, {header}"), with_secret));
    }
    all
}

/// A valid signature under the name of another algorithm.
fn algorithms(pair: &KeyPair, good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let names = [
        "none", "None", "", "HS256", "HS512", "RS256", "PS256", "EdDSA", "eddsa", "Ed25519", "ES256", "ES384", "es256",
    ];
    let mut all = Forgeries::new();
    for alg in names.into_iter().filter(|alg| *alg != pair.algorithm()) {
        let header = json!({"typ": "JWT", "alg": alg, "kid": pair.kid()});
        all.push((format!("alg {alg:?}"), pair.sign(&header, &payload)));
        let unsigned = format!("{}.{}.", encode(header.to_string()), encode(&payload));
        all.push((format!("alg {alg:?}, empty signature"), unsigned));
    }
    all
}

fn other_keys(pair: &KeyPair, good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let attacker = pair.another();
    let without_kid = json!({"typ": "JWT", "alg": pair.algorithm()});
    let mut all: Forgeries = [
        ("another key under our key's name", attacker.sign(&pair.header(), &payload)),
        ("another key under its own name", attacker.sign(&attacker.header(), &payload)),
        ("another key without a name", attacker.sign(&without_kid, &payload)),
        ("our key under another name", pair.sign(&attacker.header(), &payload)),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into();
    for (name, value) in [
        ("jwk", attacker.json_web_key()),
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/chain")),
        ("x5c", json!(["MIIB"])),
    ] {
        for header in [pair.header(), attacker.header(), without_kid.clone()] {
            let token = attacker.sign(&with(header, name, &value), &payload);
            all.push((format!("{name} of another key that signed"), token));
        }
    }
    all
}

/// Bad headers, signed by our key.
fn headers(pair: &KeyPair, good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let members = [
        ("kid", json!("../../../dev/null")),
        ("kid", json!("x' UNION SELECT 'k'--")),
        ("kid", json!("a\0b")),
        ("kid", json!("")),
        ("kid", json!(1)),
        ("kid", json!([pair.kid()])),
        ("kid", json!(format!("{} ", pair.kid()))),
        ("kid", json!(pair.kid().to_lowercase())),
        ("kid", json!("k".repeat(2000))),
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/chain")),
        ("jwk", pair.json_web_key()),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!("refresh+jwt")),
    ];
    members
        .map(|(name, value)| {
            (format!("header {name} {value:.30}"), pair.sign(&with(pair.header(), name, &value), &payload))
        })
        .into()
}

/// Our message with a bad signature.
fn signatures(pair: &KeyPair, good: &str) -> Forgeries {
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (r, s) = halves(signature);
    let mut rows = vec![
        ("all zero", vec![0; 64]),
        ("all ones", vec![0xff; 64]),
        ("of nothing", pair.signature("")),
        ("halves exchanged", [s.clone(), r.clone()].concat()),
        ("one byte short", [r.clone(), s[..31].to_vec()].concat()),
        ("one byte long", [r.clone(), s.clone(), vec![0]].concat()),
        ("the first half", r.clone()),
    ];
    match pair {
        KeyPair::EdDsa(_) => {
            rows.push(("s + L (RFC 8032, section 8.4)", [r, plus_order(&s)].concat()));
            let mut neutral = vec![0; 64];
            neutral[0] = 1; // the neutral point and s = 0
            rows.push(("the neutral point", neutral));
        }
        KeyPair::Es256(key) => {
            rows.push(("r = s = n", [P256_ORDER, P256_ORDER].concat()));
            rows.push(("r = n, s", [P256_ORDER.to_vec(), s.clone()].concat()));
            rows.push(("r, s = 0", [r, vec![0; 32]].concat()));
            rows.push(("DER", der_signature(key, message)));
        }
    }
    rows.into_iter()
        .map(|(name, bytes)| (format!("signature: {name}"), format!("{message}.{}", encode(bytes))))
        .collect()
}

fn with(mut header: Value, name: &str, value: &Value) -> Value {
    header[name] = value.clone();
    header
}

fn halves(signature: &str) -> (Vec<u8>, Vec<u8>) {
    let bytes = forge::decode(signature);
    (bytes[..32].to_vec(), bytes[32..].to_vec())
}

/// The order of Ed25519's group, little-endian.
const ED25519_ORDER: [u8; 32] =
    *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";
/// The order of P-256's group, big-endian.
const P256_ORDER: [u8; 32] =
    *b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";

/// Little-endian `s` plus the order: the same scalar to a verifier that does not check that `s` is below the order.
fn plus_order(s: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let sums = s.iter().zip(ED25519_ORDER).map(|(a, b)| {
        let sum = u16::from(*a) + u16::from(b) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    });
    sums.collect()
}

/// The order minus big-endian `s`: the other signature that ECDSA accepts for the same message.
fn from_order(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut differences: Vec<_> = P256_ORDER
        .iter()
        .zip(s)
        .rev()
        .map(|(a, b)| {
            let difference = 0x100 + u16::from(*a) - u16::from(*b) - borrow;
            borrow = u16::from(difference < 0x100);
            difference.to_le_bytes()[0]
        })
        .collect();
    differences.reverse();
    differences
}

fn der_signature(key: &EcdsaKeyPair, message: &str) -> Vec<u8> {
    let pkcs8 = key.to_pkcs8v1().unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
}

async fn bearer(app: &TestApp, token: &str) -> TestResponse {
    send(app.request(Method::GET, "/api/auth/me/").bearer_auth(token)).await
}

#[track_caller]
fn assert_refused(response: TestResponse, what: &str) {
    assert_eq!(response.status, 401, "{what}: {}", response.text());
    let reason = response.problem(401).reason;
    assert!(matches!(reason, Reason::TokenMalformed | Reason::KeyUnknown), "{what}: {reason:?}");
    response.unauthorized(reason);
}

async fn signed_in(database: Database, pair: &KeyPair) -> (TestApp, TokenResponse) {
    let app = TestApp::builder(database).key_pair(pair).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    (app, tokens)
}

async fn no_forged_token_of_a_key_pair_is_accepted_anywhere(database: Database) {
    for pair in KeyPair::both() {
        let (app, tokens) = signed_in(database, &pair).await;
        let before = app.db().content();
        let (access, refresh) = (forgeries(&pair, &tokens.access), forgeries(&pair, &tokens.refresh));
        assert!(access.len() >= 80, "{}", access.len());
        for (name, token) in &access {
            assert_refused(bearer(&app, token).await, &format!("/me: {name}"));
            assert_refused(app.verify(token).await, &format!("/verify: {name}"));
        }
        for (name, token) in &refresh {
            assert_refused(app.verify(token).await, &format!("/verify: {name}"));
            assert_refused(app.refresh(token).await, &format!("/refresh: {name}"));
            assert_refused(app.logout(token).await, &format!("/logout: {name}"));
        }
        assert_eq!(app.db().content(), before);
        app.me(&tokens).await.done();
        app.refresh(&tokens).await.tokens();
    }
}

/// Otherwise every forgery might be refused for a mistake in how the test signs.
#[actix_web::test]
async fn tokens_that_the_test_signs_correctly_are_accepted() {
    for pair in KeyPair::both() {
        let (app, tokens) = signed_in(Database::Sqlite, &pair).await;
        for token in [&tokens.access, &tokens.refresh] {
            let payload = forge::claims(token).to_string();
            app.verify(&pair.sign(&pair.header(), &payload)).await.done();
            app.verify(&pair.sign(&json!({"alg": pair.algorithm()}), &payload)).await.done();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let (r, s) = halves(signature);
            app.verify(&format!("{message}.{}", encode([r, s].concat()))).await.done();
        }
    }
}

/// ECDSA has two signatures for a message, so a token has two spellings. The session that it names decides.
async fn the_other_signature_of_a_revoked_token_opens_nothing(database: Database) {
    let pair = KeyPair::es256();
    let (app, tokens) = signed_in(database, &pair).await;
    let other = |token: &str| {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (r, s) = halves(signature);
        format!("{message}.{}", encode([r, from_order(&s)].concat()))
    };
    let (access, refresh) = (other(&tokens.access), other(&tokens.refresh));
    bearer(&app, &access).await.done(); // accepted until the logout
    app.logout(&tokens).await.done();
    bearer(&app, &access).await.unauthorized(Reason::SessionRevoked);
    app.verify(&access).await.unauthorized(Reason::SessionRevoked);
    app.refresh(&refresh).await.unauthorized(Reason::SessionRevoked);
}

/// Where a secret signs, a public key in addition verifies the tokens of its own pair and opens no other way in.
#[actix_web::test]
async fn a_public_key_next_to_the_secret_verifies_its_own_tokens_only() {
    for pair in KeyPair::both() {
        let app = TestApp::builder(Database::Sqlite).set("JWT_PRIVATE_KEY", pair.public_pem()).user(ADA).start().await;
        let tokens = app.login(ADA).await;
        assert_eq!(forge::header(&tokens.access), json!({"typ": "JWT", "alg": "HS256"}));
        let payload = forge::claims(&tokens.access).to_string();
        app.verify(&pair.sign(&pair.header(), &payload)).await.done();
        for forged in [
            pair.another().sign(&pair.header(), &payload),
            pair.sign(&json!({"typ": "JWT", "alg": "HS256"}), &payload),
            forge::sign(json!({"typ": "JWT", "alg": "HS256"}).to_string(), &payload, &pair.public_pem()),
            forge::sign(json!({"alg": "HS256", "kid": pair.kid()}).to_string(), &payload, SECRET_KEY),
            forge::sign(pair.header().to_string(), &payload, SECRET_KEY),
        ] {
            app.verify(&forged).await.unauthorized(Reason::TokenMalformed);
        }
    }
}

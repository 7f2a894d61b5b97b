//! Forged tokens: none is accepted, none causes a 5xx, nothing is written.
//!
//! Rows about the content are signed with the right key, so that only the content can be the reason for the refusal.

use crate::support::bearer::{ADA, assert_refused, bearer, signed_in};
use crate::support::{Database, ONE_SECOND, SECRET_KEY, TestApp, forge, forge::HEADER, on_both_databases, send};
use auth_types::Reason;
use aws_lc_rs::hmac;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    no_forged_token_is_accepted_anywhere,
    a_token_of_one_type_is_never_accepted_as_the_other,
    an_expired_token_opens_nothing_but_ends_its_session,
];

/// Name → token.
type Forgeries = Vec<(String, String)>;

/// The catalogue, each row derived from a valid token.
fn forgeries(good: &str) -> Forgeries {
    let mut all = headers(good);
    all.extend(keys(good));
    all.extend(claims(good));
    all.extend(payloads(good));
    all.extend(texts(good));
    all
}

fn headers(good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let signed = |header: &str| forge::sign(header, &payload, SECRET_KEY);
    let mut all = Forgeries::new();
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = json!({"typ": "JWT", "alg": alg}).to_string();
        let unsigned = format!("{}.{}", forge::encode(&header), forge::encode(&payload));
        all.push((format!("alg {alg}, signed"), signed(&header)));
        all.push((format!("alg {alg}, empty signature"), format!("{unsigned}.")));
        all.push((format!("alg {alg}, no signature"), unsigned));
    }
    for alg in ["hs256", "Hs256", "HS256 ", "", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"] {
        let header = json!({"typ": "JWT", "alg": alg}).to_string();
        all.push((format!("alg {alg:?} over an HS256 signature"), signed(&header)));
    }
    for (alg, algorithm) in [("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)] {
        let header = json!({"typ": "JWT", "alg": alg}).to_string();
        let text = format!("{}.{}", forge::encode(header), forge::encode(&payload));
        all.push((format!("a real {alg}"), forge::sign_text(&text, algorithm, SECRET_KEY)));
    }
    let whole = [
        ("alg missing", r#"{"typ":"JWT"}"#),
        ("alg null", r#"{"typ":"JWT","alg":null}"#),
        ("alg a number", r#"{"typ":"JWT","alg":256}"#),
        ("alg a list", r#"{"typ":"JWT","alg":["HS256"]}"#),
        ("alg twice, none first", r#"{"typ":"JWT","alg":"none","alg":"HS256"}"#),
        ("alg twice, none last", r#"{"typ":"JWT","alg":"HS256","alg":"none"}"#),
        ("a header that is a list", r#"["HS256"]"#),
        ("an empty header", "{}"),
        ("a header that is no JSON", "HS256"),
        ("a header with trailing garbage", r#"{"alg":"HS256"}x"#),
    ];
    all.extend(whole.map(|(name, header)| (name.to_owned(), signed(header))));
    let members = [
        ("kid", json!("1")),
        ("kid", json!("../../../dev/null")),
        ("kid", json!("x' UNION SELECT 'k'--")),
        ("kid", json!("a\0b")),
        ("kid", json!(1)),
        ("kid", json!("k".repeat(2000))),
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/chain")),
        ("jwk", json!({"kty": "oct", "k": forge::encode("attacker")})),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("typ", json!("refresh+jwt")),
        ("typ", json!("JOSE")),
        ("typ", json!(1)),
        ("foo", json!("bar")),
    ];
    for (name, value) in members {
        let short: String = value.to_string().chars().take(30).collect();
        all.push((format!("header {name} {short}"), signed(&forge::header_with(name, value))));
    }
    all
}

fn keys(good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    let keys = ["another key", "", "secret", pem, "{\"keys\":[]}", &SECRET_KEY[1..], &format!("{SECRET_KEY}\n")];
    keys.map(|key| (format!("signed with {key:?}"), forge::sign(HEADER, &payload, key))).into()
}

fn claims(good: &str) -> Forgeries {
    let now = forge::claims(good)["iat"].as_i64().unwrap();
    let year = 365 * 24 * 3600;
    let wrong = [
        ("exp", json!(null)),
        ("exp", json!((now + 600).to_string())),
        ("exp", json!("never")),
        ("exp", json!(true)),
        ("exp", json!([now + 600])),
        ("exp", json!({})),
        ("exp", json!(1_772_601_000.5)),
        ("exp", json!(1e300)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(now + 10 * year)),
        ("exp", json!(i64::MIN)),
        ("iat", json!(null)),
        ("iat", json!("now")),
        ("iat", json!(now + year)),
        ("iat", json!(i64::MIN)),
        ("iat", json!(0)),
        ("nbf", json!("tomorrow")),
        ("token_type", json!(null)),
        ("token_type", json!("ACCESS")),
        ("token_type", json!(" access")),
        ("token_type", json!("Refresh")),
        ("token_type", json!("mfa")),
        ("token_type", json!(["access", "refresh"])),
        ("token_type", json!(1)),
        ("user_id", json!(null)),
        ("user_id", json!(1)),
        ("user_id", json!("")),
        ("user_id", json!("01")),
        ("user_id", json!("+1")),
        ("user_id", json!(" 1")),
        ("user_id", json!("-1")),
        ("user_id", json!("0")),
        ("user_id", json!("1 OR 1=1")),
        ("user_id", json!("9223372036854775808")),
        ("user_id", json!("2")), // `sub` has another
        ("sub", json!(null)),
        ("sub", json!(1)),
        ("sub", json!("")),
        ("sub", json!(["1"])),
        ("sub", json!("2")),
        ("jti", json!(null)),
        ("jti", json!("")),
        ("jti", json!(7)),
        ("jti", json!("j".repeat(65))),
        ("sid", json!(null)),
        ("sid", json!("")),
        ("sid", json!("1")),
        ("sid", json!("' OR 1=1--")),
        ("sid", json!(["a"])),
    ];
    let mut all = Forgeries::new();
    for (name, value) in wrong {
        let short: String = value.to_string().chars().take(30).collect();
        all.push((format!("{name} {short}"), forge::sign_claims(&forge::claims_with(good, name, value))));
    }
    let of_one_type: &[(&str, Value)] = if forge::claims(good)["token_type"] == "access" {
        &[("role", json!(null)), ("role", json!("root")), ("role", json!(["admin"]))]
    } else {
        &[
            ("gen", json!(null)),
            ("gen", json!(0)),
            ("gen", json!(-1)),
            ("gen", json!("1")),
            ("gen", json!(1.5)),
            ("gen", json!(u64::MAX)),
        ]
    };
    for (name, value) in of_one_type {
        all.push((format!("{name} {value}"), forge::sign_claims(&forge::claims_with(good, name, value.clone()))));
    }
    all
}

fn payloads(good: &str) -> Forgeries {
    let payload = forge::claims(good).to_string();
    let without_end = &payload[..payload.len() - 1];
    let exp = forge::claims(good)["exp"].clone();
    let rows: [(&str, Vec<u8>); 14] = [
        ("the claims as a list", claims_as_a_list(good).into()),
        ("sub twice", format!("{without_end},\"sub\":\"1\"}}").into()),
        ("exp twice", format!("{without_end},\"exp\":{exp}}}").into()),
        ("token_type twice", format!("{without_end},\"token_type\":\"access\"}}").into()),
        ("exp 1e400", payload.replace(&exp.to_string(), "1e400").into()),
        ("exp as a float", payload.replace(&exp.to_string(), &format!("{exp}.0")).into()),
        ("a list", format!("[{payload}]").into()),
        ("a text", json!(payload).to_string().into()),
        ("nothing", b"null".into()),
        ("a byte order mark", format!("\u{feff}{payload}").into()),
        ("trailing garbage", format!("{payload}x").into()),
        ("invalid UTF-8", [without_end.as_bytes(), b",\"x\":\"\xff\"}"].concat()),
        ("deep nesting", format!("{without_end},\"x\":{}{}}}", "[".repeat(1000), "]".repeat(1000)).into()),
        ("another token inside", good.into()),
    ];
    rows.into_iter().map(|(name, bytes)| (format!("payload: {name}"), forge::sign(HEADER, bytes, SECRET_KEY))).collect()
}

/// In the order of the fields of their type, as serde would accept them.
fn claims_as_a_list(good: &str) -> String {
    let claims = forge::claims(good);
    let of_its_type = if claims["token_type"] == "access" { "role" } else { "gen" };
    let names = ["token_type", "exp", "iat", "jti", "user_id", "sub", "sid", of_its_type];
    let nothing = Value::Null; // issuer, audience, not before
    let values = names.map(|name| claims[name].clone()).into_iter().chain([nothing.clone(), nothing.clone(), nothing]);
    Value::Array(values.collect()).to_string()
}

fn texts(good: &str) -> Forgeries {
    let parts: Vec<_> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let payload_text = forge::claims(good).to_string();
    let standard = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{payload_text}   "));
    let (last, rest) = (signature.chars().last().unwrap(), &signature[..signature.len() - 1]);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).unwrap();
    let mut all: Forgeries = [
        ("nothing", String::new()),
        ("blank", " ".to_owned()),
        ("a dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as JWE has", format!("{header}.{payload}.{signature}.{signature}.{signature}")),
        ("JSON serialization", json!({"payload": payload, "protected": header, "signature": signature}).to_string()),
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("signature cut by one character", format!("{header}.{payload}.{rest}")),
        ("signature longer by one byte", format!("{header}.{payload}.{signature}AA")),
        ("an all-zero signature", format!("{header}.{payload}.{}", forge::encode([0; 32]))),
        ("padded with =", format!("{good}=")),
        (
            "the other base64 alphabet",
            forge::sign_text(&format!("{header}.{standard}="), hmac::HMAC_SHA256, SECRET_KEY),
        ),
        ("a leading blank", format!(" {good}")),
        ("a blank inside", format!("{header}. {payload}.{signature}")),
        ("a letter that only looks like a Latin one", good.replacen('e', "\u{435}", 1)),
        ("an invisible letter", format!("{header}\u{200b}.{payload}.{signature}")),
        ("one character of the payload changed", format!("{header}.{}A{}.{signature}", &payload[..9], &payload[10..])),
        ("the token twice", format!("{good}{good}")),
        ("a word", "undefined".to_owned()),
        ("5 kB", format!("{header}.{}.{signature}", "A".repeat(5000))),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into();
    // The last character of 32 bytes carries four bits; the other two must be zero.
    for bits in 1..4 {
        let other = &alphabet[(index | bits)..=(index | bits)];
        if other != last.to_string() {
            all.push((format!("unused bits of the signature: {bits}"), format!("{header}.{payload}.{rest}{other}")));
        }
    }
    // Valid except for its length.
    let long = forge::claims_with(good, "padding", json!("x".repeat(4096)));
    all.push(("a good token of more than 4096 bytes".to_owned(), forge::sign_claims(&long)));
    all
}

async fn no_forged_token_is_accepted_anywhere(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let before = app.db().content();
    let (access, refresh) = (forgeries(&tokens.access), forgeries(&tokens.refresh));
    assert!(access.len() >= 120 && refresh.len() >= 120, "{} {}", access.len(), refresh.len());
    for (name, token) in &access {
        if let Some(response) = bearer(&app, token).await {
            assert_refused(&response, &format!("/me: {name}"));
        }
        assert_refused(&app.verify(token).await, &format!("/verify: {name}"));
    }
    for (name, token) in &refresh {
        assert_refused(&app.verify(token).await, &format!("/verify: {name}"));
        assert_refused(&app.refresh(token).await, &format!("/refresh: {name}"));
        // An expired token may end its session; another test covers that.
        if name != &format!("exp {}", i64::MIN) {
            assert_refused(&app.logout(token).await, &format!("/logout: {name}"));
        }
    }
    assert_eq!(app.db().content(), before);
    app.me(&tokens).await.done();
    app.refresh(&tokens).await.tokens();
}

async fn a_token_of_one_type_is_never_accepted_as_the_other(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let before = app.db().content();
    assert_refused(&bearer(&app, &tokens.refresh).await.unwrap(), "a refresh token at /me");
    assert_refused(&app.refresh(&tokens.access).await, "an access token at /refresh");
    assert_refused(&app.logout(&tokens.access).await, "an access token at /logout");
    // Nor with only `token_type` exchanged, since the other claims are not those of the other type.
    let refresh = forge::sign_claims(&forge::claims_with(&tokens.access, "token_type", json!("refresh")));
    let access = forge::sign_claims(&forge::claims_with(&tokens.refresh, "token_type", json!("access")));
    assert_refused(&app.refresh(&refresh).await, "an access token that says refresh");
    assert_refused(&bearer(&app, &access).await.unwrap(), "a refresh token that says access");
    assert_eq!(app.db().content(), before);
}

async fn an_expired_token_opens_nothing_but_ends_its_session(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    app.clock().advance(app.settings().lifetimes.access);
    app.me(&tokens).await.unauthorized(Reason::TokenExpired);
    app.verify(&tokens.access).await.unauthorized(Reason::TokenExpired);
    app.clock().advance(Duration::days(7));
    app.verify(&tokens.refresh).await.unauthorized(Reason::TokenExpired);
    app.refresh(&tokens).await.unauthorized(Reason::SessionExpired);
    app.logout(&tokens).await.done();
    assert_eq!(app.db().value("SELECT revoke_reason FROM sessions").as_deref(), Some("logout"));
}

#[actix_web::test]
async fn correctly_signed_tokens_of_the_test_are_accepted() {
    let (app, tokens) = signed_in().await;
    for token in [&tokens.access, &tokens.refresh] {
        let again = forge::sign_claims(&forge::claims(token));
        app.verify(&again).await.done(); // otherwise forgeries might be refused for a mistake in how the test signs
        let without_typ = forge::sign(r#"{"alg":"HS256"}"#, forge::claims(token).to_string(), SECRET_KEY);
        app.verify(&without_typ).await.done();
        let unknown_claim = forge::claims_with(token, "device", json!({"name": "x"}));
        app.verify(&forge::sign_claims(&unknown_claim)).await.done();
        for (name, value) in [("nbf", -1), ("nbf", 0), ("nbf", 60), ("iat", 60)] {
            let value = json!(tokens.server_time + value);
            app.verify(&forge::sign_claims(&forge::claims_with(token, name, value))).await.done();
        }
    }
}

#[actix_web::test]
async fn parts_of_two_valid_tokens_make_no_third() {
    let (app, ada) = signed_in().await;
    let other = app.login(ADA).await;
    let (a, b) = (ada.access.split('.').collect::<Vec<_>>(), other.access.split('.').collect::<Vec<_>>());
    assert_refused(&app.verify(&format!("{}.{}.{}", a[0], a[1], b[2])).await, "another's signature");
    assert_refused(&app.verify(&format!("{}.{}.{}", a[0], b[1], a[2])).await, "another's payload");
}

/// A quotation mark takes two bytes in a claim. Browsers drop a cookie of more than 4,096 bytes, its name included.
#[actix_web::test]
async fn the_longest_issuer_and_audience_leave_room_for_the_rest_of_a_token() {
    let longest = "\"".repeat(255);
    let builder = TestApp::builder(Database::Sqlite).user(ADA).set("JWT_ISSUER", &longest);
    let app = builder.set("JWT_AUDIENCE", &longest).start().await;
    let tokens = app.login(ADA).await;
    app.verify(&tokens.access).await.done();
    let tokens = app.refresh(&tokens).await.tokens();
    assert!(tokens.access.len().max(tokens.refresh.len()) < 2_000, "{} bytes", tokens.refresh.len());
    send(app.request_as(&tokens, Method::GET, "/api/auth/me/")).await.done();
}

#[actix_web::test]
async fn issuer_and_audience_are_written_and_required_when_configured() {
    let builder = TestApp::builder(Database::Sqlite).user(ADA);
    let app = builder.set("JWT_ISSUER", "https://api.example.com").set("JWT_AUDIENCE", "latchkey").start().await;
    let tokens = app.login(ADA).await;
    for token in [&tokens.access, &tokens.refresh] {
        assert_eq!(forge::claims(token)["iss"], "https://api.example.com");
        assert_eq!(forge::claims(token)["aud"], "latchkey");
        app.verify(token).await.done();
        for (name, value) in [
            ("iss", json!(null)),
            ("iss", json!("https://evil.com")),
            ("iss", json!("https://api.example.com/")),
            ("iss", json!(["https://api.example.com"])),
            ("aud", json!(null)),
            ("aud", json!("other")),
            ("aud", json!("")),
        ] {
            let what = format!("{name} {value}");
            assert_refused(&app.verify(&forge::sign_claims(&forge::claims_with(token, name, value))).await, &what);
        }
    }
    app.refresh(&tokens).await.tokens();
}

#[actix_web::test]
async fn a_token_from_before_a_key_rotation_still_verifies() {
    let (app, old) = signed_in().await;
    let (db, clock) = (app.db().clone(), app.clock().clone());
    drop(app);
    let fallbacks = format!("an even older key that nobody uses, {SECRET_KEY}");
    let builder = TestApp::builder_on(db.clone()).clock(&clock).set("SECRET_KEY", "the new key of this deployment");
    let app = builder.set("SECRET_KEY_FALLBACKS", fallbacks).start().await;

    app.me(&old).await.done();
    let new = app.refresh(&old).await.tokens();
    // A fallback never signs: a process that has only the old key refuses the new tokens.
    let payload = forge::claims(&new.refresh).to_string();
    assert_ne!(forge::sign(HEADER, payload, SECRET_KEY), new.refresh);
    drop(app);

    let builder = TestApp::builder_on(db).clock(&clock).set("SECRET_KEY", "the new key of this deployment");
    let app = builder.start().await;
    assert_refused(&bearer(&app, &old.access).await.unwrap(), "signed with a key that is gone");
    assert_refused(&app.refresh(&old).await, "signed with a key that is gone");
    app.refresh(&new).await.tokens();
}

#[actix_web::test]
async fn expiry_is_checked_to_the_second_without_leeway() {
    let (app, tokens) = signed_in().await;
    let mut claims = forge::claims(&tokens.access);
    claims["iat"] = json!(tokens.server_time - 100);
    claims["exp"] = json!(tokens.server_time);
    app.verify(&forge::sign_claims(&claims)).await.unauthorized(Reason::TokenExpired);
    claims["exp"] = json!(tokens.server_time + 1);
    app.verify(&forge::sign_claims(&claims)).await.done();
    app.clock().advance(ONE_SECOND);
    app.verify(&forge::sign_claims(&claims)).await.unauthorized(Reason::TokenExpired);
}

//! Builds tokens with any content, signed as the API signs.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The header of the API's tokens.
pub const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The header of a token, unverified.
pub fn header(token: &str) -> Value {
    part(token, 0)
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&decode(part)).unwrap()
}

/// The claims of a token with one changed; `null` removes it.
pub fn claims_with(token: &str, name: &str, value: Value) -> Value {
    let mut claims = claims(token);
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

/// Header, payload and the HMAC-SHA-256 of both.
pub fn sign(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, key: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    sign_text(&signed, hmac::HMAC_SHA256, key)
}

/// Any text and its HMAC.
pub fn sign_text(signed: &str, algorithm: hmac::Algorithm, key: &str) -> String {
    sign_bytes(signed, algorithm, key.as_bytes())
}

/// The same with a key that need not be text.
pub fn sign_bytes(signed: &str, algorithm: hmac::Algorithm, key: &[u8]) -> String {
    let signature = hmac::sign(&hmac::Key::new(algorithm, key), signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

/// Any claims with a valid header and the right key.
pub fn sign_claims(claims: &Value) -> String {
    sign(HEADER, claims.to_string(), super::SECRET_KEY)
}

/// The header with an additional member.
pub fn header_with(name: &str, value: Value) -> String {
    let mut header = json!({"typ": "JWT", "alg": "HS256"});
    header[name] = value;
    header.to_string()
}

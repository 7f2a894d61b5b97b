//! Public keys as JSON (RFC 7517), and their key ids.

use crate::config::{Curve, PublicKey};
use auth_types::{JsonWebKey, JsonWebKeySet};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bytes of a coordinate of P-256.
const P256_COORDINATE: usize = 32;

/// The published key set. It contains no secret keys.
pub(super) fn key_set(keys: &[PublicKey]) -> JsonWebKeySet {
    JsonWebKeySet { keys: keys.iter().map(json_web_key).collect() }
}

/// The key id, which is a thumbprint: it needs no configuration and is unique (RFC 7638).
pub(super) fn thumbprint(key: &PublicKey) -> String {
    let Coordinates { kty, crv, x, y } = coordinates(key);
    // The required members in alphabetical order, without whitespace. None contains a character that JSON escapes.
    let y = y.map(|y| format!(r#","y":"{y}""#)).unwrap_or_default();
    let text = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"{y}}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn json_web_key(key: &PublicKey) -> JsonWebKey {
    let Coordinates { kty, crv, x, y } = coordinates(key);
    JsonWebKey {
        kty: kty.to_owned(),
        crv: crv.to_owned(),
        x,
        y,
        kid: thumbprint(key),
        key_use: "sig".to_owned(),
        alg: key.curve.algorithm().to_owned(),
    }
}

struct Coordinates {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: Option<String>,
}

fn coordinates(key: &PublicKey) -> Coordinates {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match key.curve {
        Curve::Ed25519 => Coordinates { kty: "OKP", crv: "Ed25519", x: encode(&key.point), y: None },
        Curve::P256 => {
            // The first byte indicates that both coordinates follow.
            let (x, y) = key.point[1..].split_at(P256_COORDINATE);
            Coordinates { kty: "EC", crv: "P-256", x: encode(x), y: Some(encode(y)) }
        }
    }
}

//! The form of a token (RFC 7515, section 7.1), before any of it is trusted.

use auth_types::limits::TOKEN_MAX_BYTES;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A parsed token. Its signature is not verified yet.
pub(super) struct Jws<'a> {
    pub(super) algorithm: Algorithm,
    /// The key that the header names.
    pub(super) kid: Option<String>,
    /// What is signed: header and payload as they came.
    pub(super) message: &'a str,
    /// In base64url.
    pub(super) signature: &'a str,
    /// A JSON object.
    pub(super) payload: Vec<u8>,
}

/// The header members of our tokens; a token with any other member is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
}

impl<'a> Jws<'a> {
    /// Checks the size, the three parts in canonical base64url and the header members. `None` if one of them differs from our
    /// tokens.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header = object(header)?;
        let payload = object(payload)?;
        decode(signature)?;
        let StrictHeader { alg, typ, kid } = serde_json::from_slice(&header).ok()?;
        let algorithm = alg.parse().ok()?;
        typ.is_none_or(|typ| typ == "JWT").then_some(Self { algorithm, kid, message, signature, payload })
    }
}

/// The bytes of a part that is a JSON object. Deserializing into a struct would also accept a list, and skip unknown members
/// without checking their UTF-8 and depth.
fn object(part: &str) -> Option<Vec<u8>> {
    let bytes = decode(part)?;
    serde_json::from_slice::<Map<String, Value>>(&bytes).ok()?;
    Some(bytes)
}

/// The bytes of a part, which must not be empty or contain a dot.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok().filter(|bytes| !bytes.is_empty())
}

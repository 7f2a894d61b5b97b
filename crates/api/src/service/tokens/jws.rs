//! The form of a token (RFC 7515, section 7.1), before anything of it is trusted.

use auth_types::limits::TOKEN_MAX_BYTES;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A token taken apart. Its signature is still to be verified.
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

/// The header members that our tokens have; any other makes a token foreign.
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
    /// Size, three parts in canonical base64url, header members. `None` when one of them is not as in a token of ours.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let (header, payload) = (object(header)?, object(payload)?);
        decode(signature)?;
        let StrictHeader { alg, typ, kid } = serde_json::from_slice(&header).ok()?;
        let algorithm = alg.parse().ok()?;
        typ.is_none_or(|typ| typ == "JWT").then_some(Self { algorithm, kid, message, signature, payload })
    }
}

/// The bytes of a part that is a JSON object. A type of serde's would take a list, too, and skip members that it does
/// not know, unread: neither UTF-8 nor depth would count there.
fn object(part: &str) -> Option<Vec<u8>> {
    let bytes = decode(part)?;
    serde_json::from_slice::<Map<String, Value>>(&bytes).ok()?;
    Some(bytes)
}

/// The bytes of a part; a dot inside is no base64, and an empty part is none.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok().filter(|bytes| !bytes.is_empty())
}

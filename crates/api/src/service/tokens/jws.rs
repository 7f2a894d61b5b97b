//! The form of a token (RFC 7515, section 7.1), before any of it is trusted.

use auth_types::limits::TOKEN_MAX_BYTES;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// A parsed token. Its signature is not verified yet.
pub(super) struct Jws<'a> {
    pub(super) algorithm: Algorithm,
    /// The key that the header names.
    pub(super) kid: Option<String>,
    /// What is signed: header and payload as they came.
    pub(super) message: &'a str,
    pub(super) signature: Vec<u8>,
    /// A JSON object.
    payload: Vec<u8>,
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
        let StrictHeader { alg, typ, kid } = object(&decode(header)?)?;
        let payload = decode(payload)?;
        object::<IgnoredAny>(&payload)?;
        let signature = decode(signature)?;
        let algorithm = alg.parse().ok()?;
        typ.is_none_or(|typ| typ == "JWT").then_some(Self { algorithm, kid, message, signature, payload })
    }

    /// The payload as `C`, if it has the members of `C`.
    pub(super) fn payload<C: DeserializeOwned>(&self) -> Option<C> {
        object(&self.payload)
    }
}

/// Brackets in the longest JSON that is read: values that serde skips, because the struct lacks their member, may be nested without
/// a limit.
const MAX_BRACKETS: usize = 127;

/// Deserializes a JSON object. A list is refused, which a struct would also be deserialized from, and so is text that is not
/// UTF-8, which is not checked in values that are skipped.
fn object<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.trim_start().starts_with('{'))?;
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets <= MAX_BRACKETS { serde_json::from_str(text).ok() } else { None }
}

/// The bytes of a part, which must not be empty or contain a dot.
fn decode(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok().filter(|bytes| !bytes.is_empty())
}

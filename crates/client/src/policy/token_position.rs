//! Reads the session and generation of a token without verifying it; the server verifies it.

use auth_types::SessionId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The claims of a refresh token that a client needs: they distinguish sessions and order the tokens of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct TokenPosition {
    /// The `sid` claim.
    #[serde(rename = "sid")]
    pub(super) session: SessionId,
    /// The `gen` claim, the server's generation; with cookies, how many pairs this browser has received, because no script sees the refresh
    /// token. It only orders the tokens of one session in this browser.
    #[serde(rename = "gen")]
    pub(super) sequence: i64,
}

/// The one claim that access tokens have, too.
#[derive(Deserialize)]
struct SessionClaim {
    sid: SessionId,
}

/// The position of a refresh token, or `None` if `token` is not one of this service.
pub(super) fn position_of(token: &str) -> Option<TokenPosition> {
    claims_of(token)
}

/// The session that an access token belongs to, or `None` if it is not a token of this service.
pub(super) fn session_of(token: &str) -> Option<SessionId> {
    claims_of(token).map(|claims: SessionClaim| claims.sid)
}

fn claims_of<T: DeserializeOwned>(token: &str) -> Option<T> {
    let parts: Vec<_> = token.split('.').collect();
    let [_header, payload, _signature] = parts[..] else { return None };
    serde_json::from_slice(&decode_base64url(payload)?).ok()
}

/// Base64url without padding (RFC 4648, section 5).
fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let sextets = group.iter().map(|&c| sextet(c)).collect::<Option<Vec<_>>>()?;
        let bits = sextets.iter().fold(0_u32, |bits, &six| bits << 6 | u32::from(six)) << (6 * (4 - group.len()));
        let whole = match group.len() {
            1 => return None,
            length => length - 1,
        };
        bytes.extend_from_slice(&bits.to_be_bytes()[1..=whole]);
    }
    Some(bytes)
}

const fn sextet(c: u8) -> Option<u8> {
    match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixtures::{session, token};

    #[test]
    fn base64url_of_every_length_is_read() {
        for (text, bytes) in [("", ""), ("Zg", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob")] {
            assert_eq!(decode_base64url(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(decode_base64url("-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
        for text in ["Z", "Zm9vY", "Zg==", "Zm+v", "Zm/v", "Zm v", "Zmé"] {
            assert_eq!(decode_base64url(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_names_its_session_and_generation() {
        let position = position_of(&token(session(1), 7)).expect("a token of this service");
        assert_eq!((position.session, position.sequence), (session(1), 7));
    }

    #[test]
    fn text_that_is_not_a_token_has_no_position() {
        for text in ["", "a.b", "a.b.c", "a.e30.c", "....", "a.bnVsbA.c", "a.eyJzaWQiOiIxIiwiZ2VuIjoxfQ.c"] {
            assert_eq!(position_of(text), None, "{text}");
        }
        assert_eq!(position_of(&format!("{}.x", token(session(1), 7))), None);
    }
}

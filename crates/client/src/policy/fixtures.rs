//! Tokens, responses and times for the tests of this module.

use super::*;
use auth_types::responses::{CookieTokenResponse, TokenResponse, UserResponse};
use auth_types::{Role, SessionId, UserId};
use uuid::Uuid;

/// The server's clock at the tests' moment zero, Unix seconds.
pub(super) const SERVER_START: i64 = 1_800_000_000;

/// `seconds` after moment zero on a machine whose wall clock is right.
pub(super) const fn after(seconds: i64) -> Now {
    Now { wall_ms: (SERVER_START + seconds) * 1000 + 500, steady_ms: seconds * 1000 }
}

pub(super) const fn session(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

/// A refresh token in the form of this service; its signature is not verified here.
pub(super) fn token(session: SessionId, generation: i64) -> String {
    let claims = format!(r#"{{"token_type":"refresh","sid":"{session}","gen":{generation},"jti":"x"}}"#);
    format!("e30.{}.c2ln", base64url(claims.as_bytes()))
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let sextet = |six: &[u8]| six.iter().fold(0, |value, bit| value << 1 | usize::from(*bit)) << (6 - six.len());
    bits.chunks(6).map(|six| char::from(ALPHABET[sextet(six)])).collect()
}

/// The server's response at `seconds` after moment zero: tokens of that session and generation, for an hour.
pub(super) fn response(session: SessionId, generation: i64, seconds: i64) -> TokenResponse {
    TokenResponse {
        access: format!("access-{generation}-{seconds}"),
        refresh: token(session, generation),
        access_expires_in: 3600,
        refresh_expires_in: 604_800,
        server_time: SERVER_START + seconds,
        user: user(),
    }
}

/// The same from a server that keeps the refresh token in a cookie.
pub(super) fn cookie_response(session: SessionId, seconds: i64) -> CookieTokenResponse {
    let claims = format!(r#"{{"token_type":"access","sid":"{session}","iat":{seconds}}}"#);
    CookieTokenResponse {
        access: format!("e30.{}.c2ln", base64url(claims.as_bytes())),
        csrf_token: format!("csrf-{session}"),
        access_expires_in: 3600,
        refresh_expires_in: 604_800,
        server_time: SERVER_START + seconds,
        user: user(),
    }
}

pub(super) fn user() -> UserResponse {
    UserResponse {
        id: UserId(1),
        email: "ada@example.com".to_owned(),
        username: None,
        display_name: String::new(),
        role: Role::User,
        email_verified: false,
        avatar_url: None,
        created_at: timestamp(),
        last_login_at: None,
    }
}

fn timestamp<T: for<'de> serde::Deserialize<'de>>() -> T {
    serde_json::from_str("\"2026-01-01T00:00:00Z\"").expect("a time")
}

/// The tokens of a generation, as if signed in at that moment. All of one session share a seed.
pub(super) fn tokens(session: SessionId, generation: i64, seconds: i64) -> SessionTokens {
    let response = response(session, generation, seconds);
    SessionTokens::from_response(&response.into(), after(seconds), after(seconds), session.0)
        .expect("tokens of this service")
}

pub(super) fn stored(tokens: &SessionTokens) -> StorageContent {
    StorageContent::Tokens(Box::new(tokens.clone()))
}

/// Signs in where storage is empty.
pub(super) fn sign_in(machine: &mut SessionMachine, tokens: &SessionTokens, now: Now) {
    let seen = StorageSnapshot { stored: StorageContent::Empty, now };
    let signed_in = machine.sign_in(machine.epoch(), tokens, user(), seen);
    assert!(matches!(signed_in, Effect::Begin(..)), "{signed_in:?}");
}

/// Signs out in the tab that stored these tokens.
pub(super) fn sign_out(machine: &mut SessionMachine, tokens: &SessionTokens, now: Now) {
    let signed_out =
        machine.sign_out(machine.epoch(), SignOutReason::ByUser, StorageSnapshot { stored: stored(tokens), now });
    assert!(matches!(signed_out, Effect::SignOut(..)), "{signed_out:?}");
}

/// A response in JSON that took no time.
pub(super) fn json(status: u16, body: &impl serde::Serialize, seconds: i64) -> ApiResponse {
    let body = serde_json::to_string(body).expect("JSON");
    ApiResponse::new(status, "application/json", body).timed(after(seconds), after(seconds))
}

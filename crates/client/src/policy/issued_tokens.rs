//! The response that issues tokens, in either transport of the refresh token.

use auth_types::responses::{CookieTokenResponse, TokenResponse, UserResponse};
use serde::Deserialize;
use std::fmt;

/// The response of register, login and refresh. Its members show the transport.
#[derive(Clone, Deserialize)]
#[serde(from = "AnyTokenResponse")]
pub struct IssuedTokens {
    pub(super) access: String,
    pub(super) refresh_credential: RefreshCredential,
    pub(super) access_expires_in: i64,
    pub(super) refresh_expires_in: i64,
    pub(super) server_time: i64,
    /// Who signed in.
    pub user: UserResponse,
}

/// The credential that a refresh sends to the server.
#[derive(Clone, PartialEq, Eq)]
pub enum RefreshCredential {
    /// The refresh token itself, in the body.
    Token(String),
    /// The CSRF token, sent as `X-CSRF-Token` next to the cookie with the refresh token, which no script can read.
    Cookie {
        /// The same for the session's whole life; useless without the cookie.
        csrf_token: String,
    },
}

/// The two forms in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyTokenResponse {
    Body(TokenResponse),
    Cookie(CookieTokenResponse),
}

impl IssuedTokens {
    /// The time `seconds` after the response was made, Unix milliseconds on the server's clock.
    pub(super) const fn expiry(&self, seconds: i64) -> i64 {
        self.server_time.saturating_add(seconds).saturating_mul(1000)
    }
}

impl From<AnyTokenResponse> for IssuedTokens {
    fn from(wire: AnyTokenResponse) -> Self {
        match wire {
            AnyTokenResponse::Body(response) => response.into(),
            AnyTokenResponse::Cookie(response) => response.into(),
        }
    }
}

impl From<TokenResponse> for IssuedTokens {
    fn from(response: TokenResponse) -> Self {
        Self {
            access: response.access,
            refresh_credential: RefreshCredential::Token(response.refresh),
            access_expires_in: response.access_expires_in,
            refresh_expires_in: response.refresh_expires_in,
            server_time: response.server_time,
            user: response.user,
        }
    }
}

impl From<CookieTokenResponse> for IssuedTokens {
    fn from(response: CookieTokenResponse) -> Self {
        Self {
            access: response.access,
            refresh_credential: RefreshCredential::Cookie { csrf_token: response.csrf_token },
            access_expires_in: response.access_expires_in,
            refresh_expires_in: response.refresh_expires_in,
            server_time: response.server_time,
            user: response.user,
        }
    }
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens").field("user", &self.user.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for RefreshCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Cookie { .. } => "Cookie",
        })
    }
}

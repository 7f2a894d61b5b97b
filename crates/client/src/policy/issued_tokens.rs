//! The answer that brings tokens, whichever way the refresh token travels.

use auth_types::responses::{CookieTokenResponse, TokenResponse, UserResponse};
use serde::Deserialize;
use std::fmt;

/// The answer of register, login and refresh. Its members tell the transport.
#[derive(Clone, Deserialize)]
#[serde(from = "AnyTokenResponse")]
pub struct IssuedTokens {
    pub(super) access: String,
    pub(super) renewal: Renewal,
    pub(super) access_expires_in: i64,
    pub(super) refresh_expires_in: i64,
    pub(super) server_time: i64,
    /// Who signed in.
    pub user: UserResponse,
}

/// What a refresh shows to the server.
#[derive(Clone, PartialEq, Eq)]
pub enum Renewal {
    /// The refresh token itself, in the body.
    Token(String),
    /// This, as `X-CSRF-Token`, beside the cookie that holds the refresh token and that no script can read.
    Cookie {
        /// The same for the session's whole life, and worth nothing without the cookie.
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
    /// When what expires in so many seconds does, Unix milliseconds on the server's clock.
    pub(super) const fn expiry(&self, seconds: i64) -> i64 {
        self.server_time.saturating_add(seconds).saturating_mul(1000)
    }
}

impl From<AnyTokenResponse> for IssuedTokens {
    fn from(wire: AnyTokenResponse) -> Self {
        match wire {
            AnyTokenResponse::Body(answer) => answer.into(),
            AnyTokenResponse::Cookie(answer) => answer.into(),
        }
    }
}

impl From<TokenResponse> for IssuedTokens {
    fn from(answer: TokenResponse) -> Self {
        Self {
            access: answer.access,
            renewal: Renewal::Token(answer.refresh),
            access_expires_in: answer.access_expires_in,
            refresh_expires_in: answer.refresh_expires_in,
            server_time: answer.server_time,
            user: answer.user,
        }
    }
}

impl From<CookieTokenResponse> for IssuedTokens {
    fn from(answer: CookieTokenResponse) -> Self {
        Self {
            access: answer.access,
            renewal: Renewal::Cookie { csrf_token: answer.csrf_token },
            access_expires_in: answer.access_expires_in,
            refresh_expires_in: answer.refresh_expires_in,
            server_time: answer.server_time,
            user: answer.user,
        }
    }
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").field("user", &self.user.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Cookie { .. } => "Cookie",
        })
    }
}

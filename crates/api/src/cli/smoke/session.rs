//! A session of the API, with either token transport.

use super::response::{CheckFailure, SmokeResponse};
use actix_web::cookie::Cookie;
use auth_types::requests::{CookieRefreshRequest, RefreshRequest};
use auth_types::responses::{CookieTokenResponse, TokenResponse, TokenTransport};
use reqwest::RequestBuilder;
use reqwest::header::COOKIE;
use secrecy::{ExposeSecret, SecretString};

/// The response to a sign-in or a refresh.
#[derive(Debug, Clone)]
pub(super) struct SmokeSession {
    pub(super) access: SecretString,
    pub(super) access_expires_in: i64,
    pub(super) server_time: i64,
    pub(super) email: String,
    refresh: RefreshToken,
}

#[derive(Debug, Clone)]
enum RefreshToken {
    Body(SecretString),
    /// The values of the headers `Cookie` and `X-CSRF-Token`.
    Cookie {
        cookies: SecretString,
        csrf: SecretString,
    },
}

impl SmokeSession {
    /// Reads a response with tokens.
    pub(super) fn of(response: &SmokeResponse, transport: TokenTransport) -> Result<Self, CheckFailure> {
        match transport {
            TokenTransport::Body => {
                let tokens: TokenResponse = response.json()?;
                Ok(Self {
                    access: tokens.access.into(),
                    access_expires_in: tokens.access_expires_in,
                    server_time: tokens.server_time,
                    email: tokens.user.email,
                    refresh: RefreshToken::Body(tokens.refresh.into()),
                })
            }
            TokenTransport::Cookie => {
                let tokens: CookieTokenResponse = response.json()?;
                let cookies =
                    cookies(response).into_iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
                let cookies = cookies.collect::<Vec<_>>().join("; ").into();
                Ok(Self {
                    access: tokens.access.into(),
                    access_expires_in: tokens.access_expires_in,
                    server_time: tokens.server_time,
                    email: tokens.user.email,
                    refresh: RefreshToken::Cookie { cookies, csrf: tokens.csrf_token.into() },
                })
            }
        }
    }

    /// Whether both hold the same refresh token.
    pub(super) fn has_refresh_token_of(&self, other: &Self) -> bool {
        let text = |session: &Self| match &session.refresh {
            RefreshToken::Body(token) | RefreshToken::Cookie { cookies: token, .. } => token.expose_secret().to_owned(),
        };
        text(self) == text(other)
    }
}

/// The cookies that a response sets.
pub(super) fn cookies(response: &SmokeResponse) -> Vec<Cookie<'static>> {
    let lines = response.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    lines.filter_map(|line| Cookie::parse(line.to_owned()).ok()).collect()
}

/// Adds the session's refresh token to a request, as its transport carries it.
pub(super) fn with_refresh_token(request: RequestBuilder, session: &SmokeSession) -> RequestBuilder {
    match &session.refresh {
        RefreshToken::Body(token) => request.json(&RefreshRequest { refresh: token.expose_secret().to_owned() }),
        RefreshToken::Cookie { cookies, csrf } => request
            .header(COOKIE, cookies.expose_secret())
            .header("X-CSRF-Token", csrf.expose_secret())
            .json(&CookieRefreshRequest {}),
    }
}

//! A session at the API, whichever way its refresh token travels, and what may be asked with it.

use super::answer::{Answer, Trouble};
use super::{Smoke, learnt};
use actix_web::cookie::Cookie;
use auth_types::requests::{CookieRefreshRequest, LoginRequest, RefreshRequest};
use auth_types::responses::{CookieTokenResponse, TokenResponse, TokenTransport};
use reqwest::header::COOKIE;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};

/// What the API has given for a sign-in or a refresh.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) access: SecretString,
    pub(super) access_expires_in: i64,
    pub(super) server_time: i64,
    pub(super) email: String,
    refresh: RefreshToken,
}

#[derive(Debug, Clone)]
enum RefreshToken {
    Body(SecretString),
    /// What the `Cookie` header says, and what `X-CSRF-Token` repeats.
    Cookie {
        cookies: SecretString,
        csrf: SecretString,
    },
}

impl Session {
    /// Reads an answer with tokens.
    pub(super) fn of(answer: &Answer, transport: TokenTransport) -> Result<Self, Trouble> {
        match transport {
            TokenTransport::Body => {
                let tokens: TokenResponse = answer.json()?;
                Ok(Self {
                    access: tokens.access.into(),
                    access_expires_in: tokens.access_expires_in,
                    server_time: tokens.server_time,
                    email: tokens.user.email,
                    refresh: RefreshToken::Body(tokens.refresh.into()),
                })
            }
            TokenTransport::Cookie => {
                let tokens: CookieTokenResponse = answer.json()?;
                let cookies = cookies(answer).into_iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value()));
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

/// The cookies that an answer sets.
pub(super) fn cookies(answer: &Answer) -> Vec<Cookie<'static>> {
    let lines = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    lines.filter_map(|line| Cookie::parse(line.to_owned()).ok()).collect()
}

impl Smoke {
    pub(super) fn transport(&self) -> Result<TokenTransport, Trouble> {
        Ok(learnt(&self.config)?.token_transport)
    }

    /// A request of no page: what the front end's pages may do, CORS' own checks tell.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.browser.request(Method::POST, self.plan.api.at(path))
    }

    /// A request of the caller that the access token names.
    pub(super) async fn ask_as(&self, access: &SecretString, path: &str) -> Result<Answer, Trouble> {
        self.browser.send(self.browser.get(self.plan.api.at(path)).bearer_auth(access.expose_secret())).await
    }

    /// A session of its own: what one check does to it, no other notices.
    pub(super) async fn new_session(&self) -> Result<Session, Trouble> {
        let answer = self.browser.send(self.login_request()?).await?.with_status(200)?;
        self.opened(&answer)
    }

    /// Reads a session, and remembers to sign out of it.
    pub(super) fn opened(&self, answer: &Answer) -> Result<Session, Trouble> {
        let session = Session::of(answer, self.transport()?)?;
        self.opened.borrow_mut().push(session.clone());
        Ok(session)
    }

    pub(super) fn login_request(&self) -> Result<RequestBuilder, Trouble> {
        let credentials = learnt(&self.credentials)?;
        let email = Some(credentials.email.clone());
        let password = credentials.password.expose_secret().to_owned();
        Ok(self.post("/api/auth/login/").json(&LoginRequest { email, username: None, password }))
    }

    /// Presents the session's refresh token.
    pub(super) async fn present(&self, session: &Session, key: Option<&str>) -> Result<Answer, Trouble> {
        let request = with_refresh_token(self.post("/api/auth/refresh/"), session);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.browser.send(request).await
    }

    /// Exchanges the session's refresh token for its successor.
    pub(super) async fn rotate(&self, session: &Session, key: Option<&str>) -> Result<Session, Trouble> {
        let answer = self.present(session, key).await?.with_status(200)?;
        Session::of(&answer, self.transport()?)
    }

    /// Ends the session. A token of any generation does.
    pub(super) async fn sign_out(&self, session: &Session) -> Result<Answer, Trouble> {
        self.browser.send(with_refresh_token(self.post("/api/auth/logout/"), session)).await
    }
}

fn with_refresh_token(request: RequestBuilder, session: &Session) -> RequestBuilder {
    match &session.refresh {
        RefreshToken::Body(token) => request.json(&RefreshRequest { refresh: token.expose_secret().to_owned() }),
        RefreshToken::Cookie { cookies, csrf } => request
            .header(COOKIE, cookies.expose_secret())
            .header("X-CSRF-Token", csrf.expose_secret())
            .json(&CookieRefreshRequest {}),
    }
}

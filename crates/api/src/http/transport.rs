//! How the refresh token travels, by `TOKEN_TRANSPORT`; handlers do not know which transport is configured. A request is
//! read by the configured transport only, never by whichever token it happens to carry.

use super::body::JsonBody;
use super::cookies::{self, CookieScope};
use super::extract::services;
use crate::problem::Problem;
use crate::service::Services;
use crate::service::sessions::csrf;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use auth_types::requests::{CookieRefreshRequest, RefreshRequest};
use auth_types::responses::{CookieTokenResponse, EmptyResponse, TokenResponse, TokenTransport};
use auth_types::{Reason, UserId};
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;
use serde::Serialize;
use std::future::{Ready, ready};

/// A body with further members.
#[derive(Serialize)]
struct ExtendedBody<Body, More> {
    #[serde(flatten)]
    body: Body,
    #[serde(flatten)]
    more: More,
}

/// How the response to this request carries tokens.
#[derive(Debug)]
pub(super) struct Transport {
    services: Data<Services>,
    /// The attributes of the cookies that the response sets or removes; `None` if it does neither.
    cookies: Option<CookieScope>,
}

impl FromRequest for Transport {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Transport {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let services = services(request)?.clone();
        let cookies = match services.settings.transport.tokens {
            TokenTransport::Body => None,
            TokenTransport::Cookie => Some(CookieScope::of(request.headers(), request.peer_addr(), &services.settings)),
        };
        Ok(Self { services, cookies })
    }

    /// This transport, but for a request that is no sign-in. A page of another site may get no cookies sent although the browser has some,
    /// of another user who has signed in on a page of the API's own site: then the response leaves them alone.
    pub(super) fn keeping_withheld_cookies(self, request: &HttpRequest) -> Self {
        let has_sent_none = cookies::submitted(request.headers(), &self.services.settings).refresh_cookies.is_empty();
        let cookies = self.cookies.filter(|scope| !(has_sent_none && scope.is_cross_site()));
        Self { cookies, ..self }
    }

    /// This transport, but for a request of `user` with an access token. The access token belongs to a page, the cookies to the browser:
    /// if another user has signed in there since, the response leaves that user's cookies alone. The page can use its access
    /// token until it expires, and has to sign in again after that.
    pub(super) fn keeping_other_users_cookies(self, user: UserId, request: &HttpRequest) -> Self {
        let submitted = cookies::submitted(request.headers(), &self.services.settings);
        let is_others = csrf::belongs_to_another_user(&self.services, &submitted, user);
        let kept = self.keeping_withheld_cookies(request);
        Self { cookies: kept.cookies.filter(|_| !is_others), ..kept }
    }

    /// This transport, but for tokens that may have been issued before, to a request whose response was lost: a user who has signed in on
    /// this browser since then stays signed in.
    pub(super) fn keeping_later_users_cookies(self, tokens: &TokenResponse, request: &HttpRequest) -> Self {
        let submitted = cookies::submitted(request.headers(), &self.services.settings);
        let cookies =
            self.cookies.filter(|_| !csrf::belongs_to_later_user(&self.services, &submitted, &tokens.refresh));
        Self { cookies, ..self }
    }

    /// A response with tokens, which no cache may store.
    pub(super) fn tokens(&self, response: HttpResponseBuilder, tokens: TokenResponse) -> Result<HttpResponse, Problem> {
        self.tokens_with(response, tokens, EmptyResponse {})
    }

    /// A response with tokens and the members of `more`, which no cache may store.
    pub(super) fn tokens_with(
        &self,
        mut response: HttpResponseBuilder,
        tokens: TokenResponse,
        more: impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.services.settings.transport.tokens == TokenTransport::Body {
            return Ok(response.json(ExtendedBody { body: tokens, more }));
        }
        let csrf_token = csrf::token_of(&self.services, &tokens.refresh).map_err(Problem::internal)?;
        let set = |scope: &CookieScope| scope.set(&tokens.refresh, &csrf_token, tokens.refresh_expires_in);
        for cookie in self.cookies.iter().flat_map(set) {
            response.cookie(cookie);
        }
        let body = CookieTokenResponse {
            access: tokens.access,
            csrf_token,
            access_expires_in: tokens.access_expires_in,
            refresh_expires_in: tokens.refresh_expires_in,
            server_time: tokens.server_time,
            user: tokens.user,
        };
        Ok(response.json(ExtendedBody { body, more }))
    }

    /// A response that removes the cookies.
    pub(super) fn without_tokens(&self, mut response: HttpResponseBuilder) -> HttpResponseBuilder {
        for cookie in self.cookies.iter().flat_map(CookieScope::remove) {
            response.cookie(cookie);
        }
        response
    }

    /// An error response, which removes the cookies if its reason makes them useless.
    pub(super) fn error(&self, problem: Problem, is_final: fn(Reason) -> bool) -> Problem {
        let scope = self.cookies.as_ref().filter(|_| is_final(problem.reason()));
        let cookies = scope.into_iter().flat_map(CookieScope::remove);
        let written = cookies.filter_map(|cookie| HeaderValue::from_str(&cookie.to_string()).ok());
        written.fold(problem, |problem, cookie| problem.header(header::SET_COOKIE, cookie))
    }
}

/// The refresh token of this request, and how the response carries its successor.
#[derive(Debug)]
pub(super) struct PresentedToken {
    pub(super) token: SecretString,
    pub(super) transport: Transport,
}

impl FromRequest for PresentedToken {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let transport = Transport::of(&request)?;
            let token = match transport.services.settings.transport.tokens {
                TokenTransport::Body => {
                    JsonBody::<RefreshRequest>::from_request(&request, &mut payload).await?.0.refresh
                }
                TokenTransport::Cookie => from_cookie(&request, &mut payload, &transport.services).await?,
            };
            Ok(Self { token: token.into(), transport })
        })
    }
}

/// The token of the cookie, if the CSRF token is valid. The body is empty, but its content type must be JSON, which an HTML
/// form of another site cannot send.
async fn from_cookie(request: &HttpRequest, payload: &mut Payload, services: &Services) -> Result<String, Problem> {
    let submitted = cookies::submitted(request.headers(), &services.settings);
    let token = csrf::authenticate(services, &submitted)?.to_owned();
    JsonBody::<CookieRefreshRequest>::from_request(request, payload).await?;
    Ok(token)
}

//! How the refresh token travels, `TOKEN_TRANSPORT`: handlers ask here, and do not know. A request is read by one
//! transport only, never by whichever happens to be there.

use super::body::JsonBody;
use super::cookies::{self, Scope};
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

/// A body and further members.
#[derive(Serialize)]
struct With<Body, More> {
    #[serde(flatten)]
    body: Body,
    #[serde(flatten)]
    more: More,
}

/// How the answer to this request carries tokens.
#[derive(Debug)]
pub(super) struct Transport {
    services: Data<Services>,
    /// What the cookies are like that the answer sets or takes back; `None` where it does neither.
    cookies: Option<Scope>,
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
        let cookies = match services.settings.transport.transport {
            TokenTransport::Body => None,
            TokenTransport::Cookie => Some(Scope::of(request.headers(), request.peer_addr(), &services.settings)),
        };
        Ok(Self { services, cookies })
    }

    /// The same for what `user` asks with an access token. That belongs to a page, and the cookies to the browser: when
    /// somebody else has signed in there since, the answer leaves their cookies alone. The user's page goes on with its
    /// access token, and signs in again after that.
    pub(super) fn for_page_of(self, user: UserId, request: &HttpRequest) -> Self {
        let submitted = cookies::submitted(request.headers(), &self.services.settings);
        let cookies = self.cookies.filter(|_| !csrf::is_anothers(&self.services, &submitted, user));
        Self { cookies, ..self }
    }

    /// The same for tokens that may have been given before, to a request whose response got lost: whoever has signed in in this
    /// browser since then stays signed in.
    pub(super) fn for_page_given(self, tokens: &TokenResponse, request: &HttpRequest) -> Self {
        let submitted = cookies::submitted(request.headers(), &self.services.settings);
        let cookies = self.cookies.filter(|_| !csrf::is_later_persons(&self.services, &submitted, &tokens.refresh));
        Self { cookies, ..self }
    }

    /// An answer with tokens: nothing on the way may keep it.
    pub(super) fn tokens(&self, response: HttpResponseBuilder, tokens: TokenResponse) -> Result<HttpResponse, Problem> {
        self.tokens_with(response, tokens, EmptyResponse {})
    }

    /// The same with the members of `more`.
    pub(super) fn tokens_with(
        &self,
        mut response: HttpResponseBuilder,
        tokens: TokenResponse,
        more: impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.services.settings.transport.transport == TokenTransport::Body {
            return Ok(response.json(With { body: tokens, more }));
        }
        let csrf_token = csrf::token_of(&self.services, &tokens.refresh).map_err(Problem::internal)?;
        let give = |scope: &Scope| scope.give(&tokens.refresh, &csrf_token, tokens.refresh_expires_in);
        for cookie in self.cookies.iter().flat_map(give) {
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
        Ok(response.json(With { body, more }))
    }

    /// An answer that takes the cookies back.
    pub(super) fn without_tokens(&self, mut response: HttpResponseBuilder) -> HttpResponseBuilder {
        for cookie in self.cookies.iter().flat_map(Scope::take_back) {
            response.cookie(cookie);
        }
        response
    }

    /// A failure, which takes the cookies back if its reason makes them useless.
    pub(super) fn refusal(&self, problem: Problem, is_final: fn(Reason) -> bool) -> Problem {
        let scope = self.cookies.as_ref().filter(|_| is_final(problem.reason()));
        let cookies = scope.into_iter().flat_map(Scope::take_back);
        let written = cookies.filter_map(|cookie| HeaderValue::from_str(&cookie.to_string()).ok());
        written.fold(problem, |problem, cookie| problem.header(header::SET_COOKIE, cookie))
    }
}

/// The refresh token of this request, and how its answer carries the next.
#[derive(Debug)]
pub(super) struct PresentedToken {
    pub(super) token: SecretString,
    pub(super) transport: Transport,
}

impl FromRequest for PresentedToken {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let transport = Transport::of(&request)?;
            let token = match transport.services.settings.transport.transport {
                TokenTransport::Body => {
                    JsonBody::<RefreshRequest>::from_request(&request, &mut payload).await?.0.refresh
                }
                TokenTransport::Cookie => from_cookie(&request, &mut payload, &transport.services).await?,
            };
            Ok(Self { token: token.into(), transport })
        })
    }
}

/// The token of the cookie, if the CSRF token is there, too. The body says nothing, but its type must be JSON's, which no
/// form of a foreign page can send.
async fn from_cookie(request: &HttpRequest, payload: &mut Payload, services: &Services) -> Result<String, Problem> {
    let submitted = cookies::submitted(request.headers(), &services.settings);
    let token = csrf::authenticate(services, &submitted)?.to_owned();
    JsonBody::<CookieRefreshRequest>::from_request(request, payload).await?;
    Ok(token)
}

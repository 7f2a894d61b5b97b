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
    /// What the cookies are like; `None` in bodies.
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
        let Some(scope) = &self.cookies else { return Ok(response.json(With { body: tokens, more })) };
        let csrf_token = csrf::token_of(&self.services, &tokens.refresh).map_err(Problem::internal)?;
        for cookie in scope.give(&tokens.refresh, &csrf_token, tokens.refresh_expires_in) {
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

    /// The same at the end of a user's account. The cookies of somebody else who has signed in in this browser stay.
    pub(super) fn without_tokens_of(
        &self,
        user: UserId,
        request: &HttpRequest,
        response: HttpResponseBuilder,
    ) -> HttpResponseBuilder {
        let submitted = cookies::submitted(request.headers(), &self.services.settings);
        let is_anothers = csrf::names_another(&self.services, &submitted, user);
        if is_anothers { response } else { self.without_tokens(response) }
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
pub(super) struct Presented {
    pub(super) token: SecretString,
    pub(super) transport: Transport,
}

impl FromRequest for Presented {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let transport = Transport::of(&request)?;
            let token = match transport.cookies {
                None => JsonBody::<RefreshRequest>::from_request(&request, &mut payload).await?.0.refresh,
                Some(_) => from_cookie(&request, &mut payload, &transport.services).await?,
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

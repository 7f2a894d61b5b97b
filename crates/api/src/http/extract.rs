//! Extractors of handlers: the caller, the client, and what headers say. Bodies, queries, cookies and transports have modules of their
//! own. A handler that takes [`Caller`] is protected.

use super::client_ip::{ClientIp, ProxyChain, follow_proxies};
use crate::config::Settings;
use crate::problem::Problem;
use crate::service::digest::{digest_of, same_digest};
use crate::service::limits::Network;
use crate::service::paging;
use crate::service::sessions::{Administrator, verify};
use crate::service::steps::{REPEAT_WINDOW, StepCaller};
use crate::service::tokens::TokenError;
use crate::service::{ClientInfo, CurrentUser, Services};
use crate::telemetry;
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use auth_types::limits::IDEMPOTENCY_KEY_MAX_BYTES;
use auth_types::{AccessClaims, Reason};
use chrono::DateTime;
use futures_util::future::LocalBoxFuture;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::net::SocketAddr;

/// Longest `User-Agent` that is kept, characters.
const USER_AGENT_MAX_LENGTH: usize = 300;
/// Longest language tag that is kept (RFC 5646, section 4.4.1), bytes.
const LANGUAGE_MAX_LENGTH: usize = 35;

/// The caller, proven by a valid access token of a session that has not been revoked.
#[derive(Debug, Clone, Copy)]
pub struct Caller(pub CurrentUser);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extracted = request.extensions().get::<Self>().copied();
        ready(extracted.map_or_else(|| authenticate(request), Ok))
    }
}

/// The caller, who is an administrator according to the database at this moment; other users get 403.
#[derive(Debug, Clone, Copy)]
pub struct Admin(pub Administrator);

impl FromRequest for Admin {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let extracted = request.extensions().get::<Self>().copied();
        let caller = Caller::from_request(request, payload).into_inner();
        let services = services(request).cloned();
        Box::pin(async move {
            if let Some(admin) = extracted {
                return Ok(admin);
            }
            let Caller(caller) = caller?;
            let services = services?;
            Ok(Self(Administrator::of(&services, caller).await?))
        })
    }
}

/// The caller of a step that may have ended their session already: a password change or an account deletion. With an
/// `Idempotency-Key`, an access token of a revoked session or one that has expired since is accepted, for a repetition only.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepAuthentication(pub(super) StepCaller);

impl FromRequest for StepAuthentication {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        ready(match caller {
            Ok(Caller(user)) => Ok(Self(StepCaller { user, token_refusal: None })),
            Err(problem) if request.headers().contains_key(IDEMPOTENCY_KEY) => accept_repetition(request, problem),
            Err(problem) => Err(problem),
        })
    }
}

fn accept_repetition(request: &HttpRequest, problem: Problem) -> Result<StepAuthentication, Problem> {
    let refusal = problem.reason();
    if !matches!(refusal, Reason::SessionRevoked | Reason::TokenExpired) {
        return Err(problem);
    }
    let services = services(request)?;
    let token = bearer(request.headers())?;
    let claims = match services.tokens.verify_access_within_grace(token, REPEAT_WINDOW) {
        Ok(claims) => claims,
        // By a wrong clock it cannot be determined whether this is a repetition.
        Err(error @ TokenError::ClockMismatch) => return Err(error.into()),
        Err(_) => return Err(problem),
    };
    let Caller(user) = identify_caller(&claims)?;
    Ok(StepAuthentication(StepCaller { user, token_refusal: Some(refusal) }))
}

fn authenticate(request: &HttpRequest) -> Result<Caller, Problem> {
    let claims = verify::verify_access(services(request)?, bearer(request.headers())?)?;
    identify_caller(&claims)
}

/// The caller that the claims name, also for this request's lines in the log.
fn identify_caller(claims: &AccessClaims) -> Result<Caller, Problem> {
    let malformed = || Problem::token_not_valid(Reason::TokenMalformed);
    let id = crate::service::tokens::parse_user_id(&claims.user_id).ok_or_else(malformed)?;
    let issued_at = DateTime::from_timestamp(claims.iat, 0).ok_or_else(malformed)?;
    telemetry::record_caller(id, claims.sid);
    Ok(Caller(CurrentUser { id, session: claims.sid, role: claims.role, issued_at }))
}

/// The token of the only `Authorization` header; the scheme is case-insensitive, and any number of spaces may follow it
/// (RFC 9110, sections 11.1 and 11.4).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    let value = values.next().ok_or_else(Problem::credentials_missing)?;
    if values.next().is_some() {
        return Err(Problem::header_malformed("There is more than one Authorization header."));
    }
    let value = value.to_str().map_err(|_| Problem::token_not_valid(Reason::TokenMalformed))?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start_matches(' '))
    } else {
        Err(Problem::credentials_missing())
    }
}

/// The operator of the service, authenticated by `METRICS_TOKEN`. Without one configured, every request is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator;

impl FromRequest for Operator {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(services(request).and_then(|services| {
            let sent = bearer(request.headers())?;
            let right = services.settings.operation.metrics_token.as_ref();
            // Digests, because a constant-time comparison reveals the length.
            let digest = |token: &str| digest_of(token.as_bytes());
            let same = right.is_some_and(|right| same_digest(&digest(sent), &digest(right.expose_secret())));
            // To a client, another token is no token of this service, whatever its form.
            if same { Ok(Self) } else { Err(Problem::token_not_valid(Reason::TokenMalformed)) }
        }))
    }
}

pub(super) fn services(request: &HttpRequest) -> Result<&Data<Services>, Problem> {
    request.app_data::<Data<Services>>().ok_or_else(|| Problem::internal("the application has no services"))
}

/// Where a request comes from.
#[derive(Debug)]
pub struct Client(pub ClientInfo);

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(services(request).map(|services| {
            let user_agent = request.headers().get(header::USER_AGENT);
            let user_agent = user_agent.map(|value| printable(value.as_bytes()));
            let client = client_address(request, services);
            let network = match client {
                ClientIp::Known(ip) => Some(Network::from(ip)),
                ClientIp::Unknown(_) => None,
            };
            let ip_address = client.seen().map(|ip| ip.to_string());
            Self(ClientInfo { ip_address, user_agent, network })
        }))
    }
}

fn printable(bytes: &[u8]) -> String {
    // A character has at most four bytes; the rest is cut off unread.
    let bytes = &bytes[..bytes.len().min(4 * USER_AGENT_MAX_LENGTH)];
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX_LENGTH).collect()
}

/// Who sent the request; an unknown client is reported once for each request.
fn client_address(request: &HttpRequest, services: &Services) -> ClientIp {
    if let Some(client) = request.extensions().get::<ClientIp>() {
        return *client;
    }
    let client = proxy_chain_of(request.headers(), request.peer_addr(), &services.settings).client;
    request.extensions_mut().insert(client);
    if let ClientIp::Unknown(seen) = client {
        services.limits.unknown_clients.report(seen);
    }
    client
}

/// The proxies that a request with these headers came through, over a connection from `peer`, and its client.
pub(super) fn proxy_chain_of(headers: &HeaderMap, peer: Option<SocketAddr>, settings: &Settings) -> ProxyChain {
    let forwarded: Vec<_> = headers.get_all(header::X_FORWARDED_FOR).map(HeaderValue::as_bytes).collect();
    follow_proxies(peer.map(|peer| peer.ip()), forwarded, &settings.server.proxies)
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The `Idempotency-Key` header, if there is one.
#[derive(Debug)]
pub(super) struct IdempotencyKey(pub(super) Option<Vec<u8>>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
        let key = values.next().map(|value| value.as_bytes().to_vec());
        let fits = key.as_ref().is_none_or(|key| (1..=IDEMPOTENCY_KEY_MAX_BYTES).contains(&key.len()));
        ready(if fits && values.next().is_none() {
            Ok(Self(key))
        } else {
            let detail = format!("Send one Idempotency-Key of 1 to {IDEMPOTENCY_KEY_MAX_BYTES} bytes.");
            Err(Problem::header_malformed(detail))
        })
    }
}

/// The language that the browser prefers, if it is a well-formed tag (RFC 5646).
#[derive(Debug)]
pub(super) struct Language(pub(super) Option<String>);

impl FromRequest for Language {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let value = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let first = value.and_then(|value| value.split([',', ';']).next()).map(str::trim);
        let is_tag = |tag: &&str| {
            (2..=LANGUAGE_MAX_LENGTH).contains(&tag.len())
                && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        ready(Ok(Self(first.filter(is_tag).map(str::to_owned))))
    }
}

/// The query's `cursor`; empty when there is none.
#[derive(Debug)]
pub struct Cursor(pub String);

impl Cursor {
    /// The key of the last row of the previous page; `None` for the first page. A cursor that does not parse is a 400.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        if self.0.is_empty() {
            return Ok(None);
        }
        paging::read(&self.0).map(Some).ok_or_else(|| Problem::field("cursor", paging::NO_CURSOR))
    }
}

impl FromRequest for Cursor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Read lazily: a query can hold thousands of pairs.
        let mut pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let cursor = pairs.find(|(name, _)| name == "cursor");
        ready(Ok(Self(cursor.map(|(_, cursor)| cursor.into_owned()).unwrap_or_default())))
    }
}

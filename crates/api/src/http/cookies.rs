//! The cookies of `TOKEN_TRANSPORT=cookie`: one holds the refresh token and is hidden from scripts, the other holds the CSRF
//! token, which the client's scripts read and repeat in a header.

use super::middleware::forwarded_proto;
use super::site::is_same_site;
use crate::config::Settings;
use crate::service::sessions::csrf::SubmittedTokens;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::net::SocketAddr;

/// The header that repeats the cookie [`CSRF`].
pub(super) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const CSRF: &str = "csrf_token";
/// The refresh token's cookie. The prefix makes browsers refuse one that came in plaintext (ASVS 3.3.1); `__Host-` would
/// require the path `/` and forbid a domain.
pub(super) const SECURE_REFRESH: &str = "__Secure-refresh_token";
/// The same on a developer's machine without TLS.
const PLAIN_REFRESH: &str = "refresh_token";
/// Where the refresh token is sent: to the routes that use it, and not with every other request.
const REFRESH_PATH: &str = "/api/auth/";

/// The attributes of the cookies of one response.
#[derive(Debug, Clone)]
pub(super) struct CookieScope {
    domain: Option<String>,
    secure: bool,
    same_site: SameSite,
}

impl CookieScope {
    /// As strict as the requesting page allows: a page of another site gets `SameSite=None`, or its browser would not send the
    /// cookies. A request without an `Origin` gets `Strict`.
    pub(super) fn of(headers: &HeaderMap, peer: Option<SocketAddr>, settings: &Settings) -> Self {
        let proto = forwarded_proto(headers, peer, settings);
        let tls =
            settings.environment.is_production() || proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let scheme = if tls { "https" } else { "http" };
        let host = text(header::HOST).unwrap_or_default();
        let same_site = !headers.contains_key(header::ORIGIN)
            || text(header::ORIGIN).is_some_and(|origin| is_same_site(origin, scheme, host));
        Self {
            domain: settings.transport.cookie_domain.clone(),
            // Browsers accept `None` only with `Secure`, which they accept from a developer's own machine without TLS.
            secure: tls || !same_site,
            same_site: if same_site { SameSite::Strict } else { SameSite::None },
        }
    }

    /// Whether they are for a page of another site, to which a browser does not send the cookies of a page of the API's site.
    pub(super) fn is_cross_site(&self) -> bool {
        self.same_site == SameSite::None
    }

    /// Both cookies, for as long as the refresh token lives.
    pub(super) fn set(&self, refresh: &str, csrf: &str, seconds: i64) -> [Cookie<'static>; 2] {
        let name = if self.secure { SECURE_REFRESH } else { PLAIN_REFRESH };
        let mut refresh = self.cookie(name, refresh, seconds);
        refresh.set_http_only(true);
        refresh.set_path(REFRESH_PATH);
        let mut csrf = self.cookie(CSRF, csrf, seconds);
        csrf.set_path("/");
        [refresh, csrf]
    }

    fn cookie(&self, name: &'static str, value: &str, seconds: i64) -> Cookie<'static> {
        let mut cookie = Cookie::new(name, value.to_owned());
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.clone());
        }
        cookie.set_secure(self.secure);
        cookie.set_same_site(self.same_site);
        cookie.set_max_age(Duration::seconds(seconds));
        cookie
    }

    /// Both cookies, empty and expired, which makes a browser delete them.
    pub(super) fn remove(&self) -> [Cookie<'static>; 2] {
        self.set("", "", 0)
    }
}

/// The cookies and CSRF header of a request. In production only the cookie name that browsers protect is read.
pub(super) fn submitted<'a>(headers: &'a HeaderMap, settings: &Settings) -> SubmittedTokens<'a> {
    let mut refresh_cookies = values(headers, SECURE_REFRESH);
    if !settings.environment.is_production() {
        refresh_cookies.extend(values(headers, PLAIN_REFRESH));
    }
    let mut repeated = headers.get_all(CSRF_HEADER);
    let csrf_header = match (repeated.next(), repeated.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    SubmittedTokens { refresh_cookies, csrf_cookies: values(headers, CSRF), csrf_header }
}

/// The values of all cookies of this name. Parsed by hand as bytes: another application's cookie that is not text must not
/// hide these.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let pairs = headers.get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    texts.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
}

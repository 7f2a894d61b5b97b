//! The cookies of `TOKEN_TRANSPORT=cookie`: one that holds the refresh token and that no script can read, and one with
//! the CSRF token, which the client's scripts read and repeat in a header.

use super::middleware::forwarded_proto;
use super::site::is_same_site;
use crate::config::Settings;
use crate::service::sessions::csrf::Submitted;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::net::SocketAddr;

/// What repeats the cookie [`CSRF`].
pub(super) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
const CSRF: &str = "csrf_token";
/// The refresh token's cookie. The prefix makes browsers refuse one that came in clear (ASVS 3.3.1); `__Host-` would ask
/// for the path `/` and forbid a domain.
pub(super) const SECURE_REFRESH: &str = "__Secure-refresh_token";
/// The same where a developer's machine has no TLS.
const PLAIN_REFRESH: &str = "refresh_token";
/// Where the refresh token is sent: to the routes that use it, and not with every other request.
const REFRESH_PATH: &str = "/api/auth/";

/// What the cookies of one answer have in common.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    domain: Option<String>,
    secure: bool,
    same_site: SameSite,
}

impl Scope {
    /// As strict as the page that asks allows: a page of another site gets `None`, or its browser would keep the cookies
    /// back. What is no page gets `Strict`.
    pub(super) fn of(headers: &HeaderMap, peer: Option<SocketAddr>, settings: &Settings) -> Self {
        let proto = forwarded_proto(headers, peer, settings);
        let tls =
            settings.environment.is_production() || proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let (scheme, host) = (if tls { "https" } else { "http" }, text(header::HOST).unwrap_or_default());
        let same_site = !headers.contains_key(header::ORIGIN)
            || text(header::ORIGIN).is_some_and(|origin| is_same_site(origin, scheme, host));
        Self {
            domain: settings.transport.cookie_domain.clone(),
            // Browsers take `None` only beside `Secure`, and take that from a developer's own machine without TLS.
            secure: tls || !same_site,
            same_site: if same_site { SameSite::Strict } else { SameSite::None },
        }
    }

    /// Both cookies, for as long as the refresh token lives.
    pub(super) fn give(&self, refresh: &str, csrf: &str, seconds: i64) -> [Cookie<'static>; 2] {
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

    /// The same two, empty and over at once.
    pub(super) fn take_back(&self) -> [Cookie<'static>; 2] {
        self.give("", "", 0)
    }
}

/// What a browser sent. In production a refresh token counts only under the name that browsers guard.
pub(super) fn submitted<'a>(headers: &'a HeaderMap, settings: &Settings) -> Submitted<'a> {
    let mut refresh_cookies = values(headers, SECURE_REFRESH);
    if !settings.environment.is_production() {
        refresh_cookies.extend(values(headers, PLAIN_REFRESH));
    }
    let mut repeated = headers.get_all(CSRF_HEADER);
    let csrf_header = match (repeated.next(), repeated.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    Submitted { refresh_cookies, csrf_cookies: values(headers, CSRF), csrf_header }
}

/// The values of all cookies of this name. By hand and in bytes: a cookie of somebody else's that is no text must not
/// hide ours.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let pairs = headers.get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    texts.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
}

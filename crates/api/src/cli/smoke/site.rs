//! The address of one of the two sites.

use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// An address that passwords may be sent to: HTTPS, or this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeSite {
    /// Its path ends with a slash.
    url: Url,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    #[error("not an address such as https://api.example.com")]
    NotAnAddress,
    #[error("must be https://: passwords would travel in plaintext; http:// only to this machine")]
    InClear,
}

impl FromStr for SmokeSite {
    type Err = SiteError;

    fn from_str(text: &str) -> Result<Self, SiteError> {
        let mut url = Url::parse(text.trim()).map_err(|_| SiteError::NotAnAddress)?;
        let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !bare || url.password().is_some() {
            return Err(SiteError::NotAnAddress);
        }
        url.set_path(&format!("{}/", url.path().trim_end_matches('/')));
        let site = Self { url };
        if site.is_https() || site.is_here() { Ok(site) } else { Err(SiteError::InClear) }
    }
}

impl fmt::Display for SmokeSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base())
    }
}

impl SmokeSite {
    /// The form that the client is built with: without a trailing slash.
    pub(super) fn base(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// Resolves a link of the page `/`.
    pub(super) fn join(&self, link: &str) -> Option<Url> {
        self.url.join(link).ok()
    }

    pub(super) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Host and port, as in a `Host` header.
    pub(super) fn host(&self) -> &str {
        let base = self.url.as_str();
        base.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default()
    }

    pub(super) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the address is on this machine.
    pub(super) fn is_here(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// The same path by plain HTTP, at `port` or at 80; `None` if the address has a port of its own, so that it is unknown.
    pub(super) fn in_clear(&self, port: Option<u16>, path: &str) -> Option<Url> {
        let mut url = Url::parse(&self.at(path)).ok()?;
        if port.is_none() && (url.port().is_some() || !self.is_https()) {
            return None;
        }
        url.set_scheme("http").ok()?;
        url.set_port(port).ok()?;
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> SmokeSite {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn passwords_travel_by_https_or_not_at_all() {
        for text in ["https://api.example.com", "http://127.0.0.1:8000/", "http://[::1]:8000", "http://localhost"] {
            site(text);
        }
        assert_eq!("http://api.example.com".parse::<SmokeSite>(), Err(SiteError::InClear));
        assert_eq!("http://localhost.example.com".parse::<SmokeSite>(), Err(SiteError::InClear));
        for text in ["", "api.example.com", "ftp://api.example.com", "https://a:b@example.com", "https://a.example?x"] {
            assert_eq!(text.parse::<SmokeSite>(), Err(SiteError::NotAnAddress), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_taken_apart_as_the_client_was_built_with_it() {
        let api = site("https://Example.com/backend/");
        assert_eq!((api.base(), api.host()), ("https://example.com/backend", "example.com"));
        assert_eq!(api.origin(), "https://example.com");
        assert_eq!(api.at("/healthz"), "https://example.com/backend/healthz");
    }

    #[test]
    fn plain_http_is_at_port_80_unless_it_was_said() {
        let clear = |text: &str, port| site(text).in_clear(port, "/x").map(String::from);
        assert_eq!(clear("https://example.com", None).as_deref(), Some("http://example.com/x"));
        assert_eq!(clear("https://example.com:8443", None), None);
        assert_eq!(clear("http://127.0.0.1:1", None), None);
        assert_eq!(clear("https://example.com:8443", Some(8080)).as_deref(), Some("http://example.com:8080/x"));
    }
}

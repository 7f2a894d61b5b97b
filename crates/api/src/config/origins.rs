//! Which web origins may talk to the API.

use super::hosts;
use super::quote::{quoted, quoted_entry};
use super::reader::Reader;
use super::sections::Environment;
use url::Url;

/// A web origin, `scheme://host` and a port if it is not the scheme's own (RFC 6454, section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as people write it into a dashboard.
    ///
    /// # Errors
    /// What is wrong and how to write it.
    pub fn parse(value: &str) -> Result<Self, String> {
        Self::parse_as(value, &quoted(value))
    }

    /// The same of a value that messages call `given`.
    fn parse_as(value: &str, given: &str) -> Result<Self, String> {
        let example = "write it as https://app.example.com";
        if value.contains('*') {
            return Err(format!("{given} has a wildcard, which browsers refuse beside credentials; list each origin"));
        }
        let url = Url::parse(value).map_err(|_| format!("{given} is not an origin; {example}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.origin().is_tuple() {
            return Err(format!("{given} is neither http:// nor https://; {example}"));
        }
        let url = hosts::with_usable_host(&url).map_err(|problem| format!("{given} {problem}; {example}"))?;
        let origin = url.origin().ascii_serialization();
        // Beyond ASCII nobody knows by heart what a browser sends.
        if origin == value || (!value.is_ascii() && format!("{origin}/") == url.as_str() && !value.ends_with('/')) {
            Ok(Self(origin))
        } else {
            Err(format!("{given} is not an origin; write it as {origin}"))
        }
    }

    /// As browsers send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The allow-lists.
#[derive(Debug, Clone)]
pub struct Origins {
    /// `CORS_ALLOWED_ORIGINS`, comma-separated: who may read answers. Default: the origin of `trunk serve`, in
    /// production none.
    pub cors_allowed: Vec<Origin>,
    /// `CSRF_TRUSTED_ORIGINS`, comma-separated: who else may send unsafe requests. Default: none.
    pub csrf_trusted: Vec<Origin>,
    /// `FRONTEND_URL`, where links in mails lead, without a trailing slash. Default: the first of
    /// `CORS_ALLOWED_ORIGINS`.
    pub frontend_url: Option<String>,
}

/// Where `trunk serve` is found: by address and by name, which are two origins to a browser.
const TRUNK_SERVE: [&str; 2] = ["http://127.0.0.1:8080", "http://localhost:8080"];

impl Origins {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let mut cors_allowed = list(reader, "CORS_ALLOWED_ORIGINS");
        if cors_allowed.is_empty() && !environment.is_production() {
            cors_allowed = TRUNK_SERVE.map(|origin| Origin(origin.to_owned())).to_vec();
        }
        let first = cors_allowed.first().map(|origin| origin.as_str().to_owned());
        let frontend_url = frontend_url(reader).or(first);
        Self { cors_allowed, csrf_trusted: list(reader, "CSRF_TRUSTED_ORIGINS"), frontend_url }
    }
}

fn frontend_url(reader: &mut Reader) -> Option<String> {
    let value = reader.text("FRONTEND_URL")?;
    let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let plain = url.filter(|url| {
        let credentials = !url.username().is_empty() || url.password().is_some();
        url.query().is_none() && url.fragment().is_none() && !credentials
    });
    let usable = plain.ok_or("is not a URL").and_then(|url| hosts::with_usable_host(&url));
    let tell = |problem| {
        let given = quoted(&value);
        reader.problem("FRONTEND_URL", format_args!("{given} {problem}; write it as https://app.example.com"));
    };
    // As a mail program takes it for a link: without blanks, and with letters beyond ASCII escaped.
    usable.map_err(tell).ok().map(|url| url.as_str().trim_end_matches('/').to_owned())
}

fn list(reader: &mut Reader, name: &str) -> Vec<Origin> {
    let value = reader.text(name).unwrap_or_default();
    let mut origins = Vec::new();
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
    for (number, part) in (1..).zip(parts) {
        match Origin::parse_as(part, &quoted_entry((number, part))) {
            Ok(origin) => origins.push(origin),
            Err(problem) => reader.problem(name, problem),
        }
    }
    origins
}

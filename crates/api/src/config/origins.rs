//! Which web origins may use the API.

use super::declare::variables;
use super::hosts;
use super::quote::{quoted, quoted_entry};
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, parsed, text};
use url::Url;

variables! {
    CORS_ALLOWED_ORIGINS: Optional<String> = text(
        doc(
            "A list of the origins whose pages may read responses. Each exactly as browsers send it, \
             `https://app.example.com`: no wildcard, no path and no trailing slash.",
        )
        .default_value("http://127.0.0.1:8080,http://localhost:8080")
        .production_default(""),
    );
    CSRF_TRUSTED_ORIGINS: Optional<String> = text(
        doc("A list of the origins whose pages may also send requests that change something, without reading the responses."),
    );
    FRONTEND_URL: Optional<String> =
        parsed(parse_frontend_url, doc("The address for links in mails. The first of `CORS_ALLOWED_ORIGINS` unless set."));
}

/// A web origin, `scheme://host` and a port if it is not the scheme's default (RFC 6454, section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Parses an origin; the error describes what is wrong and how to write it.
    pub fn parse(value: &str) -> Result<Self, String> {
        Self::parse_as(value, &quoted(value))
    }

    /// The same for a value that messages refer to as `given`.
    fn parse_as(value: &str, given: &str) -> Result<Self, String> {
        let example = "write it as https://app.example.com";
        if value.contains('*') {
            return Err(format!("{given} has a wildcard, which browsers refuse with credentials; list each origin"));
        }
        let url = Url::parse(value).map_err(|_| format!("{given} is not an origin; {example}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.origin().is_tuple() {
            return Err(format!("{given} is neither http:// nor https://; {example}"));
        }
        let url = hosts::with_usable_host(&url).map_err(|problem| format!("{given} {problem}; {example}"))?;
        let origin = url.origin().ascii_serialization();
        // For a host beyond ASCII, people cannot be expected to know the form that browsers send.
        if origin == value || (!value.is_ascii() && format!("{origin}/") == url.as_str() && !value.ends_with('/')) {
            Ok(Self(origin))
        } else {
            Err(format!("{given} is not an origin; write it as {origin}"))
        }
    }

    /// As browsers send it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The allow-lists.
#[derive(Debug, Clone)]
pub struct Origins {
    /// The origins that may read responses. Default: the origin of `trunk serve`, in production none.
    pub cors_allowed: Vec<Origin>,
    /// Further origins that may send unsafe requests.
    pub csrf_trusted: Vec<Origin>,
    /// The address for links in mails, without a trailing slash. Default: the first of `CORS_ALLOWED_ORIGINS`.
    pub frontend_url: Option<String>,
}

/// The origins of `trunk serve`, by address and by name, which are two origins to a browser.
const TRUNK_SERVE: [&str; 2] = ["http://127.0.0.1:8080", "http://localhost:8080"];

impl Origins {
    pub(super) fn read(reader: &mut SettingsReader) -> Self {
        let mut cors_allowed = list(reader, &CORS_ALLOWED_ORIGINS);
        if cors_allowed.is_empty() && !reader.is_production() {
            cors_allowed = TRUNK_SERVE.map(|origin| Origin(origin.to_owned())).to_vec();
        }
        let first = cors_allowed.first().map(|origin| origin.as_str().to_owned());
        let frontend_url = reader.find(&FRONTEND_URL).or(first);
        Self { cors_allowed, csrf_trusted: list(reader, &CSRF_TRUSTED_ORIGINS), frontend_url }
    }
}

fn parse_frontend_url(value: &str) -> Result<String, String> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let plain = url.filter(|url| {
        let credentials = !url.username().is_empty() || url.password().is_some();
        url.query().is_none() && url.fragment().is_none() && !credentials
    });
    let usable = plain.ok_or("is not a URL").and_then(|url| hosts::with_usable_host(&url));
    let wrong = |problem| format!("{} {problem}; write it as https://app.example.com", quoted(value));
    // In the form that mail programs recognise as a link: without blanks, and with letters beyond ASCII escaped.
    usable.map(|url| url.as_str().trim_end_matches('/').to_owned()).map_err(wrong)
}

fn list(reader: &mut SettingsReader, variable: &Optional<String>) -> Vec<Origin> {
    let value = reader.find(variable).unwrap_or_default();
    let mut origins = Vec::new();
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
    for (number, part) in (1..).zip(parts) {
        match Origin::parse_as(part, &quoted_entry(number, part)) {
            Ok(origin) => origins.push(origin),
            Err(problem) => reader.problem(variable.name(), problem),
        }
    }
    origins
}

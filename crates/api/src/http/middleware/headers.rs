//! Headers that every response carries.

use crate::config::Environment;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// No response of the API is a page. `default-src` does not cover the last three, which are not fetches (ASVS 3.4.3).
const API_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The documentation page runs scripts of the API's own origin only; its style sheet has data URLs and inline styles.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Browser features that no response needs, should a browser ever show it as a page.
const NO_FEATURES: &str = "camera=(), geolocation=(), microphone=(), payment=()";
/// Two years, as the preload list asks.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Adds the headers that are missing.
pub(crate) fn secure(headers: &mut HeaderMap, route: &str, environment: Environment) {
    let docs = route.starts_with("/api/docs");
    let mut set = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CONTENT_SECURITY_POLICY, if docs { DOCS_POLICY } else { API_POLICY });
    set(HeaderName::from_static("permissions-policy"), NO_FEATURES);
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    // Prevents pages of other origins from embedding responses; the client's CORS requests are not affected.
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(header::CACHE_CONTROL, if docs { "no-cache" } else { "no-store" });
    if environment.is_production() {
        set(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    name_charset(headers);
    let varies = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains("origin"));
    if !headers.get_all(header::VARY).any(varies) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// Texts of other libraries, such as the page to try the API, do not say that they are UTF-8 (ASVS 4.1.1).
fn name_charset(headers: &mut HeaderMap) {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let bare = content_type.filter(|value| value.starts_with("text/") && !value.contains("charset"));
    if let Some(named) = bare.and_then(|value| HeaderValue::from_str(&format!("{value}; charset=utf-8")).ok()) {
        headers.insert(header::CONTENT_TYPE, named);
    }
}

//! Checks that the page's content security policies let it run and reach the API. Policies of the header and of the page both
//! apply: a browser allows what all of them allow.

use super::context::{Smoke, learnt};
use super::html::tags;
use super::response::{CheckFailure, CheckResult, unless_any};
use url::Url;

pub(super) fn policy(smoke: &Smoke) -> CheckResult {
    let sent = learnt(&smoke.page)?.header("content-security-policy");
    let html = smoke.html()?;
    let tags = tags(&html);
    let in_page = tags.iter().filter(|tag| tag.is("meta") && tag.value("http-equiv") == "Content-Security-Policy");
    let policies: Vec<_> = sent.split(',').chain(in_page.map(|tag| tag.value("content"))).collect();
    if policies.iter().all(|policy| policy.trim().is_empty()) {
        return Err(CheckFailure::failed("there is none"));
    }
    let web = smoke.plan.web.origin();
    let api = smoke.plan.api.origin();
    let wrong = policies.iter().flat_map(|policy| problems(policy, &web, &api)).collect::<Vec<_>>();
    unless_any(&wrong, format!("the program may run and reach {api}"))
}

fn problems(policy: &str, web: &str, api: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(sources) = sources(policy, "connect-src")
        && !sources.split_whitespace().any(|source| allows(source, web, api))
    {
        wrong.push(format!("connect-src does not allow {api}: {sources}"));
    }
    if let Some(sources) = sources(policy, "script-src") {
        let has = |wanted| sources.split_whitespace().any(|source| source == wanted);
        if !has("'self'") || !has("'wasm-unsafe-eval'") {
            wrong.push(format!("script-src does not allow the program: {sources}"));
        }
        if has("'unsafe-inline'") || has("'unsafe-eval'") || has("*") {
            wrong.push(format!("script-src allows any script: {sources}"));
        }
    }
    wrong
}

/// What a policy says of these fetches; `None` when it says nothing, which allows all.
fn sources<'a>(policy: &'a str, directive: &str) -> Option<&'a str> {
    let find = |wanted: &str| {
        let directives = policy.split(';').map(str::trim);
        directives.map(|text| text.split_once(' ').unwrap_or((text, ""))).find(|(name, _)| *name == wanted)
    };
    find(directive).or_else(|| find("default-src")).map(|(_, sources)| sources)
}

/// Whether one source of a policy matches an origin (CSP 3, section 6.7.2.8).
fn allows(source: &str, web: &str, origin: &str) -> bool {
    let Ok(origin_url) = Url::parse(origin) else { return false };
    let scheme = origin_url.scheme();
    match source {
        "*" => true,
        "'self'" => web == origin,
        _ if source.ends_with(':') => source.strip_suffix(':') == Some(scheme),
        _ => {
            let (named, rest) = source.split_once("://").unwrap_or((scheme, source));
            let host = rest.split('/').next().unwrap_or_default();
            let (host, port) = host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
            let own_port = origin_url.port_or_known_default().map(|port| port.to_string());
            let default = if named == "http" { "80" } else { "443" };
            let port_fits = port == Some("*") || own_port.as_deref() == Some(port.unwrap_or(default));
            named == scheme && port_fits && origin_url.host_str().is_some_and(|own| host_fits(host, own))
        }
    }
}

fn host_fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => end.starts_with('.') && host.ends_with(end) && host.len() > end.len(),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = "https://app.example.com";
    const API: &str = "https://api.example.com";

    #[test]
    fn a_source_allows_what_a_browser_would() {
        for source in ["*", "https:", API, "api.example.com", "https://*.example.com", "https://api.example.com:*"] {
            assert!(allows(source, WEB, API), "{source}");
        }
        for source in ["'self'", "'none'", "http:", WEB, "*.api.example.com", "https://api.example.com:8443"] {
            assert!(!allows(source, WEB, API), "{source}");
        }
        assert!(allows("'self'", WEB, WEB));
        assert!(allows("http://127.0.0.1:8000", WEB, "http://127.0.0.1:8000"));
        assert!(!allows("http://127.0.0.1:8000", WEB, "http://127.0.0.1:8001"));
    }

    #[test]
    fn default_src_applies_to_directives_that_are_missing() {
        assert_eq!(sources("default-src 'none'; script-src 'self'", "connect-src"), Some("'none'"));
        assert_eq!(sources("connect-src 'self' https:", "connect-src"), Some("'self' https:"));
        assert_eq!(sources("img-src 'self'", "connect-src"), None);
    }

    #[test]
    fn a_policy_that_lets_any_script_run_is_found() {
        assert!(problems("script-src 'self' 'wasm-unsafe-eval'", WEB, API).is_empty());
        assert_eq!(problems("script-src 'self' 'wasm-unsafe-eval' 'unsafe-inline'", WEB, API).len(), 1);
        assert_eq!(problems("default-src 'self'", WEB, API).len(), 2);
    }
}

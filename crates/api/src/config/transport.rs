//! How the refresh token travels.

use super::declare::{settings, variables};
use super::hosts;
use super::quote::quoted;
use super::row::doc;
use super::variable::{Optional, Variable, parsed, word};
use auth_types::responses::TokenTransport;

variables! {
    TOKEN_TRANSPORT: Variable<TokenTransport> = word(
        &[("body", TokenTransport::Body), ("cookie", TokenTransport::Cookie)],
        doc("How the refresh token travels. Scripts cannot read the cookie."),
    );
    SESSION_COOKIE_DOMAIN: Optional<String> = parsed(
        parse_domain,
        doc(
            "The domain of the cookies, with `TOKEN_TRANSPORT=cookie`. Written as `.example.com`, in lower case, of letters, \
             digits and hyphens; the API's own host unless set. A registry's domain, such as com or co.uk, is refused.",
        ),
    );
}

settings! {
    /// How the refresh token travels, and the cookies' domain.
    pub struct TransportSettings {
        pub tokens: TokenTransport = TOKEN_TRANSPORT,
        /// Without a leading dot. `None` is the API's own host only.
        pub cookie_domain: Option<String> = SESSION_COOKIE_DOMAIN,
    }
}

fn parse_domain(value: &str) -> Result<String, String> {
    let given = value.strip_prefix('.').unwrap_or(value);
    let usable = hosts::domain(given).ok().filter(|usable| usable == given || !given.is_ascii());
    let domain = usable.ok_or_else(|| {
        let fix =
            "is not a domain of letters, digits and hyphens in lower case; write it as .example.com, or remove it";
        format!("{} {fix}", quoted(value))
    })?;
    if is_registry(&domain) {
        let fix =
            "is a registry's, like co.uk: browsers drop a cookie for it; write a domain of your own, or remove it";
        return Err(format!("{domain} {fix}"));
    }
    Ok(domain)
}

/// Whether names are registered directly below this one. For a company's suffix (`onrender.com`) the start only warns, because
/// its owner may use it.
fn is_registry(domain: &str) -> bool {
    let is_whole = |suffix: &psl::Suffix<'_>| suffix.as_bytes() == domain.as_bytes();
    let suffix = psl::suffix(domain.as_bytes()).filter(is_whole);
    suffix.is_some_and(|suffix| suffix.typ() == Some(psl::Type::Icann))
}

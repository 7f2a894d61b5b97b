//! How the refresh token travels.

use super::hosts;
use super::quote::quoted;
use super::reader::Reader;
use auth_types::responses::TokenTransport;

/// How the refresh token travels, and the cookies' domain.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// `TOKEN_TRANSPORT`: `body` or `cookie`. Default: `body`.
    pub transport: TokenTransport,
    /// `SESSION_COOKIE_DOMAIN`, without the leading dot that people write. Default: none, the API's own host only.
    pub cookie_domain: Option<String>,
}

impl TransportSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let transports = [("body", TokenTransport::Body), ("cookie", TokenTransport::Cookie)];
        let transport = reader.word("TOKEN_TRANSPORT", &transports, TokenTransport::Body);
        let cookie_domain = reader.text("SESSION_COOKIE_DOMAIN").and_then(|value| {
            let given = value.strip_prefix('.').unwrap_or(&value);
            let usable = hosts::domain(given).ok();
            let domain = usable.clone().unwrap_or_else(|| given.to_owned());
            let is_domain = usable.is_some_and(|usable| usable == given || !given.is_ascii());
            if is_domain && is_registry(&domain) {
                let problem = format!(
                    "{domain} is a registry's, like co.uk: browsers drop a cookie for it; write a domain of your own, or \
                     remove it"
                );
                reader.problem("SESSION_COOKIE_DOMAIN", problem);
                return None;
            }
            if is_domain {
                return Some(domain);
            }
            let problem = format!(
                "{} is not a domain of letters, digits and hyphens in lower case; write it as .example.com, or remove it",
                quoted(&value)
            );
            reader.problem("SESSION_COOKIE_DOMAIN", problem);
            None
        });
        Self { transport, cookie_domain }
    }
}

/// Whether names are registered right below this one. Where a company gives them to its customers (`onrender.com`), the start
/// only warns: that is a domain that somebody has.
fn is_registry(domain: &str) -> bool {
    let is_whole = |suffix: &psl::Suffix<'_>| suffix.as_bytes() == domain.as_bytes();
    let suffix = psl::suffix(domain.as_bytes()).filter(is_whole);
    suffix.is_some_and(|suffix| suffix.typ() == Some(psl::Type::Icann))
}

//! Rate limits and where they are counted.

use super::declare::{settings, variables};
use super::hosts;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, Variable, parsed, word};
use secrecy::SecretString;
use url::Url;

variables! {
    RATE_LIMITS: Variable<bool> = word(
        &[("on", true), ("off", false)],
        doc("Whether requests are counted. `off` is for load tests, and refused in production."),
    );
    REDIS_URL: Optional<SecretString> = parsed(
        parse_redis,
        doc(
            "The Redis that several processes share their counts in: `redis://HOST:6379` or `rediss://…`. Without it each \
             process counts by itself.",
        )
            .secret()
            .example("redis://HOST:6379"),
    );
}

settings! {
    /// Rate limits and where they are counted.
    pub struct LimitSettings {
        pub enabled: bool = RATE_LIMITS,
        /// The Redis that several processes share their counts in. Without it each process counts by itself.
        pub redis_url: Option<SecretString> = REDIS_URL,
    }
    checked by check
}

fn check(settings: &LimitSettings, reader: &mut SettingsReader) {
    if !settings.enabled && reader.is_production() {
        reader.problem(RATE_LIMITS.name(), "must not be off in production; remove it");
    }
}

/// The value may hold a password, so no message repeats it.
fn parse_redis(value: &str) -> Result<SecretString, String> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
    let url = url.ok_or("is neither redis://HOST:PORT nor rediss://HOST:PORT")?;
    if !url.username().is_empty() && url.password().is_none() {
        return Err("has a user without a password; write redis://:PASSWORD@HOST:PORT".to_owned());
    }
    let url = hosts::with_usable_host(&url)?;
    // Some programs read `#insecure` as a request not to check the certificate.
    if url.fragment().is_some() {
        return Err("has a #; write it as %23 in a password, or remove it and what follows".to_owned());
    }
    if url.query_pairs().any(|(name, _)| name != "protocol") {
        return Err("has options after the ?, and there is none but protocol; remove them".to_owned());
    }
    let database = url.path().trim_start_matches('/');
    if !database.is_empty() && database.parse::<u16>().is_err() {
        return Err("has a path that is not the number of a database; write redis://HOST:PORT or redis://HOST:PORT/0"
            .to_owned());
    }
    Ok(url.as_str().into())
}

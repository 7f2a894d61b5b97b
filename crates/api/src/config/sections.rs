//! The smaller concerns of the configuration.

use super::hosts;
use super::proxies::TrustedProxies;
use super::quote::quoted;
use super::reader::Reader;
use auth_types::limits::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH};
use auth_types::responses::{EmailVerification, PasswordRules, Registration};
use chrono::Duration;
use secrecy::SecretString;
use std::net::{IpAddr, Ipv4Addr};
use url::Url;

/// Where this runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine.
    Development,
    /// On the open internet.
    Production,
}

impl Environment {
    #[must_use]
    pub const fn is_production(self) -> bool {
        matches!(self, Self::Production)
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let words = [("development", Self::Development), ("production", Self::Production)];
        let environment = reader.word("APP_ENV", &words, Self::Development);
        // Django's spellings of a boolean.
        let booleans = [
            ("True", true),
            ("true", true),
            ("1", true),
            ("on", true),
            ("yes", true),
            ("False", false),
            ("false", false),
            ("0", false),
            ("off", false),
            ("no", false),
        ];
        if reader.word("DEBUG", &booleans, false) && environment.is_production() {
            reader.problem("DEBUG", "must not be on in production; set DEBUG=False or remove it");
        }
        environment
    }
}

/// Where the API listens and what stands before it.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// `HOST`. Default: 127.0.0.1, in production 0.0.0.0.
    pub host: IpAddr,
    /// `PORT`. Default: 8000. 0 lets the system choose.
    pub port: u16,
    /// `TRUSTED_PROXIES` or `TRUSTED_PROXY_HOPS`: what stands before the API. Default: nothing, on Render its proxies.
    pub proxies: TrustedProxies,
    /// `RENDER`: whether this is a service of Render, which sets it to `true`.
    pub on_render: bool,
    /// `RENDER_EXTERNAL_HOSTNAME`: the API's own host as browsers know it, where Render tells it.
    pub public_host: Option<String>,
}

impl ServerSettings {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let host = if environment.is_production() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        let on_render = reader.text("RENDER").is_some_and(|value| value == "true");
        Self {
            host: reader.parse("HOST", IpAddr::V4(host), |value| {
                value.parse().map_err(|_| format!("{} is not an IP address; use 127.0.0.1 or 0.0.0.0", quoted(value)))
            }),
            port: reader.number("PORT", 8000, 0..=u16::MAX),
            proxies: TrustedProxies::read(reader, on_render),
            on_render,
            public_host: reader.text("RENDER_EXTERNAL_HOSTNAME"),
        }
    }
}

/// How long tokens and sessions live.
#[derive(Debug, Clone)]
pub struct Lifetimes {
    /// `ACCESS_TOKEN_LIFETIME`, seconds. Default: 3600.
    pub access: Duration,
    /// `REFRESH_TOKEN_LIFETIME`, seconds: also how long an idle session lasts. Default: 604800.
    pub refresh: Duration,
    /// `SESSION_MAX_AGE`, seconds: a session's absolute lifetime. Default: 7776000.
    pub session: Duration,
    /// `REFRESH_LEEWAY`, seconds: how long a superseded refresh token still gives the live one. Default: 10; 0 is strict
    /// single use.
    pub leeway: Duration,
}

impl Lifetimes {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const YEAR: i64 = 365 * 24 * 3600;
        let access = reader.number("ACCESS_TOKEN_LIFETIME", 3600, 1..=YEAR);
        let refresh = reader.number("REFRESH_TOKEN_LIFETIME", 604_800, 1..=YEAR);
        let session = reader.number("SESSION_MAX_AGE", 7_776_000, 1..=10 * YEAR);
        if access >= refresh {
            reader.problem(
                "ACCESS_TOKEN_LIFETIME",
                format_args!("{access} s must be less than REFRESH_TOKEN_LIFETIME, {refresh} s"),
            );
        }
        if refresh > session {
            reader.problem(
                "REFRESH_TOKEN_LIFETIME",
                format_args!("{refresh} s must not be more than SESSION_MAX_AGE, {session} s"),
            );
        }
        Self {
            access: Duration::seconds(access),
            refresh: Duration::seconds(refresh),
            session: Duration::seconds(session),
            leeway: Duration::seconds(reader.number("REFRESH_LEEWAY", 10, 0..=300)),
        }
    }
}

/// How passwords are judged and kept.
#[derive(Debug, Clone)]
pub struct PasswordSettings {
    /// `PASSWORD_MIN_LENGTH`, code points. Default: 8.
    pub rules: PasswordRules,
    /// `BCRYPT_COST`, the base-2 logarithm of the rounds. Default: 12; at least 10 in production.
    pub bcrypt_cost: u32,
}

impl PasswordSettings {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let min_length = reader.number("PASSWORD_MIN_LENGTH", PASSWORD_MIN_LENGTH, PASSWORD_MIN_LENGTH..=64);
        let bcrypt_cost = reader.number("BCRYPT_COST", 12, 4..=20);
        if environment.is_production() && bcrypt_cost < 10 {
            reader.problem("BCRYPT_COST", "must be at least 10 in production; remove it for the default, 12");
        }
        Self { rules: PasswordRules { min_length, max_length: PASSWORD_MAX_LENGTH }, bcrypt_cost }
    }
}

/// Who gets an account, and how.
#[derive(Debug, Clone)]
pub struct AccountSettings {
    /// `REGISTRATION`: `open` or `closed`. Default: `open`.
    pub registration: Registration,
    /// `EMAIL_VERIFICATION`: `optional` or `mandatory`. Default: `optional`.
    pub email_verification: EmailVerification,
}

impl AccountSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let open_or_closed = [("open", Registration::Open), ("closed", Registration::Closed)];
        let verification = [("optional", EmailVerification::Optional), ("mandatory", EmailVerification::Mandatory)];
        Self {
            registration: reader.word("REGISTRATION", &open_or_closed, Registration::Open),
            email_verification: reader.word("EMAIL_VERIFICATION", &verification, EmailVerification::Optional),
        }
    }
}

/// How many tries strangers have.
#[derive(Debug, Clone)]
pub struct LimitSettings {
    /// `RATE_LIMITS`: `on` or `off`. Default: `on`; `off` is for load tests and refused in production.
    pub enabled: bool,
    /// `REDIS_URL`: where several processes count together. Default: none, each process counts by itself.
    pub redis_url: Option<SecretString>,
}

impl LimitSettings {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let enabled = reader.word("RATE_LIMITS", &[("on", true), ("off", false)], true);
        if !enabled && environment.is_production() {
            reader.problem("RATE_LIMITS", "must not be off in production; remove it");
        }
        let redis_url = reader
            .text("REDIS_URL")
            .and_then(|value| parse_redis(&value).map_err(|problem| reader.problem("REDIS_URL", problem)).ok());
        Self { enabled, redis_url }
    }
}

/// The value may hold a password, so no message repeats it.
fn parse_redis(value: &str) -> Result<SecretString, &'static str> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
    let url = url.ok_or("is neither redis://HOST:PORT nor rediss://HOST:PORT")?;
    if !url.username().is_empty() && url.password().is_none() {
        return Err("has a user without a password; write redis://:PASSWORD@HOST:PORT");
    }
    Ok(hosts::with_usable_host(&url)?.as_str().into())
}

/// What is shown to whoever operates the service.
#[derive(Debug, Clone)]
pub struct OperationSettings {
    /// `METRICS_TOKEN`: the Bearer token that opens `/metrics`. Default: none, and `/metrics` is closed.
    pub metrics_token: Option<SecretString>,
    /// `API_DOCS`: whether `/api/docs/` and `/api/openapi.json` are there, `open` or `closed`. Default: `open`, in
    /// production `closed`.
    pub docs_open: bool,
}

impl OperationSettings {
    /// Fewest bytes of a token that guards something on the open internet.
    const TOKEN_MIN_BYTES: usize = 16;

    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let metrics_token = reader.text("METRICS_TOKEN");
        if environment.is_production() && metrics_token.as_ref().is_some_and(|t| t.len() < Self::TOKEN_MIN_BYTES) {
            let fix = format!("is shorter than {} bytes; make one with `api generate-secret`", Self::TOKEN_MIN_BYTES);
            reader.problem("METRICS_TOKEN", fix);
        }
        if metrics_token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            let fix = "has characters that no header carries; make one with `api generate-secret`";
            reader.problem("METRICS_TOKEN", fix);
        }
        let docs = [("open", true), ("closed", false)];
        Self {
            metrics_token: metrics_token.map(Into::into),
            docs_open: reader.word("API_DOCS", &docs, !environment.is_production()),
        }
    }
}

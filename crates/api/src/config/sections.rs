//! The smaller concerns of the configuration.

use super::reader::Reader;
use auth_types::limits::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH};
use auth_types::responses::{EmailVerification, PasswordRules, Registration};
use chrono::Duration;
use std::net::{IpAddr, Ipv4Addr};

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
        let environment = reader.word(&["APP_ENV", "DJANGO_ENV"], &words, Self::Development);
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
        if reader.word(&["DEBUG"], &booleans, false) && environment.is_production() {
            reader.problem("DEBUG", "must not be on in production; set DEBUG=False or remove it");
        }
        let limits = reader.word(&["RATE_LIMITS"], &[("on", true), ("off", false)], true);
        if !limits && environment.is_production() {
            reader.problem("RATE_LIMITS", "must not be off in production; remove it");
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
    /// `TRUSTED_PROXY_HOPS`: how many proxies before the API append to `X-Forwarded-For`. Default: 0.
    pub trusted_proxy_hops: usize,
}

impl ServerSettings {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let host = if environment.is_production() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        Self {
            host: reader.parse(&["HOST"], IpAddr::V4(host), |value| {
                value.parse().map_err(|_| format!("{value:?} is not an IP address; use 127.0.0.1 or 0.0.0.0"))
            }),
            port: reader.number("PORT", 8000, 0..=u16::MAX),
            trusted_proxy_hops: reader.number("TRUSTED_PROXY_HOPS", 0, 0..=16),
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
    /// `EMAIL_VERIFICATION`: `optional`, the default. `mandatory` needs mail, which this version does not send.
    pub email_verification: EmailVerification,
}

impl AccountSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let open_or_closed = [("open", Registration::Open), ("closed", Registration::Closed)];
        let verification = [("optional", EmailVerification::Optional), ("mandatory", EmailVerification::Mandatory)];
        let settings = Self {
            registration: reader.word(&["REGISTRATION"], &open_or_closed, Registration::Open),
            email_verification: reader.word(&["EMAIL_VERIFICATION"], &verification, EmailVerification::Optional),
        };
        if settings.email_verification == EmailVerification::Mandatory {
            reader
                .problem("EMAIL_VERIFICATION", "mandatory needs mail, which this version does not send; use optional");
        }
        reader.word(&["TOKEN_TRANSPORT"], &[("body", ())], ());
        reader.word(&["JWT_ALGORITHM"], &[("HS256", ())], ());
        settings
    }
}

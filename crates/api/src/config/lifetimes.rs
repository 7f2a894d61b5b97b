//! How long tokens and sessions live.

use super::declare::{settings, variables};
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Variable, number};
use chrono::Duration;

const YEAR: u64 = 365 * 24 * 3600;

variables! {
    ACCESS_TOKEN_LIFETIME: Variable<Duration> =
        number(3600, 1, YEAR, doc("Seconds that an access token is valid. Less than `REFRESH_TOKEN_LIFETIME`."));
    REFRESH_TOKEN_LIFETIME: Variable<Duration> = number(
        604_800,
        1,
        YEAR,
        doc("Seconds that a refresh token is valid, and therefore an idle session. At most `SESSION_MAX_AGE`."),
    );
    SESSION_MAX_AGE: Variable<Duration> =
        number(7_776_000, 1, 10 * YEAR, doc("Seconds after which a session ends, however much it is used."));
    REFRESH_LEEWAY: Variable<Duration> = number(
        10,
        0,
        300,
        doc(
            "Seconds that a superseded refresh token still returns the live one. Only where it was superseded without an \
             `Idempotency-Key`, and for the same network and browser; 0 is strict single use.",
        ),
    );
}

settings! {
    /// How long tokens and sessions live.
    pub struct Lifetimes {
        pub access: Duration = ACCESS_TOKEN_LIFETIME,
        /// Also how long an idle session lasts.
        pub refresh: Duration = REFRESH_TOKEN_LIFETIME,
        /// A session's absolute lifetime.
        pub session: Duration = SESSION_MAX_AGE,
        /// How long a superseded refresh token still returns the live one.
        pub leeway: Duration = REFRESH_LEEWAY,
    }
    checked by check
}

fn check(lifetimes: &Lifetimes, reader: &mut SettingsReader) {
    let [access, refresh, session] =
        [lifetimes.access, lifetimes.refresh, lifetimes.session].map(|lifetime| lifetime.num_seconds());
    if access >= refresh {
        let problem = format_args!("{access} s must be less than REFRESH_TOKEN_LIFETIME, {refresh} s");
        reader.problem(ACCESS_TOKEN_LIFETIME.name(), problem);
    }
    if refresh > session {
        let problem = format_args!("{refresh} s must not be more than SESSION_MAX_AGE, {session} s");
        reader.problem(REFRESH_TOKEN_LIFETIME.name(), problem);
    }
}

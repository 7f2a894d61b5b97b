//! Password rules and hashing.

use super::declare::{settings, variables};
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Variable, number};
use auth_types::limits::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH as MIN_LENGTH};
use auth_types::responses::PasswordRules;

variables! {
    PASSWORD_MIN_LENGTH: Variable<usize> =
        number(MIN_LENGTH as u64, MIN_LENGTH as u64, 64, doc("The minimum length of a password, characters."));
    BCRYPT_COST: Variable<u32> =
        number(12, 4, 20, doc("The cost of hashing a password, in production at least 10. Each step doubles the time."));
}

settings! {
    /// Password rules and hashing.
    pub struct PasswordSettings {
        pub rules: PasswordRules = rules,
        /// The base-2 logarithm of the rounds.
        pub bcrypt_cost: u32 = BCRYPT_COST,
    }
    checked by check
}

fn rules(reader: &mut SettingsReader) -> PasswordRules {
    PasswordRules { min_length: reader.get(&PASSWORD_MIN_LENGTH), max_length: PASSWORD_MAX_LENGTH }
}

fn check(settings: &PasswordSettings, reader: &mut SettingsReader) {
    if reader.is_production() && settings.bcrypt_cost < 10 {
        reader.problem(BCRYPT_COST.name(), "must be at least 10 in production; remove it for the default, 12");
    }
}

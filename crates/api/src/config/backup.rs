//! Backups: the keys that they are encrypted to, and how long they are kept.

use super::declare::{settings, variables};
use super::quote::quoted;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, parsed};
use age::x25519::Recipient;
use std::str::FromStr;

variables! {
    BACKUP_AGE_RECIPIENT: Optional<Vec<Recipient>> = parsed(
        |value| Ok(parse_recipients(value)?),
        doc(
            "A list of public `age` keys that backups are encrypted to. Without it backups are not encrypted: see \
             [Backups](../operations/backups.md).",
        ),
    );
    BACKUP_KEEP: Optional<Keep> = parsed(
        str::parse,
        doc("Which backups are kept: the newest of each of the last days, weeks and months.")
            .default_value("7d,4w,12m"),
    );
}

settings! {
    /// How backups are made and kept.
    pub struct BackupSettings {
        /// Each of these keys decrypts the backups. Without one they are not encrypted.
        pub recipients: Vec<Recipient> = |reader: &mut SettingsReader| reader.find(&BACKUP_AGE_RECIPIENT).unwrap_or_default(),
        /// Which backups are kept when the next one is made.
        pub keep: Keep = |reader: &mut SettingsReader| reader.find(&BACKUP_KEEP).unwrap_or(Keep { days: 7, weeks: 4, months: 12 }),
    }
}

/// For how many of the last days, weeks and months that have a backup the newest is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    pub days: u16,
    pub weeks: u16,
    pub months: u16,
}

/// Parses comma-separated public keys. An error message does not repeat the value: people paste the secret key.
pub fn parse_recipients(value: &str) -> Result<Vec<Recipient>, &'static str> {
    let keys = value.split(',').map(|key| {
        Recipient::from_str(key.trim())
            .map_err(|_| "is not a public key of age, or several with commas; `age-keygen` prints one, age1…")
    });
    keys.collect()
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        let mut keep = Self { days: 0, weeks: 0, months: 0 };
        let wrong =
            || format!("{} is not like 7d,4w,12m: how many days, weeks and months, and at least one", quoted(value));
        for part in value.split(',').map(str::trim) {
            let unit = part.chars().last().ok_or_else(wrong)?;
            let count = match unit {
                'd' => &mut keep.days,
                'w' => &mut keep.weeks,
                'm' => &mut keep.months,
                _ => return Err(wrong()),
            };
            let number =
                part[..part.len() - 1].parse().ok().filter(|number| (1..=1000).contains(number) && *count == 0);
            *count = number.ok_or_else(wrong)?;
        }
        Ok(keep)
    }
}

#[cfg(test)]
mod tests {
    use super::Keep;

    #[test]
    fn a_retention_is_written_in_days_weeks_and_months() {
        let keep = |days, weeks, months| Ok(Keep { days, weeks, months });
        assert_eq!("7d,4w,12m".parse(), keep(7, 4, 12));
        assert_eq!(" 3m , 1d ".parse(), keep(1, 0, 3));
        for wrong in ["", ",", "7", "d", "0d", "-1d", "7d,8d", "1001d", "7y", "7 d", "7d,,1m", "７d", "all", "1é"] {
            assert!(wrong.parse::<Keep>().is_err(), "{wrong}");
        }
    }
}

//! What backups are called in the storage. Whatever has another name there is none of ours.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// The folder of the storage that they are in.
pub const FOLDER: &str = "backups";
/// What all names begin with.
pub(super) const START: &str = "latchkey-";
const FORM: &str = "latchkey-%Y%m%dT%H%M%SZ";
const PLAIN: &str = ".zst";
const ENCRYPTED: &str = ".zst.age";

/// `latchkey-YYYYMMDDTHHMMSSZ.zst`, and `.age` behind it when it is encrypted. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupName {
    /// The moment that it shows, to the second.
    pub made_at: DateTime<Utc>,
    pub encrypted: bool,
}

/// How far ahead of ours the clock of another machine may be that makes backups.
pub(super) const CLOCK_SKEW: Duration = Duration::minutes(1);

/// Whether a moment lies so far ahead that the clock was wrong that it came from, or nobody's clock was.
pub(super) fn is_ahead(made_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    made_at > now + CLOCK_SKEW
}

impl BackupName {
    /// Whether it is named later than now. It is not known how old it is, so it is neither the newest, nor does it count for
    /// what is kept.
    pub fn is_ahead(self, now: DateTime<Utc>) -> bool {
        is_ahead(self.made_at, now)
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.made_at.format(FORM), if self.encrypted { ENCRYPTED } else { PLAIN })
    }
}

impl FromStr for BackupName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (stem, encrypted) = match text.strip_suffix(ENCRYPTED) {
            Some(stem) => (stem, true),
            None => (text.strip_suffix(PLAIN).ok_or(())?, false),
        };
        let read = NaiveDateTime::parse_from_str(stem, FORM).map_err(|_| ())?.and_utc();
        let made_at = DateTime::from_timestamp(read.timestamp(), 0).ok_or(())?;
        let name = Self { made_at, encrypted };
        // Reading is lenient (`2026115T…`, a 61st second), deleting must not be.
        if name.to_string() == text { Ok(name) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::BackupName;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for text in ["latchkey-20261125T022028Z.zst", "latchkey-20261125T022028Z.zst.age"] {
            assert_eq!(text.parse::<BackupName>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_called_otherwise_is_no_backup() {
        for text in [
            "",
            "latchkey-20261125T022028Z",
            "latchkey-20261125T022028Z.zst.part",
            "latchkey-20261125T022028Z.zst.age.age",
            "latchkey-20261325T022028Z.zst",
            "latchkey-2026115T022028Z.zst",
            "latchkey-20261125T022060Z.zst",
            " latchkey-20261125T022028Z.zst",
            "old-latchkey-20261125T022028Z.zst",
            "latchkey-+2026125T022028Z.zst",
        ] {
            assert!(text.parse::<BackupName>().is_err(), "{text}");
        }
    }
}

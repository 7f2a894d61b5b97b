//! The names of backups in the storage. Files with other names are not backups.

use crate::clock::MAX_CLOCK_SKEW;
use crate::store::database_identity::DatabaseId;
use chrono::{DateTime, NaiveDateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// The storage folder of backups.
pub const FOLDER: &str = "backups";
/// The beginning of every name.
pub(super) const START: &str = "latchkey-";
const FORM: &str = "latchkey-%Y%m%dT%H%M%SZ";
/// The length of a name without identity and ending.
const LENGTH: usize = "latchkey-YYYYMMDDTHHMMSSZ".len();
const PLAIN: &str = ".zst";
const ENCRYPTED: &str = ".zst.age";

/// `latchkey-YYYYMMDDTHHMMSSZ-DATABASE.zst`, followed by `.age` if the backup is encrypted. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupName {
    /// The point in time of its data, to the second.
    pub made_at: DateTime<Utc>,
    /// The database that it was made from; earlier releases did not write it.
    pub database: Option<DatabaseId>,
    pub encrypted: bool,
}

/// Whether a time is so far ahead that it comes from a wrong clock, or from no clock at all.
pub(super) fn is_ahead(made_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    made_at > now + MAX_CLOCK_SKEW
}

impl BackupName {
    /// Whether its name has a time in the future. Its age is unknown then, so it is never the newest and is ignored when outdated
    /// backups are deleted.
    pub fn is_ahead(self, now: DateTime<Utc>) -> bool {
        is_ahead(self.made_at, now)
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.made_at.format(FORM))?;
        if let Some(database) = self.database {
            write!(f, "-{database}")?;
        }
        f.write_str(if self.encrypted { ENCRYPTED } else { PLAIN })
    }
}

impl FromStr for BackupName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (stem, encrypted) = match text.strip_suffix(ENCRYPTED) {
            Some(stem) => (stem, true),
            None => (text.strip_suffix(PLAIN).ok_or(())?, false),
        };
        let (time, database) = match stem.split_at_checked(LENGTH) {
            Some((time, rest)) if !rest.is_empty() => (time, Some(rest.strip_prefix('-').ok_or(())?.parse()?)),
            _ => (stem, None),
        };
        let read = NaiveDateTime::parse_from_str(time, FORM).map_err(|_| ())?.and_utc();
        let made_at = DateTime::from_timestamp(read.timestamp(), 0).ok_or(())?;
        let name = Self { made_at, database, encrypted };
        // The parser is lenient (`2026115T…`, a 61st second), but deletion must not be.
        if name.to_string() == text { Ok(name) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::BackupName;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for text in [
            "latchkey-20261125T022028Z-00c0ffee0123.zst",
            "latchkey-20261125T022028Z-00c0ffee0123.zst.age",
            "latchkey-20261125T022028Z.zst",
            "latchkey-20261125T022028Z.zst.age",
        ] {
            assert_eq!(text.parse::<BackupName>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_names_are_not_backups() {
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
            "latchkey-20261125T022028Z-.zst",
            "latchkey-20261125T022028Z-00c0ffee012.zst",
            "latchkey-20261125T022028Z-00C0FFEE0123.zst",
            "latchkey-20261125T022028Z-+0c0ffee0123.zst",
            "latchkey-20261125T022028Z-00c0ffee0123-.zst",
            "latchkey-20261125T022028Z_00c0ffee0123.zst",
        ] {
            assert!(text.parse::<BackupName>().is_err(), "{text}");
        }
    }
}

//! Backups: the whole database in one file, which can be restored into an empty database of either kind. `docs/operations/backups.md`
//! describes the file.

mod checksum;
mod clock;
mod create;
mod encryption;
mod error;
mod lines;
mod local;
mod metrics;
mod names;
mod pictures;
mod reader;
mod record;
mod restore;
mod retention;
mod source;
mod stop;
mod stored;
mod writer;

pub use clock::compared_clock;
pub use create::{BackupPlan, CreatedBackup, write_archive};
pub use encryption::Identities;
pub use error::{ArchiveError, BackupError};
pub use lines::Header;
pub use local::create_file;
pub use metrics::BackupMetrics;
pub use names::{BackupName, FOLDER};
pub use pictures::{any_picture, has_picture};
pub use record::{POLL_SECONDS, observe, record};
pub use restore::{Contents, RestorePlan, restore, verify};
pub use retention::outdated;
pub use source::BackupSource;
pub use stop::StopFlag;
pub use stored::{
    PrunePlan, PrunedBackups, ScanResult, SkippedFile, StoredBackup, create, delete_outdated, latest, list,
};

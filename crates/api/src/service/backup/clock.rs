//! The clock that backups are made and restored by.

use super::error::BackupError;
use crate::clock::{ComparedClock, SharedClock};
use crate::config::DatabaseUrl;
use crate::store::connection::database_time;
use crate::store::state::{StateError, open_to_read};

/// This machine's clock, compared with the database's if there is a database; blocks.
pub fn compared_clock(process: SharedClock, database: &DatabaseUrl) -> Result<ComparedClock, BackupError> {
    let clock = ComparedClock::new(process);
    if let Some(mut connection) = open_to_read(database)? {
        clock.compare(|| database_time(&mut connection), |_| {}).map_err(StateError::from)?;
    }
    Ok(clock)
}

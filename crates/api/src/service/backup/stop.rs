//! Stopping a backup that is being made, and the deletion of outdated ones.

use super::error::BackupError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops a backup, which then removes what it has written. Once the backup is stored, no older one is deleted.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Returns whether it was set before.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    /// Whether a signal has arrived.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn check(&self) -> Result<(), BackupError> {
        if self.is_set() { Err(BackupError::Stopped) } else { Ok(()) }
    }
}

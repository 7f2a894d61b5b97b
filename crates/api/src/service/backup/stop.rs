//! Stopping a backup that is being made.

use super::error::BackupError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Stops a backup, which then removes what it has written.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Returns whether it was set before.
    pub fn set(&self) -> bool {
        self.0.swap(true, Ordering::Relaxed)
    }

    pub(super) fn check(&self) -> Result<(), BackupError> {
        if self.0.load(Ordering::Relaxed) { Err(BackupError::Stopped) } else { Ok(()) }
    }
}

//! Where a backup is.

use super::error::BackupError;
use super::names::BackupName;
use super::{local, stored};
use crate::files::Files;
use std::io::Read;
use std::path::PathBuf;

/// Where a backup is.
#[derive(Debug, Clone)]
pub enum BackupSource {
    /// In a file on this machine.
    File(PathBuf),
    Stored(Box<Files>, BackupName),
}

impl BackupSource {
    /// # Errors
    /// [`BackupError::ReadOnce`].
    pub(super) fn must_be_readable_twice(&self) -> Result<(), BackupError> {
        match self {
            Self::File(file) if local::is_read_once(file) => Err(BackupError::ReadOnce(file.clone())),
            Self::File(_) | Self::Stored(..) => Ok(()),
        }
    }

    pub(super) fn open(&self) -> Result<Box<dyn Read>, BackupError> {
        Ok(match self {
            Self::File(file) => Box::new(local::open(file)?),
            Self::Stored(files, name) => Box::new(stored::open(files, *name)?),
        })
    }
}

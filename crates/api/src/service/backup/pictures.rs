//! The pictures of a restored copy, which are files in the storage and not in the backup.

use super::error::BackupError;
use crate::config::DatabaseUrl;
use crate::files::Files;
use crate::service::accounts::avatar_key::AvatarKey;
use crate::store::state::{StateError, open_to_read};
use crate::store::users;

/// A picture of the database's accounts; blocks.
pub fn any_picture(database: &DatabaseUrl) -> Result<Option<AvatarKey>, BackupError> {
    let Some(mut connection) = open_to_read(database)? else { return Ok(None) };
    let key = users::any_avatar(&mut connection).map_err(StateError::from)?;
    Ok(key.and_then(|key| AvatarKey::parse(&key)))
}

/// Whether the storage has a picture. A restore into a storage with the pictures of its accounts shares them with the database that
/// the backup is of.
pub async fn has_picture(files: &Files, key: &AvatarKey) -> Result<bool, BackupError> {
    Ok(files.info(&key.file_name()).await?.is_some())
}

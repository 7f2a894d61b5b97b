//! Checks the storage by writing, reading and deleting a file.

use super::ask::{TIMEOUT, timed_out, write_into};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rules;
use crate::config::StorageSettings;
use crate::files::{Files, RetryPolicy};

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    if facts.storage_is_refused() {
        return None;
    }
    let problem = match &facts.settings.storage {
        // No file stays there, and the folder is not created.
        StorageSettings::Folder(folder) => write_into(folder).err(),
        StorageSettings::S3(_) => match tokio::time::timeout(TIMEOUT, write_read_delete(facts)).await {
            Ok(kept) => kept.err(),
            Err(_) => Some(timed_out()),
        },
    };
    problem.map(|problem| rules::STORAGE_UNREACHABLE.found(problem).about("AWS_STORAGE_BUCKET_NAME"))
}

async fn write_read_delete(facts: &Facts<'_>) -> Result<(), String> {
    const CONTENT: &[u8] = b"api check";
    let files = Files::open(&facts.settings.storage, RetryPolicy::Once, facts.settings.timeouts);
    let files = files.map_err(|error| error.to_string())?;
    let name = format!("latchkey-check/{}", uuid::Uuid::new_v4());
    files.put(&name, CONTENT.into(), "text/plain").await.map_err(|error| error.to_string())?;
    let read = files.get(&name).await;
    // Deleted even if reading failed: a file that a check leaves behind would stay forever.
    files.delete(&name).await.map_err(|error| error.to_string())?;
    let read = read.map_err(|error| error.to_string())?;
    if read == CONTENT { Ok(()) } else { Err("returns other content than was written".to_owned()) }
}

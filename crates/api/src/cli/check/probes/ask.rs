//! Helpers for probes with a time limit.

use crate::cli::check::disk::existing_part;
use crate::config::shown_path;
use std::path::Path;
use std::time::Duration;

/// How long one probe may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(8);
/// How long a server may take to accept a connection or to respond to one message.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);

/// Runs blocking work in a detached thread; `None` if it takes too long. The runtime's own threads would delay the end of the
/// program.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, result) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || _ = sender.send(work()));
    tokio::time::timeout(TIMEOUT, result).await.ok()?.ok()
}

pub(super) fn timed_out() -> String {
    format!("does not respond within {} s", TIMEOUT.as_secs())
}

/// Writes a file into a folder and deletes it. For a missing folder, which is created when it is needed, its parent is tested.
pub(super) fn write_into(folder: &Path) -> Result<(), String> {
    let path = std::path::absolute(folder).map_err(|error| error.to_string())?;
    let folder = existing_part(&path);
    let file = folder.join(format!(".latchkey-check-{}", uuid::Uuid::new_v4()));
    let written = std::fs::write(&file, "check").and_then(|()| std::fs::remove_file(&file));
    written.map_err(|error| format!("{} cannot be written to: {error}", shown_path(folder)))
}

//! Asking, with a time limit.

use crate::cli::check::disk::existing_part;
use crate::config::shown_path;
use std::path::Path;
use std::time::Duration;

/// How long one question may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How long a server may take to accept a connection or to answer one message.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// Runs what waits for somebody in a thread that nobody waits for: `None` when it takes too long. The runtime's own
/// threads would hold up the end of the program.
pub(super) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || _ = answer.send(work()));
    tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
}

pub(super) fn no_answer_in_time() -> String {
    format!("does not answer within {} s", PATIENCE.as_secs())
}

/// Writes a file into a folder and deletes it. A folder that is not there yet is made later, by whoever needs it.
pub(super) fn write_into(folder: &Path) -> Result<(), String> {
    let path = std::path::absolute(folder).map_err(|error| error.to_string())?;
    let folder = existing_part(&path);
    let file = folder.join(format!(".latchkey-check-{}", uuid::Uuid::new_v4()));
    let written = std::fs::write(&file, "check").and_then(|()| std::fs::remove_file(&file));
    written.map_err(|error| format!("{} cannot be written to: {error}", shown_path(folder)))
}

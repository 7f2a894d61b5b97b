//! What only asking tells. Each question has a time limit, and all are asked at once.

mod database;
mod hashing;
mod mail;
mod redis;
mod storage;

use super::Facts;
use super::disk::existing_part;
use super::finding::Finding;
use super::secrets;
use crate::clock::SharedClock;
use crate::config::shown_path;
use std::path::Path;
use std::time::Duration;

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a server may take to accept a connection or to answer one message.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

pub(super) async fn all(facts: &Facts<'_>, clock: &SharedClock) -> Vec<Finding> {
    let (database, mail, storage, redis, hashing) = tokio::join!(
        database::check(facts, clock),
        mail::check(facts),
        storage::check(facts),
        redis::check(facts),
        hashing::check(facts),
    );
    let found = database.into_iter().chain(mail).chain(storage).chain(redis).chain(hashing);
    // What others answer is told as they said it, and who knows what they repeat.
    found.map(|finding| secrets::hide_in(finding, facts.settings)).collect()
}

/// Runs what waits for somebody in a thread that nobody waits for: `None` when it takes too long. The runtime's own
/// threads would hold up the end of the program.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || _ = answer.send(work()));
    tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
}

fn no_answer_in_time() -> String {
    format!("does not answer within {} s", PATIENCE.as_secs())
}

/// Writes a file into a folder and deletes it. A folder that is not there yet is made later, by whoever needs it.
fn write_into(folder: &Path) -> Result<(), String> {
    let path = std::path::absolute(folder).map_err(|error| error.to_string())?;
    let folder = existing_part(&path);
    let file = folder.join(format!(".latchkey-check-{}", uuid::Uuid::new_v4()));
    let written = std::fs::write(&file, "check").and_then(|()| std::fs::remove_file(&file));
    written.map_err(|error| format!("{} cannot be written to: {error}", shown_path(folder)))
}

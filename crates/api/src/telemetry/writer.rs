//! Writes the log from a thread of its own: a reader that has stopped, or a disk that is full, must not stop requests.
//! Past a bounded queue lines are dropped, counted, and the count is logged as soon as there is room again.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait: some seconds of a busy process, and some two megabytes.
const QUEUE_LINES: usize = 8192;
/// How long the end of the process waits for the last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<SyncSender<WriterMessage>> = OnceLock::new();
/// Lines, since the start.
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum WriterMessage {
    Line(Vec<u8>),
    /// Everything before this is written when the sender hears of it.
    Mark(SyncSender<()>),
}

/// Hands whole lines to the thread.
#[derive(Debug)]
pub(super) struct Queued(SyncSender<WriterMessage>);

/// Starts the thread, once; `None` when it runs already or the system gives none.
pub(super) fn start() -> Option<Queued> {
    let (queue, entries) = sync_channel(QUEUE_LINES);
    QUEUE.set(queue.clone()).ok()?;
    std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&entries)).ok()?;
    Some(Queued(queue))
}

/// Waits until what was logged so far is written, but not for a reader that has stopped.
pub fn flush() {
    let Some(queue) = QUEUE.get() else { return };
    let (written, mark) = sync_channel(1);
    if queue.try_send(WriterMessage::Mark(written)).is_ok() {
        let _ = mark.recv_timeout(FLUSH_TIMEOUT);
    }
}

/// How many lines were dropped since the start.
pub fn lines_dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// One call is one record: that is how `env_logger` writes to a pipe.
impl Write for Queued {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.try_send(WriterMessage::Line(line.to_owned())).is_err() {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(entries: &Receiver<WriterMessage>) {
    let mut told = 0;
    for entry in entries {
        match entry {
            // Nobody can be told that nobody can be told.
            WriterMessage::Line(line) => _ = io::stderr().write_all(&line),
            WriterMessage::Mark(written) => _ = written.send(()),
        }
        let dropped = lines_dropped();
        if dropped > told {
            told = dropped;
            log::warn!(lines_total = dropped; "log.dropped: {dropped} lines since the start, nobody read them in time");
        }
    }
}

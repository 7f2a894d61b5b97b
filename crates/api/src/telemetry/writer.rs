//! Writes the log from a thread of its own: a reader that has stopped, or a full disk, must not block requests. When the
//! bounded queue is full, lines are dropped and counted, and the count is logged as soon as there is room again.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// The length of the queue, lines: some seconds of a busy process, and some two megabytes.
const QUEUE_LINES: usize = 8192;
/// How long lines are collected before they are written together. Otherwise a busy process would wake this thread for each line, which
/// costs more than the line.
const COLLECTION: Duration = Duration::from_millis(5);
/// How long the end of the process waits for the last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<SyncSender<WriterMessage>> = OnceLock::new();
/// Lines, since the start.
static DROPPED: AtomicU64 = AtomicU64::new(0);

enum WriterMessage {
    Line(Vec<u8>),
    /// Sent back when everything before it has been written.
    Mark(SyncSender<()>),
}

/// Sends whole lines to the thread.
#[derive(Debug)]
pub(super) struct QueuedWriter(SyncSender<WriterMessage>);

/// Starts the thread, once; `None` if it is running already or cannot be started.
pub(super) fn start() -> Option<QueuedWriter> {
    let (queue, entries) = sync_channel(QUEUE_LINES);
    QUEUE.set(queue.clone()).ok()?;
    std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&entries)).ok()?;
    Some(QueuedWriter(queue))
}

/// Waits until all previous lines are written, but not for a reader that has stopped.
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
impl Write for QueuedWriter {
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
    let mut reported = 0;
    let mut lines = Vec::new();
    while let Ok(first) = entries.recv() {
        if matches!(first, WriterMessage::Line(_)) {
            std::thread::sleep(COLLECTION);
        }
        let mut marks = Vec::new();
        for entry in std::iter::once(first).chain(entries.try_iter().take(QUEUE_LINES)) {
            match entry {
                WriterMessage::Line(line) => lines.extend(line),
                WriterMessage::Mark(written) => marks.push(written),
            }
        }
        // A failure to write the log cannot be logged, but counted.
        if io::stderr().write_all(&lines).is_err() {
            let lost = lines.split_inclusive(|byte| *byte == b'\n').count();
            DROPPED.fetch_add(lost as u64, Ordering::Relaxed);
        }
        lines.clear();
        for written in marks {
            let _ = written.send(());
        }
        let dropped = lines_dropped();
        if dropped > reported {
            reported = dropped;
            log::warn!(lines_total = dropped; "log.dropped: {dropped} lines since the start: standard error is not read in time");
        }
    }
}

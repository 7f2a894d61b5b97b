//! Refusals in the log: one line a second with a count. In a flood a line for each would be another flood.

use crate::clock::Stopwatch;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use std::time::Duration;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// The refusals of one thing that is shared.
#[derive(Debug)]
pub struct Refusals {
    resource: &'static str,
    count: Counter,
    watch: Stopwatch,
    lines: Mutex<Lines>,
}

/// What the log has been told, by the time on the stopwatch.
#[derive(Debug, Default)]
struct Lines {
    /// `None` before the first.
    last_at: Option<Duration>,
    /// Refusals since then.
    untold: u64,
}

impl Refusals {
    /// Counted by `count`, and logged under the name of what is shared.
    #[must_use]
    pub fn of(resource: &'static str, count: Counter) -> Self {
        Self { resource, count, watch: Stopwatch::start(), lines: Mutex::default() }
    }

    /// The first refusal is logged at once, those of the next second with the first one after it.
    pub fn note(&self) {
        self.note_at(self.watch.elapsed());
    }

    fn note_at(&self, now: Duration) {
        self.count.inc();
        // The lock is free again before the line is written.
        let due = self.lines.lock().refused(now);
        let Some(refused_total) = due else { return };
        let name = self.resource;
        log::warn!(
            resource = name, refused_total = refused_total;
            "gate.refused: {name}: no share is left; {refused_total} refused since the last line"
        );
    }
}

impl Lines {
    /// Counts a refusal. Returns how many a line must tell, if one is due.
    fn refused(&mut self, now: Duration) -> Option<u64> {
        self.untold += 1;
        if self.last_at.is_some_and(|last_at| now.saturating_sub(last_at) < PAUSE) {
            return None;
        }
        self.last_at = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::{Counter, Lines, PAUSE, Refusals};
    use std::time::Duration;

    const MOMENT: Duration = Duration::from_millis(1);
    /// A moment before the pause is over.
    const ALMOST: Duration = PAUSE.saturating_sub(MOMENT);

    #[test]
    fn a_flood_is_one_line_a_pause_and_no_refusal_is_left_out() {
        let mut lines = Lines::default();
        let start = MOMENT * 7;
        assert_eq!(lines.refused(start), Some(1), "the first is logged at once");
        let in_the_pause: Vec<_> = (0..1_000).filter_map(|n| lines.refused(start + MOMENT * n)).collect();
        assert!(in_the_pause.is_empty(), "{in_the_pause:?}");
        assert_eq!(lines.refused(start + ALMOST), None);
        assert_eq!(lines.refused(start + PAUSE), Some(1_002), "with the first one after the pause");
        assert_eq!(lines.refused(start + PAUSE), None, "and a pause begins");
        assert_eq!(lines.refused(start + PAUSE + ALMOST), None);
        assert_eq!(lines.refused(start + PAUSE * 60), Some(3), "how long it was quiet makes no difference");
    }

    #[test]
    fn the_metric_counts_each_refusal_whether_a_line_is_due_or_not() {
        let count = Counter::default();
        let refusals = Refusals::of("hashing", count.clone());
        for now in [Duration::ZERO, MOMENT, PAUSE, PAUSE * 3] {
            refusals.note_at(now);
        }
        assert_eq!(count.get(), 4);
        assert_eq!(refusals.lines.lock().untold, 0);
        refusals.note_at(PAUSE * 3 + MOMENT);
        assert_eq!((count.get(), refusals.lines.lock().untold), (5, 1), "the log is told with the next line");
    }
}

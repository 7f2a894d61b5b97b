//! Rate-limits log lines that a flood or an outage would repeat thousands of times: one per interval, with a count.

use crate::clock::Stopwatch;
use parking_lot::Mutex;
use std::time::Duration;

/// Decides when a line about a repeated event is due.
#[derive(Debug)]
pub struct Paced {
    pause: Duration,
    watch: Stopwatch,
    lines: Mutex<PacedState>,
}

/// The last line, by the time on the stopwatch.
#[derive(Debug, Default)]
struct PacedState {
    /// `None` before the first.
    last_at: Option<Duration>,
    /// Events since then.
    pending: u64,
}

impl Paced {
    /// At most one line in `pause`.
    pub fn every(pause: Duration) -> Self {
        Self { pause, watch: Stopwatch::start(), lines: Mutex::default() }
    }

    /// Counts an event. If a line is due, returns the number of events that it stands for: the first line is due at once, and
    /// events during the pause count in the next one.
    pub fn count(&self) -> Option<u64> {
        self.count_at(self.watch.elapsed())
    }

    fn count_at(&self, now: Duration) -> Option<u64> {
        let mut lines = self.lines.lock();
        lines.pending += 1;
        if lines.last_at.is_some_and(|last_at| now.saturating_sub(last_at) < self.pause) {
            return None;
        }
        lines.last_at = Some(now);
        Some(std::mem::take(&mut lines.pending))
    }
}

#[cfg(test)]
mod tests {
    use super::Paced;
    use std::time::Duration;

    const PAUSE: Duration = Duration::from_secs(10);
    const MOMENT: Duration = Duration::from_millis(1);
    /// A moment before the pause is over.
    const ALMOST: Duration = PAUSE.saturating_sub(MOMENT);

    #[test]
    fn a_flood_is_one_line_per_pause_and_every_event_is_counted() {
        let lines = Paced::every(PAUSE);
        let start = MOMENT * 7;
        assert_eq!(lines.count_at(start), Some(1), "the first is logged at once");
        let in_the_pause: Vec<_> = (0..1_000).filter_map(|n| lines.count_at(start + MOMENT * n)).collect();
        assert!(in_the_pause.is_empty(), "{in_the_pause:?}");
        assert_eq!(lines.count_at(start + ALMOST), None);
        assert_eq!(lines.count_at(start + PAUSE), Some(1_002), "with the first one after the pause");
        assert_eq!(lines.count_at(start + PAUSE), None, "a new pause begins");
        assert_eq!(lines.count_at(start + PAUSE + ALMOST), None);
        assert_eq!(lines.count_at(start + PAUSE * 60), Some(3), "how long it was quiet makes no difference");
    }

    /// An outage of an hour, in which the pool retries fifty times a second.
    #[test]
    fn an_outage_of_an_hour_is_a_line_in_each_pause() {
        let lines = Paced::every(PAUSE);
        let attempts = 50 * 3_600;
        let counts: Vec<_> = (0..attempts).filter_map(|n| lines.count_at(MOMENT * 20 * n)).collect();
        assert_eq!(counts.len(), 360);
        assert_eq!(counts.iter().sum::<u64>(), u64::from(attempts) - 499, "all but those of the last pause");
    }
}

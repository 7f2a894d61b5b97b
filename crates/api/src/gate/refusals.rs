//! Refusals in the log: one line a second with a count. In a flood a line for each would be another flood.

use crate::telemetry::Paced;
use prometheus_client::metrics::counter::Counter;
use std::time::Duration;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// The refusals of one thing that is shared.
#[derive(Debug)]
pub struct Refusals {
    resource: &'static str,
    count: Counter,
    lines: Paced,
}

impl Refusals {
    /// Counted by `count`, and logged under the name of what is shared.
    pub fn of(resource: &'static str, count: Counter) -> Self {
        Self { resource, count, lines: Paced::every(PAUSE) }
    }

    /// Counts a refusal, and logs it where a line is due.
    pub fn note(&self) {
        self.count.inc();
        let Some(refused_total) = self.lines.count() else { return };
        let name = self.resource;
        log::warn!(
            resource = name, refused_total = refused_total;
            "gate.refused: {name}: no share is left; {refused_total} refused since the last line"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Counter, Refusals};

    #[test]
    fn the_metric_counts_each_refusal_whether_a_line_is_due_or_not() {
        let count = Counter::default();
        let refusals = Refusals::of("hashing", count.clone());
        for _ in 0..5 {
            refusals.note();
        }
        assert_eq!(count.get(), 5);
    }
}

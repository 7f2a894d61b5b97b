//! Rejections for load in the log: one line a second with a count, because a line for each in a flood would flood the log.

use crate::telemetry::Paced;
use prometheus_client::metrics::counter::Counter;
use std::time::Duration;

/// Between two log lines.
const PAUSE: Duration = Duration::from_secs(1);

/// The rejections of one shared resource.
#[derive(Debug)]
pub struct Rejections {
    resource: &'static str,
    count: Counter,
    lines: Paced,
}

impl Rejections {
    /// Counted by `count`, and logged under the name of the resource.
    pub fn of(resource: &'static str, count: Counter) -> Self {
        Self { resource, count, lines: Paced::every(PAUSE) }
    }

    /// Counts a rejection, and logs a line if one is due.
    pub fn record(&self) {
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
    use super::{Counter, Rejections};

    #[test]
    fn the_metric_counts_each_rejection_whether_a_line_is_due_or_not() {
        let count = Counter::default();
        let rejections = Rejections::of("hashing", count.clone());
        for _ in 0..5 {
            rejections.record();
        }
        assert_eq!(count.get(), 5);
    }
}

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
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Since the last line; `None` before the first.
    pause: Option<Stopwatch>,
    untold: u64,
}

impl Refusals {
    /// Counted by `count`, and logged under the name of what is shared.
    #[must_use]
    pub const fn of(resource: &'static str, count: Counter) -> Self {
        Self { resource, count, state: Mutex::new(State { pause: None, untold: 0 }) }
    }

    /// The first refusal is logged at once, those of the next second with the first one after it.
    pub fn note(&self) {
        self.count.inc();
        let mut state = self.state.lock();
        state.untold += 1;
        if state.pause.as_ref().is_some_and(|pause| pause.elapsed() < PAUSE) {
            return;
        }
        let (refused_total, name) = (std::mem::take(&mut state.untold), self.resource);
        state.pause = Some(Stopwatch::start());
        drop(state);
        log::warn!(
            resource = name, refused_total = refused_total;
            "gate.refused: {name}: no share is left; {refused_total} refused since the last line"
        );
    }
}

//! When a page fetches its data again because it is visible or focused again.

use super::time::Now;
use std::time::Duration;

/// The shortest time between two revalidations of a tab. Switching between windows causes at most twelve requests a minute,
/// and a change made in another tab is visible here after this time.
pub const REVALIDATION_PAUSE: Duration = Duration::from_secs(5);

/// The revalidations of one tab: pure state, changed by what the tab observes. None starts during an action of the user: a
/// response from before the action must not replace one from after it.
#[derive(Debug, Default)]
pub struct Revalidation {
    /// When the last revalidation or failure was, and how long the pause after it lasts.
    pause: Option<(Now, Duration)>,
    is_scheduled: bool,
    /// Revalidation was requested during an action.
    is_deferred: bool,
    actions_running: u32,
    action_count: u32,
}

impl Revalidation {
    /// A tab whose page is loading, which fetches everything anyway.
    pub fn new(now: Now) -> Self {
        Self { pause: Some((now, REVALIDATION_PAUSE)), ..Self::default() }
    }

    /// Requests a revalidation. Returns how long to wait before [`start`](Self::start); `None` when one is scheduled already
    /// or an action is running.
    pub fn request(&mut self, now: Now) -> Option<Duration> {
        if self.actions_running > 0 {
            self.is_deferred = true;
            return None;
        }
        if std::mem::replace(&mut self.is_scheduled, true) {
            return None;
        }
        let elapsed = |since| Duration::from_millis(now.since(since).unsigned_abs());
        Some(self.pause.map_or(Duration::ZERO, |(since, pause)| pause.saturating_sub(elapsed(since))))
    }

    /// Returns whether to revalidate now, at the scheduled time. A hidden page does not: it requests another revalidation when
    /// it becomes visible.
    pub fn start(&mut self, now: Now, is_visible: bool) -> bool {
        self.is_scheduled = false;
        self.is_deferred = self.actions_running > 0;
        let starts = is_visible && !self.is_deferred;
        if starts {
            self.pause = Some((now, REVALIDATION_PAUSE));
        }
        starts
    }

    /// Pauses after a failure, for at least the time that the server asked for.
    pub fn back_off(&mut self, now: Now, pause: Duration) {
        self.pause = Some((now, pause.max(REVALIDATION_PAUSE)));
    }

    /// An action of the user begins.
    pub const fn begin_action(&mut self) {
        self.actions_running += 1;
        self.action_count = self.action_count.wrapping_add(1);
    }

    /// An action has ended. Returns whether a revalidation was requested meanwhile.
    pub const fn end_action(&mut self) -> bool {
        self.actions_running = self.actions_running.saturating_sub(1);
        self.actions_running == 0 && std::mem::replace(&mut self.is_deferred, false)
    }

    /// Counts the actions: a response to a request from before one of them may be outdated.
    pub const fn action_count(&self) -> u32 {
        self.action_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Now {
        Now { wall_ms: seconds * 1000, steady_ms: seconds * 1000 }
    }

    #[test]
    fn a_request_within_the_pause_runs_once_at_its_end() {
        let mut revalidation = Revalidation::new(at(0));
        assert_eq!(revalidation.request(at(2)), Some(Duration::from_secs(3)));
        assert_eq!(revalidation.request(at(3)), None);
        assert!(revalidation.start(at(5), true));
        assert_eq!(revalidation.request(at(6)), Some(Duration::from_secs(4)));
    }

    #[test]
    fn after_the_pause_or_a_sleep_a_request_runs_at_once() {
        let mut revalidation = Revalidation::new(at(0));
        assert_eq!(revalidation.request(Now { wall_ms: 8 * 3_600_000, steady_ms: 10 }), Some(Duration::ZERO));
    }

    #[test]
    fn a_page_that_is_hidden_again_does_not_revalidate() {
        let mut revalidation = Revalidation::default();
        assert_eq!(revalidation.request(at(0)), Some(Duration::ZERO));
        assert!(!revalidation.start(at(0), false));
        assert_eq!(revalidation.request(at(0)), Some(Duration::ZERO));
    }

    #[test]
    fn a_request_during_an_action_waits_for_its_end() {
        let mut revalidation = Revalidation::default();
        revalidation.begin_action();
        revalidation.begin_action();
        assert_eq!(revalidation.request(at(0)), None);
        assert!(!revalidation.end_action());
        assert!(revalidation.end_action());
        assert!(!revalidation.end_action());
        assert_eq!(revalidation.request(at(0)), Some(Duration::ZERO));
        revalidation.begin_action();
        assert!(!revalidation.start(at(0), true));
        assert!(revalidation.end_action());
    }

    #[test]
    fn a_longer_pause_from_the_server_is_kept() {
        let mut revalidation = Revalidation::default();
        revalidation.back_off(at(0), Duration::from_secs(30));
        assert_eq!(revalidation.request(at(1)), Some(Duration::from_secs(29)));
        let mut revalidation = Revalidation::default();
        revalidation.back_off(at(0), Duration::ZERO);
        assert_eq!(revalidation.request(at(0)), Some(REVALIDATION_PAUSE));
    }
}

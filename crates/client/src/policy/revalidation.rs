//! When a page asks the server again because somebody looks at it.

use super::time::Now;
use std::time::Duration;

/// The shortest time between two such requests of a tab. Whoever goes back and forth between windows causes twelve requests a
/// minute at most, and whoever did something in another tab waits no longer than this to see it here.
pub const REVALIDATION_PAUSE: Duration = Duration::from_secs(5);

/// The looks of one tab: pure state, moved by what the tab sees. Not while the page waits for something that the person asked
/// for: what the server says about the state before that must not take the place of what it says after.
#[derive(Debug, Default)]
pub struct Revalidation {
    /// When the server was asked last, and for how long it is left alone since.
    rest: Option<(Now, Duration)>,
    is_planned: bool,
    /// A look came while something was under way.
    is_owed: bool,
    under_way: u32,
    acts: u32,
}

impl Revalidation {
    /// A tab whose page is loaded now, and asks for everything anyway.
    pub fn new(now: Now) -> Self {
        Self { rest: Some((now, REVALIDATION_PAUSE)), ..Self::default() }
    }

    /// Somebody looks at the page. Returns how long to wait before [`ask`](Self::ask); `None` when that is planned already or
    /// something is under way.
    pub fn look(&mut self, now: Now) -> Option<Duration> {
        if self.under_way > 0 {
            self.is_owed = true;
            return None;
        }
        if std::mem::replace(&mut self.is_planned, true) {
            return None;
        }
        let elapsed = |since| Duration::from_millis(now.since(since).unsigned_abs());
        Some(self.rest.map_or(Duration::ZERO, |(since, pause)| pause.saturating_sub(elapsed(since))))
    }

    /// It is time: whether to ask now. Not when nobody looks any more, who will look again.
    pub fn ask(&mut self, now: Now, is_visible: bool) -> bool {
        self.is_planned = false;
        self.is_owed = self.under_way > 0;
        let asks = is_visible && !self.is_owed;
        if asks {
            self.rest = Some((now, REVALIDATION_PAUSE));
        }
        asks
    }

    /// The server has a problem, or asks to be left alone for so long.
    pub fn rest(&mut self, now: Now, pause: Duration) {
        self.rest = Some((now, pause.max(REVALIDATION_PAUSE)));
    }

    /// Something begins that the person asked for.
    pub const fn begin(&mut self) {
        self.under_way += 1;
        self.acts = self.acts.wrapping_add(1);
    }

    /// It is over. Returns whether somebody looked meanwhile.
    pub const fn end(&mut self) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        self.under_way == 0 && std::mem::replace(&mut self.is_owed, false)
    }

    /// Counts what the person asked for: an answer to an earlier question may be older than that.
    pub const fn acts(&self) -> u32 {
        self.acts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Now {
        Now { wall_ms: seconds * 1000, steady_ms: seconds * 1000 }
    }

    #[test]
    fn a_look_within_the_pause_is_made_up_for_at_its_end_and_only_once() {
        let mut looks = Revalidation::new(at(0));
        assert_eq!(looks.look(at(2)), Some(Duration::from_secs(3)));
        assert_eq!(looks.look(at(3)), None);
        assert!(looks.ask(at(5), true));
        assert_eq!(looks.look(at(6)), Some(Duration::from_secs(4)));
    }

    #[test]
    fn after_the_pause_or_a_sleep_a_look_asks_at_once() {
        let mut looks = Revalidation::new(at(0));
        assert_eq!(looks.look(Now { wall_ms: 8 * 3_600_000, steady_ms: 10 }), Some(Duration::ZERO));
    }

    #[test]
    fn nobody_asks_for_a_page_that_is_hidden_again() {
        let mut looks = Revalidation::default();
        assert_eq!(looks.look(at(0)), Some(Duration::ZERO));
        assert!(!looks.ask(at(0), false));
        assert_eq!(looks.look(at(0)), Some(Duration::ZERO));
    }

    #[test]
    fn a_look_while_something_is_under_way_waits_for_its_end() {
        let mut looks = Revalidation::default();
        looks.begin();
        looks.begin();
        assert_eq!(looks.look(at(0)), None);
        assert!(!looks.end());
        assert!(looks.end());
        assert!(!looks.end());
        assert_eq!(looks.look(at(0)), Some(Duration::ZERO));
        looks.begin();
        assert!(!looks.ask(at(0), true));
        assert!(looks.end());
    }

    #[test]
    fn a_server_that_asks_for_it_is_left_alone_for_longer() {
        let mut looks = Revalidation::default();
        looks.rest(at(0), Duration::from_secs(30));
        assert_eq!(looks.look(at(1)), Some(Duration::from_secs(29)));
        let mut looks = Revalidation::default();
        looks.rest(at(0), Duration::ZERO);
        assert_eq!(looks.look(at(0)), Some(REVALIDATION_PAUSE));
    }
}

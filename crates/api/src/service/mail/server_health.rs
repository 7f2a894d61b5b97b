//! How we stand with the mail server.
//!
//! While it takes nothing from us, or cannot be reached, every mail would fail in the same way: one mail at a time asks
//! again, less and less often, and all others stay due. So nothing is lost until the server is fixed, it is not bothered
//! by thousands of attempts, and all that waits leaves soon afterwards.

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;

/// The pause after the first failure; it doubles with each, up to the longest.
const FIRST_PAUSE: Duration = Duration::seconds(5);
pub(super) const LONGEST_PAUSE: Duration = Duration::minutes(1);

/// Whether mail is accepted from this process at all.
#[derive(Debug, Default)]
pub(super) struct ServerHealth(Mutex<Option<Outage>>);

#[derive(Debug, Clone, Copy)]
struct Outage {
    pause: Duration,
    again_at: DateTime<Utc>,
    /// A mail asks whether it is over.
    is_asking: bool,
}

impl Outage {
    /// Whether the pause is not over. One that lies ahead began by a clock that was ahead, and would last until that time.
    fn is_pausing(&self, now: DateTime<Utc>) -> bool {
        (self.again_at - self.pause..self.again_at).contains(&now)
    }
}

impl ServerHealth {
    /// How many of `free` mails may be sent now. While the server takes nothing, it is one after each pause.
    pub(super) fn allowed(&self, free: usize, now: DateTime<Utc>) -> usize {
        match self.0.lock().as_mut() {
            None => free,
            Some(outage) if outage.is_pausing(now) => 0,
            Some(outage) => {
                (outage.is_asking, outage.again_at) = (true, now + outage.pause);
                free.min(1)
            }
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.0.lock().is_none()
    }

    /// The server takes mail from us, whatever it says about a recipient.
    pub(super) fn accepted(&self) {
        *self.0.lock() = None;
    }

    /// The pause grows when the mail that asked has failed. Mails that were sent at the same time fail at the same time.
    pub(super) fn failed(&self, now: DateTime<Utc>) {
        let mut outage = self.0.lock();
        let pause = match *outage {
            None => FIRST_PAUSE,
            Some(known) if known.is_asking => (known.pause * 2).min(LONGEST_PAUSE),
            Some(known) => known.pause,
        };
        *outage = Some(Outage { pause, again_at: now + pause, is_asking: false });
    }

    /// The mail that was to ask did not get as far as the server: the next one may, at once.
    pub(super) fn not_asked(&self, now: DateTime<Utc>) {
        if let Some(outage) = self.0.lock().as_mut().filter(|outage| outage.is_asking) {
            (outage.is_asking, outage.again_at) = (false, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Duration, LONGEST_PAUSE, ServerHealth};

    #[test]
    fn one_mail_asks_after_each_pause_until_the_server_accepts() {
        let (health, mut now) = (ServerHealth::default(), DateTime::UNIX_EPOCH);
        assert_eq!(health.allowed(16, now), 16);
        for _ in 0..16 {
            health.failed(now);
        }
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let began = now;
            while health.allowed(16, now) == 0 {
                now += Duration::seconds(1);
            }
            assert_eq!(health.allowed(16, now), 0, "one asks already");
            pauses.push((now - began).num_seconds());
            health.failed(now);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, LONGEST_PAUSE.num_seconds()]);
        now += LONGEST_PAUSE;
        assert_eq!(health.allowed(16, now), 1);
        health.not_asked(now);
        assert_eq!(health.allowed(16, now), 1);
        health.accepted();
        assert_eq!(health.allowed(16, now), 16);
    }

    #[test]
    fn a_pause_that_a_clock_ahead_began_is_no_reason_to_wait() {
        let (health, now) = (ServerHealth::default(), DateTime::UNIX_EPOCH);
        health.failed(now + Duration::days(1));
        assert_eq!(health.allowed(16, now), 1);
        assert_eq!(health.allowed(16, now), 0);
        health.failed(now);
        assert_eq!(health.allowed(16, now + Duration::seconds(9)), 0);
        assert_eq!(health.allowed(16, now + Duration::seconds(10)), 1);
    }
}

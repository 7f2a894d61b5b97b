//! Whether the mail server accepts mail from this process.
//!
//! While the server refuses us or cannot be reached, every mail would fail in the same way. So one mail at a time probes the
//! server, with growing pauses, and all others stay due. No mail is lost until the server is fixed, the server is not flooded with
//! attempts, and the waiting mails are sent soon afterwards.

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;

/// The pause after the first failure. It doubles with each failed probe, up to the longest.
const FIRST_PAUSE: Duration = Duration::seconds(5);
pub(super) const MAX_PAUSE: Duration = Duration::minutes(1);

/// Whether the mail server accepts mail; the state is `None` while it does.
#[derive(Debug, Default)]
pub(super) struct ServerHealth(Mutex<Option<Outage>>);

#[derive(Debug, Clone, Copy)]
struct Outage {
    pause: Duration,
    retry_at: DateTime<Utc>,
    /// Whether a mail is probing the server now.
    is_probing: bool,
}

impl Outage {
    /// Whether `now` is within the pause. A pause in the future was begun by a clock that ran ahead, and is ignored.
    fn is_pausing(&self, now: DateTime<Utc>) -> bool {
        (self.retry_at - self.pause..self.retry_at).contains(&now)
    }
}

impl ServerHealth {
    /// How many mails may be sent now, at most `free`. During an outage it is one after each pause.
    pub(super) fn allowed(&self, free: usize, now: DateTime<Utc>) -> usize {
        match self.0.lock().as_mut() {
            None => free,
            Some(outage) if outage.is_pausing(now) => 0,
            Some(outage) => {
                (outage.is_probing, outage.retry_at) = (true, now + outage.pause);
                free.min(1)
            }
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.0.lock().is_none()
    }

    /// Records that the server accepts mail from us, even if it refuses a recipient.
    pub(super) fn accepted(&self) {
        *self.0.lock() = None;
    }

    /// Records a failure. The pause grows only if the failed mail was a probe, because mails that were sent at the same time fail
    /// at the same time.
    pub(super) fn failed(&self, now: DateTime<Utc>) {
        let mut outage = self.0.lock();
        let pause = match *outage {
            None => FIRST_PAUSE,
            Some(known) if known.is_probing => (known.pause * 2).min(MAX_PAUSE),
            Some(known) => known.pause,
        };
        *outage = Some(Outage { pause, retry_at: now + pause, is_probing: false });
    }

    /// Records that the probing mail did not get as far as the server, so the next one may probe at once.
    pub(super) fn not_probed(&self, now: DateTime<Utc>) {
        if let Some(outage) = self.0.lock().as_mut().filter(|outage| outage.is_probing) {
            (outage.is_probing, outage.retry_at) = (false, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Duration, MAX_PAUSE, ServerHealth};

    #[test]
    fn one_mail_probes_after_each_pause_until_the_server_accepts() {
        let health = ServerHealth::default();
        let mut now = DateTime::UNIX_EPOCH;
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
            assert_eq!(health.allowed(16, now), 0, "one mail is probing already");
            pauses.push((now - began).num_seconds());
            health.failed(now);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, MAX_PAUSE.num_seconds()]);
        now += MAX_PAUSE;
        assert_eq!(health.allowed(16, now), 1);
        health.not_probed(now);
        assert_eq!(health.allowed(16, now), 1);
        health.accepted();
        assert_eq!(health.allowed(16, now), 16);
    }

    #[test]
    fn a_pause_that_was_begun_by_a_clock_running_ahead_is_ignored() {
        let health = ServerHealth::default();
        let now = DateTime::UNIX_EPOCH;
        health.failed(now + Duration::days(1));
        assert_eq!(health.allowed(16, now), 1);
        assert_eq!(health.allowed(16, now), 0);
        health.failed(now);
        assert_eq!(health.allowed(16, now + Duration::seconds(9)), 0);
        assert_eq!(health.allowed(16, now + Duration::seconds(10)), 1);
    }
}

//! Whether the mail server accepts mail from this process.
//!
//! While the server refuses us or cannot be reached, every mail would fail in the same way. So one mail at a time probes the
//! server, with growing pauses, and all others stay due. No mail is lost until the server is fixed, the server is not flooded with
//! attempts, and the waiting mails are sent soon afterwards.

use super::in_flight::LEASE;
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
    state: OutageState,
}

#[derive(Debug, Clone, Copy)]
enum OutageState {
    /// No mail is attempted until the pause has passed.
    PausesSince(DateTime<Utc>),
    /// The mail that was leased at this time probes the server, until it is finished or its lease ends.
    ProbesSince(DateTime<Utc>),
    /// The next mail probes.
    ProbeIsDue,
}

impl Outage {
    /// Whether no mail may be attempted now. A time in the future was read from a clock that ran ahead, and is ignored.
    fn is_waiting(&self, now: DateTime<Utc>) -> bool {
        let (since, wait) = match self.state {
            OutageState::PausesSince(since) => (since, self.pause),
            OutageState::ProbesSince(since) => (since, LEASE),
            OutageState::ProbeIsDue => return false,
        };
        (since..since + wait).contains(&now)
    }

    fn is_probed_since(&self, leased_at: DateTime<Utc>) -> bool {
        matches!(self.state, OutageState::ProbesSince(since) if since == leased_at)
    }
}

impl ServerHealth {
    /// How many mails may be sent now, at most `free`. During an outage it is one after each pause.
    pub(super) fn allowed(&self, free: usize, now: DateTime<Utc>) -> usize {
        match self.0.lock().as_mut() {
            None => free,
            Some(outage) if free == 0 || outage.is_waiting(now) => 0,
            Some(outage) => {
                outage.state = OutageState::ProbesSince(now);
                1
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

    /// Records a failure of the mail that was leased at `leased_at`. During an outage only the probe counts, because mails that
    /// were sent before it fail for the same reason.
    pub(super) fn failed(&self, leased_at: DateTime<Utc>, now: DateTime<Utc>) {
        let mut outage = self.0.lock();
        let pause = match *outage {
            None => FIRST_PAUSE,
            Some(known) if known.is_probed_since(leased_at) => (known.pause * 2).min(MAX_PAUSE),
            Some(_) => return,
        };
        *outage = Some(Outage { pause, state: OutageState::PausesSince(now) });
    }

    /// Records that no mail was leased at `leased_at`, or that it did not get as far as the server. The next one may probe at once.
    pub(super) fn not_probed(&self, leased_at: DateTime<Utc>) {
        if let Some(outage) = self.0.lock().as_mut().filter(|outage| outage.is_probed_since(leased_at)) {
            outage.state = OutageState::ProbeIsDue;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Duration, LEASE, MAX_PAUSE, ServerHealth};

    const START: DateTime<chrono::Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn one_mail_probes_after_each_pause_until_the_server_accepts() {
        let health = ServerHealth::default();
        let mut now = START;
        assert_eq!(health.allowed(16, now), 16);
        for _ in 0..16 {
            health.failed(START, now);
        }
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let began = now;
            while health.allowed(16, now) == 0 {
                now += Duration::seconds(1);
            }
            assert_eq!(health.allowed(16, now), 0, "one mail is probing already");
            pauses.push((now - began).num_seconds());
            health.failed(now, now);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, MAX_PAUSE.num_seconds()]);
        now += MAX_PAUSE;
        assert_eq!(health.allowed(0, now), 0, "no slot is free");
        assert_eq!(health.allowed(16, now), 1);
        health.not_probed(now);
        assert_eq!(health.allowed(16, now), 1);
        health.accepted();
        assert_eq!(health.allowed(16, now), 16);
    }

    /// The server accepts the connection and sends nothing, so each attempt takes a minute.
    #[test]
    fn a_probe_that_takes_longer_than_the_pause_stays_the_only_one() {
        let health = ServerHealth::default();
        health.failed(START, START);
        let probe = START + Duration::seconds(5);
        assert_eq!(health.allowed(16, probe), 1);
        for second in 1..60 {
            let now = probe + Duration::seconds(second);
            health.failed(START, now);
            health.not_probed(START);
            assert_eq!(health.allowed(16, now), 0, "after {second} s, when a mail leased before the probe has failed");
        }
        let end = probe + Duration::minutes(1);
        health.failed(probe, end);
        assert_eq!(health.allowed(16, end + Duration::seconds(9)), 0);
        assert_eq!(health.allowed(16, end + Duration::seconds(10)), 1);
        assert_eq!(health.allowed(16, end + Duration::seconds(10) + LEASE), 1, "the probe was never finished");
    }

    #[test]
    fn a_pause_that_was_begun_by_a_clock_running_ahead_is_ignored() {
        let health = ServerHealth::default();
        health.failed(START, START + Duration::days(1));
        assert_eq!(health.allowed(16, START), 1);
        assert_eq!(health.allowed(16, START), 0);
        health.failed(START, START);
        assert_eq!(health.allowed(16, START + Duration::seconds(9)), 0);
        assert_eq!(health.allowed(16, START + Duration::seconds(10)), 1);
    }
}

//! How long to wait between attempts.

use std::time::Duration;

/// The longest wait without a `Retry-After`.
pub const MAX_WAIT: Duration = Duration::from_mins(1);

/// The longest wait that a `Retry-After` can cause: a user is looking at the page.
pub const MAX_REQUESTED_WAIT: Duration = Duration::from_mins(5);

const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The wait after `failures` consecutive failures: doubling from one second, half of it random, and never shorter than what
/// the server asked for. `jitter` is a random number from 0 to 1 that keeps all clients from returning at the same moment.
pub fn backoff_delay(failures: u32, retry_after: Option<Duration>, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    let full = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(MAX_WAIT);
    let own = full.mul_f64(0.5 + jitter / 2.0);
    retry_after.map_or(own, |requested| requested.min(MAX_REQUESTED_WAIT).mul_f64(1.0 + jitter / 10.0).max(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits: Vec<_> = (1..=9).map(|failures| backoff_delay(failures, None, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff_delay(u32::MAX, None, 1.0), MAX_WAIT);
        assert_eq!(backoff_delay(0, None, 1.0), FIRST_WAIT);
    }

    #[test]
    fn half_of_a_wait_is_random_and_it_is_never_zero() {
        assert_eq!(backoff_delay(3, None, 0.0), Duration::from_secs(2));
        assert_eq!(backoff_delay(3, None, 1.0), Duration::from_secs(4));
        for jitter in [f64::NAN, f64::INFINITY, -7.0, 7.0] {
            assert!(backoff_delay(1, None, jitter) >= Duration::from_millis(500));
        }
    }

    #[test]
    fn the_servers_wait_is_honoured_within_reason() {
        assert!(backoff_delay(1, Some(Duration::from_secs(30)), 0.0) >= Duration::from_secs(30));
        assert!(backoff_delay(1, Some(Duration::from_secs(30)), 1.0) <= Duration::from_secs(33));
        assert!(backoff_delay(1, Some(Duration::MAX), 1.0) <= MAX_REQUESTED_WAIT.mul_f64(1.1));
        assert_eq!(backoff_delay(6, Some(Duration::ZERO), 1.0), Duration::from_secs(32));
    }
}

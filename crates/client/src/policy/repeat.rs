//! Requests with an `Idempotency-Key`, and when they are repeated.

use super::backoff::backoff_delay;
use super::response::{FetchResult, TransientError, TransportError};
use std::time::Duration;
use uuid::Uuid;

/// How often a request is repeated automatically.
const REPETITIONS: u32 = 2;
/// The longest `Retry-After` that is waited for while the user looks at a busy button.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The seed of the keys for requests of mailed links. It is fixed, because a link may be opened again in another tab or after a
/// reload; the link's token in the request makes the key unique.
pub const LINK_SEED: Uuid = Uuid::from_u128(0x6c61_7463_686b_6579_2d6d_6169_6c6c_696e);

/// The `Idempotency-Key` of a request: a function of the seed and of the whole request. The same request gets the same key
/// without storing one, and a different request gets another. A form's seed is random and lasts until the form has succeeded;
/// after that, the same request counts as a new one.
pub fn step_key(seed: Uuid, path: &str, body: &str) -> String {
    Uuid::new_v5(&seed, format!("{path}\n{body}").as_bytes()).to_string()
}

/// How long to wait before a request without a response is repeated automatically; `None` when only the user may repeat it.
/// `sent` is how often it has been sent.
pub fn repeat_after(result: &FetchResult, sent: u32, jitter: f64) -> Option<Duration> {
    let retry_after = match result {
        Err(TransportError::Unreachable) => None,
        Ok(response) if response.transient_error() == Some(TransientError::Unavailable) => response.retry_after,
        // After a timeout the user has waited long enough, and decides.
        Ok(_) | Err(TransportError::TimedOut) => return None,
    };
    let is_soon = retry_after.is_none_or(|retry_after| retry_after <= MAX_PAUSE);
    (sent <= REPETITIONS && is_soon).then(|| backoff_delay(sent, retry_after, jitter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::response::ApiResponse;

    #[test]
    fn the_same_request_has_the_same_key_and_no_other_has() {
        let key = |seed, path, body| step_key(Uuid::from_u128(seed), path, body);
        assert_eq!(key(1, "/a/", "{}"), key(1, "/a/", "{}"));
        let others = [key(2, "/a/", "{}"), key(1, "/b/", "{}"), key(1, "/a/", "{ }"), key(1, "/a/\n{}", "")];
        assert!(!others.contains(&key(1, "/a/", "{}")));
    }

    #[test]
    fn a_request_with_a_lost_response_is_repeated_twice() {
        let lost = Err(TransportError::Unreachable);
        let waits: Vec<_> = (1..5).map(|sent| repeat_after(&lost, sent, 1.0)).collect();
        assert_eq!(waits, [Some(Duration::from_secs(1)), Some(Duration::from_secs(2)), None, None]);
        assert!(repeat_after(&Ok(ApiResponse::new(502, "text/html", "")), 1, 0.0).is_some());
    }

    #[test]
    fn a_verdict_or_a_long_wait_is_not_repeated() {
        for status in [200, 204, 400, 401, 403, 409, 429, 500] {
            assert_eq!(repeat_after(&Ok(ApiResponse::new(status, "application/json", "{}")), 1, 0.0), None, "{status}");
        }
        assert_eq!(repeat_after(&Err(TransportError::TimedOut), 1, 0.0), None);
        let busy =
            |seconds| Ok(ApiResponse::new(503, "application/json", "").retry_after(Some(Duration::from_secs(seconds))));
        assert!(repeat_after(&busy(2), 1, 0.0).is_some_and(|wait| wait >= Duration::from_secs(2)));
        assert_eq!(repeat_after(&busy(6), 1, 0.0), None);
    }
}

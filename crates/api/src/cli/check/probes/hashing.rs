//! How long a password takes to hash on this machine.

use super::ask::{PATIENCE, off_thread};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rule::CheckRule;
use crate::cli::check::rules;
use crate::clock::Stopwatch;
use crate::service::passwords::hashing;
use std::time::Duration;

/// Quicker is quick to guess, too.
const FAST: Duration = Duration::from_millis(50);
/// Slower, and people wait.
const SLOW: Duration = Duration::from_secs(1);
/// The quickest counts: on a busy machine every run is slower than it needs to be.
const RUNS: u32 = 3;
/// Any password: the time depends on the cost alone.
const MEASURED: &str = "violet harbor lantern 42";
/// No further run is started after this.
const LONG_ENOUGH: Duration = Duration::from_secs(3);

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    if facts.is_refused("BCRYPT_COST") {
        return None;
    }
    let cost = facts.settings.passwords.bcrypt_cost;
    let (rule, time) = match off_thread(move || quickest(cost)).await.flatten() {
        Some(time) => (judge(time)?, format!("{} ms", time.as_millis())),
        None => (&rules::HASHING_SLOW, format!("more than {} s", PATIENCE.as_secs())),
    };
    Some(rule.found(format_args!("a password takes {time} at cost {cost}")).about("BCRYPT_COST"))
}

fn judge(time: Duration) -> Option<&'static CheckRule> {
    match time {
        time if time < FAST => Some(&rules::HASHING_FAST),
        time if time > SLOW => Some(&rules::HASHING_SLOW),
        _ => None,
    }
}

/// Stops early when there is nothing to gain. `None` when hashing fails.
fn quickest(cost: u32) -> Option<Duration> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let watch = Stopwatch::start();
        hashing::hash(MEASURED, cost).ok()?;
        times.push(watch.elapsed());
        if times.iter().any(|time| judge(*time).is_none()) || times.iter().sum::<Duration>() > LONG_ENOUGH {
            break;
        }
    }
    times.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_a_twentieth_of_a_second_and_a_second_is_right() {
        let judged = |milliseconds| judge(Duration::from_millis(milliseconds)).map(|rule| rule.id);
        assert_eq!(judged(49), Some("hashing.fast"));
        assert_eq!([judged(50), judged(250), judged(1000)], [None; 3]);
        assert_eq!(judged(1001), Some("hashing.slow"));
    }
}

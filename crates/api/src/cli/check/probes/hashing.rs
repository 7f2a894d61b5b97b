//! How long a password takes to hash on this machine.

use super::ask::{TIMEOUT, off_thread};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rule::CheckRule;
use crate::cli::check::rules;
use crate::clock::Stopwatch;
use crate::service::passwords::hashing;
use std::time::Duration;

/// Faster hashes are fast to guess, too.
const FAST: Duration = Duration::from_millis(50);
/// Slower hashes make people wait.
const SLOW: Duration = Duration::from_secs(1);
/// The fastest run counts: other work on the machine can only slow a run down.
const RUNS: u32 = 3;
/// Any password: the time depends on the cost alone.
const MEASURED: &str = "violet harbor lantern 42";
/// No further run is started after this time.
const TOTAL_LIMIT: Duration = Duration::from_secs(3);

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    if facts.is_refused("BCRYPT_COST") {
        return None;
    }
    let cost = facts.settings.passwords.bcrypt_cost;
    let (rule, time) = match off_thread(move || fastest(cost)).await.flatten() {
        Some(time) => (rule_for(time)?, format!("{} ms", time.as_millis())),
        None => (&rules::HASHING_SLOW, format!("more than {} s", TIMEOUT.as_secs())),
    };
    Some(rule.found(format_args!("a password takes {time} at cost {cost}")).about("BCRYPT_COST"))
}

fn rule_for(time: Duration) -> Option<&'static CheckRule> {
    match time {
        time if time < FAST => Some(&rules::HASHING_FAST),
        time if time > SLOW => Some(&rules::HASHING_SLOW),
        _ => None,
    }
}

/// The fastest of several runs; stops early at an acceptable one. `None` if hashing fails.
fn fastest(cost: u32) -> Option<Duration> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let watch = Stopwatch::start();
        hashing::hash(MEASURED, cost).ok()?;
        times.push(watch.elapsed());
        if times.iter().any(|time| rule_for(*time).is_none()) || times.iter().sum::<Duration>() > TOTAL_LIMIT {
            break;
        }
    }
    times.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_50_milliseconds_and_a_second_is_accepted() {
        let found = |milliseconds| rule_for(Duration::from_millis(milliseconds)).map(|rule| rule.id);
        assert_eq!(found(49), Some("hashing.fast"));
        assert_eq!([found(50), found(250), found(1000)], [None; 3]);
        assert_eq!(found(1001), Some("hashing.slow"));
    }
}

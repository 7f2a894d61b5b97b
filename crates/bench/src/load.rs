//! Closed-loop load: each virtual user sends its next request when it has the response to the last one.

use crate::parallel::in_parallel;
use crate::scenario::{Operation, Scenario};
use crate::virtual_user::{Failure, VirtualUser};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the server listens; only this machine is accepted
    #[arg(long)]
    server: SocketAddr,
    /// The API that issues the tokens, if that is another server
    #[arg(long)]
    issuer: Option<SocketAddr>,
    #[arg(long, value_enum)]
    scenario: Scenario,
    /// Virtual users, each with a connection and an account `uN@example.com` of its own
    #[arg(long, default_value_t = 16)]
    users: usize,
    /// How long to measure, after a warm-up of a fifth of it
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Instead of a time: how many requests each virtual user sends
    #[arg(long)]
    requests: Option<usize>,
}

/// What the virtual users measured.
#[derive(Default)]
struct Measured {
    /// Microseconds of the requests that succeeded.
    times: BTreeMap<Operation, Histogram<u64>>,
    failures: BTreeMap<Failure, u64>,
}

impl Measured {
    /// Performs the request number `number` of a virtual user.
    fn perform(&mut self, user: &mut VirtualUser, scenario: Scenario, number: usize) {
        let operation = scenario.operation(user.number(), number);
        let begun = Instant::now();
        match user.perform(operation) {
            Ok(()) => {
                let microseconds = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.times.entry(operation).or_insert_with(histogram).saturating_record(microseconds);
            }
            Err(failure) => *self.failures.entry(failure).or_default() += 1,
        }
    }

    fn sum(parts: Vec<Self>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            for (operation, times) in part.times {
                // Cannot fail: all histograms have the same range.
                let _ = sum.times.entry(operation).or_insert_with(histogram).add(times);
            }
            for (failure, count) in part.failures {
                *sum.failures.entry(failure).or_default() += count;
            }
        }
        sum
    }

    fn json(&self, seconds: f64) -> Value {
        let operations = self.times.iter().map(|(operation, times)| {
            let milliseconds = |quantile| 1e3 * Duration::from_micros(times.value_at_quantile(quantile)).as_secs_f64();
            let figures = json!({
                "requests": times.len(),
                "p50": milliseconds(0.5),
                "p95": milliseconds(0.95),
                "p99": milliseconds(0.99),
                "p999": milliseconds(0.999),
            });
            (operation.name().to_owned(), figures)
        });
        let operations: serde_json::Map<_, _> = operations.collect();
        json!({"seconds": seconds, "operations": operations, "failures": self.failures})
    }
}

/// From one microsecond to two minutes, with an error of at most 0.1 %.
#[expect(clippy::expect_used, reason = "the bounds are constants")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("valid bounds")
}

/// Prints `begin` when the measured time begins and `end` at its end, then the figures in one line.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if !options.server.ip().is_loopback() {
        return Err(format!("{} is not on this machine", options.server));
    }
    let issuer = options.scenario.needs_tokens().then_some(options.issuer.unwrap_or(options.server));
    let connect =
        |numbers: Range<usize>| in_parallel(numbers, |number| VirtualUser::new(number, options.server, issuer));
    let users = connect(0..options.users)?;
    let (measured, seconds) = match options.requests {
        Some(requests) => count(options.scenario, users, requests)?,
        None if options.scenario == Scenario::Flood => {
            let flooding = connect(options.users..2 * options.users)?;
            time(options, users, flooding)?
        }
        None => time(options, users, Vec::new())?,
    };
    println!("{}", measured.json(seconds));
    Ok(())
}

/// Each user sends `requests` requests, after one that is not measured.
fn count(scenario: Scenario, users: Vec<VirtualUser>, requests: usize) -> Result<(Measured, f64), Failure> {
    let warm = in_parallel(users, |mut user| user.perform(scenario.operation(user.number(), 0)).map(|()| user))?;
    println!("begin");
    let begun = Instant::now();
    let parts = in_parallel(warm, |mut user| {
        let mut measured = Measured::default();
        for number in 0..requests {
            measured.perform(&mut user, scenario, number);
        }
        Ok(measured)
    })?;
    println!("end");
    Ok((Measured::sum(parts), begun.elapsed().as_secs_f64()))
}

/// Each of `users` sends requests until the time is over, and each of `flooding` signs in meanwhile.
fn time(options: &Options, users: Vec<VirtualUser>, flooding: Vec<VirtualUser>) -> Result<(Measured, f64), Failure> {
    let begin = Instant::now() + Duration::from_secs_f64(options.seconds / 5.0);
    let end = begin + Duration::from_secs_f64(options.seconds);
    thread::scope(|scope| {
        for mut user in flooding {
            scope.spawn(move || {
                while Instant::now() < end {
                    // Most are refused, because too many wait.
                    let _ = user.perform(Operation::Login);
                }
            });
        }
        scope.spawn(move || {
            thread::sleep(begin.saturating_duration_since(Instant::now()));
            println!("begin");
            thread::sleep(end.saturating_duration_since(Instant::now()));
            println!("end");
        });
        let parts = in_parallel(users, |mut user| {
            let mut warm_up = Measured::default();
            let mut measured = Measured::default();
            for number in 0.. {
                let now = Instant::now();
                if now >= end {
                    break;
                }
                let phase = if now < begin { &mut warm_up } else { &mut measured };
                phase.perform(&mut user, options.scenario, number);
            }
            Ok(measured)
        })?;
        Ok((Measured::sum(parts), options.seconds))
    })
}

//! How many passwords the cores of this machine verify: the limit of signing in.

use clap::Args;
use serde_json::json;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// bcrypt's cost
    #[arg(long, default_value_t = 12)]
    cost: u32,
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// Prints `begin`, `end` and the number of verified passwords.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let hash = bcrypt::hash(crate::virtual_user::PASSWORD, options.cost).map_err(|error| error.to_string())?;
    println!("begin");
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(options.seconds);
    let verified: usize = thread::scope(|scope| {
        let verify = || {
            let mut count = 0;
            while Instant::now() < end && bcrypt::verify(crate::virtual_user::PASSWORD, &hash).is_ok_and(|right| right)
            {
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(verify)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    });
    println!("end");
    println!("{}", json!({"seconds": begun.elapsed().as_secs_f64(), "verified": verified}));
    Ok(())
}

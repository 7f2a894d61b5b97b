//! How many connections a process can hold. Each is a file descriptor, as is everything else that it opens: at the system's
//! limit anyone could make a database connection or a log file fail.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Upper bound; each open connection takes some 30 kB.
const MAX_CONNECTIONS: u64 = 4096;
/// Lower bound, even if the limit is lower.
const MIN_CONNECTIONS: u64 = 16;
/// For files, listeners, runtimes and connections to other services.
const RESERVED: u64 = 100;

/// How many clients may be connected at once, in addition to a pool of `pool_size` database connections. Raises this
/// process's own limit as far as allowed: systems start programs with 1,024 because some use `select`.
pub(crate) fn connections(pool_size: u32) -> usize {
    let reserved = RESERVED + 4 * u64::from(pool_size); // SQLite opens up to three files for each
    let limit = raise(MAX_CONNECTIONS + reserved);
    let connections = limit.saturating_sub(reserved).clamp(MIN_CONNECTIONS, MAX_CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// Raises the limit of open descriptors to `wanted`, or as near as the system allows, and returns the new limit.
fn raise(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let target = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    if current >= target {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum: limit.maximum }) {
        Ok(()) => target,
        Err(_) => current,
    }
}

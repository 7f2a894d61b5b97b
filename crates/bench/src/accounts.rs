//! The accounts of the virtual users.

use crate::parallel::in_parallel;
use crate::virtual_user::{Failure, VirtualUser};
use clap::Args;
use std::net::SocketAddr;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the API listens
    #[arg(long)]
    server: SocketAddr,
    /// How many
    #[arg(long)]
    users: usize,
}

/// As many passwords as most machines hash at once.
const AT_ONCE: usize = 4;

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let register = |first| {
        (first..options.users).step_by(AT_ONCE).try_for_each(|number| VirtualUser::register(number, options.server))
    };
    in_parallel(0..AT_ONCE, register).map(|_| ())
}

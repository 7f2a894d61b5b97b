//! What `scripts/bench` runs under load, and how it produces that load. The commands print JSON for it.

#![expect(clippy::disallowed_methods, reason = "benchmarks measure the time of this machine")]

mod accounts;
mod bare;
mod hashing;
mod http;
mod load;
mod parallel;
mod scenario;
mod sqlite;
mod virtual_user;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "bench", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Registers the accounts of the virtual users
    Accounts(accounts::Options),
    /// Sends requests to an API on this machine
    Load(load::Options),
    /// Serves the same requests as the API does, with nothing but actix-web and the database
    Bare(bare::Options),
    /// Verifies passwords on all cores
    Hashing(hashing::Options),
    /// Exchanges refresh tokens in the API's SQLite file, with SQLite alone
    Sqlite(sqlite::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Accounts(options) => accounts::run(&options),
        Command::Load(options) => load::run(&options),
        Command::Bare(options) => bare::run(options),
        Command::Hashing(options) => hashing::run(&options),
        Command::Sqlite(options) => sqlite::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

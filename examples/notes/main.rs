//! Latchkey with notes on top: `cargo run -p api --example notes`.

#[path = "api/mod.rs"]
mod notes;

use std::process::ExitCode;

fn main() -> ExitCode {
    api::run(api::App::new().feature(notes::feature()))
}

//! The `api` program; see `api --help`. This folder is the product's: its features live here, each in a module of its own, and
//! are registered below. `docs/EXTENDING.md` leads through building one.

use api::App;
use std::process::ExitCode;

fn main() -> ExitCode {
    api::run(app())
}

/// The product. The tests that iterate over all routes use this one.
pub(crate) fn app() -> App {
    App::new()
}

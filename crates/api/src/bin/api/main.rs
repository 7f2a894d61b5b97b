//! The `api` program; see `api --help`. This folder is the product's: its features stand here, each in a module of its own, and
//! are registered below. `docs/guides/extending.md` leads through building one.

use api::App;
use std::process::ExitCode;

fn main() -> ExitCode {
    api::run(app())
}

/// The product. The tests that look at every route look at this one.
pub(crate) fn app() -> App {
    App::new()
}

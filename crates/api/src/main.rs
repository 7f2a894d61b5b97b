//! The `api` program; see `api --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let system = actix_web::rt::System::new();
    let status = system.block_on(api::cli::run());
    // Taking the runtime down would wait for whatever still waits for a database that does not answer.
    std::mem::forget(system);
    status
}

//! Records the commit and the compiler of a build, for `latchkey_build_info`.

use std::env;
use std::process::Command;

/// The variable with the commit, where the build platform sets it.
const REVISION: &str = "RENDER_GIT_COMMIT";
const UNKNOWN: &str = "unknown";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={REVISION}");
    let revision = env::var(REVISION).ok().filter(|revision| !revision.trim().is_empty());
    println!("cargo::rustc-env=LATCHKEY_REVISION={}", revision.as_deref().unwrap_or(UNKNOWN));
    println!("cargo::rustc-env=LATCHKEY_RUSTC={}", rustc().as_deref().unwrap_or(UNKNOWN));
}

/// The compiler's version, `1.95.0` of `rustc 1.95.0 (…)`.
fn rustc() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?.stdout;
    String::from_utf8(output).ok()?.split(' ').nth(1).map(|version| version.trim().to_owned())
}

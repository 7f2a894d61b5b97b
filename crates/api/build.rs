//! Notes what the program is built from and with, for `latchkey_build_info`.

use std::env;
use std::process::Command;

/// The commit, where the platform that builds tells it.
const REVISION: &str = "RENDER_GIT_COMMIT";
/// What nobody tells.
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
    let told = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?.stdout;
    String::from_utf8(told).ok()?.split(' ').nth(1).map(|version| version.trim().to_owned())
}

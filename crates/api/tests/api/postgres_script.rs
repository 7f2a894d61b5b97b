//! `scripts/postgres`, which starts the server of tests and benchmarks.

use crate::support::document::root;
use std::path::Path;
use std::process::Command;

/// A temporary folder may be in memory, where commits cost nothing.
#[test]
fn a_durable_cluster_is_in_the_folder_that_is_on_a_disk_and_removed_at_the_end() {
    let mut script = Command::new(root().join("scripts/postgres"));
    script.args(["run", "--durable", "--", "printenv", "TEST_POSTGRES_CERTIFICATE"]);
    let output = script.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let certificate = said.lines().map(Path::new).find(|line| line.ends_with("server.crt"));
    let certificate = certificate.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    assert!(certificate.starts_with("/var/tmp"), "{certificate:?}");
    assert!(!certificate.parent().unwrap().exists());
}

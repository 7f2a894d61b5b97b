//! `scripts/feature` refuses a name that is taken, and writes nothing then.

use crate::support::document::root;
use std::path::Path;
use std::process::Command;

/// What the script's copy in `folder` prints when it refuses these names.
fn refusal(folder: &Path, names: &[&str]) -> String {
    let output = Command::new("node").arg("scripts/feature").args(names).current_dir(folder).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{names:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A repository with the script, the example, and one file.
fn repository_with(file: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .args(["-r", "--parents", "scripts/feature", "examples/notes", "-t"])
        .arg(folder.path())
        .current_dir(root())
        .status();
    assert!(copied.unwrap().success());
    let file = folder.path().join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "").unwrap();
    folder
}

#[test]
fn a_feature_is_not_mixed_with_files_that_exist() {
    let places = [
        ("crates/polls-types/Cargo.toml", "crates/polls-types"),
        ("crates/api/src/bin/api/polls/mod.rs", "crates/api/src/bin/api/polls"),
        ("crates/api/tests/polls/mod.rs", "crates/api/tests/polls"),
        ("crates/client/src/pages/polls.rs", "crates/client/src/pages/polls.rs"),
        ("crates/client/e2e/stories/polls.spec.js", "crates/client/e2e/stories/polls.spec.js"),
    ];
    for (file, named) in places {
        let folder = repository_with(file);
        let refused = refusal(folder.path(), &["polls", "poll"]);
        assert!(refused.starts_with(&format!("feature: {named} exists already")), "{file}: {refused}");
    }
}

#[test]
fn a_name_that_would_not_compile_or_that_the_example_has_is_refused() {
    let folder = repository_with("README.md");
    let taken = [
        (["notes", "note"], "the example is called notes"),
        (["memos", "note"], "the example is called notes"),
        (["matches", "match"], "match is a keyword of Rust"),
        (["pages", "page"], "already has its own Page"),
        (["lists", "list"], "already has its own list"),
        (["Polls", "poll"], "lower-case letters"),
    ];
    for (names, expected) in taken {
        let refused = refusal(folder.path(), &names);
        assert!(refused.contains(expected), "{names:?}: {refused}");
    }
    assert!(!folder.path().join("crates").exists());
}

//! The files that publishing and building rely on: one compiler, licences, a changelog, a container image.

use crate::support::document::root;

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The text between `before` and `after` or the end of the line.
fn value<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} is missing")).1;
    rest.lines().next().unwrap().split(after).next().unwrap()
}

#[test]
fn everything_is_built_by_the_compiler_of_the_toolchain_file() {
    let toolchain = read("rust-toolchain.toml");
    let channel = value(&toolchain, "channel = \"", "\"");
    let cargo = read("Cargo.toml");
    let oldest = value(&cargo, "rust-version = \"", "\"");
    assert!(
        channel.strip_prefix(oldest).is_some_and(|patch| patch.starts_with('.')),
        "{channel}, Cargo.toml: {oldest}"
    );
    let render = read("render.yaml");
    let of_render = value(&render, "key: RUSTUP_TOOLCHAIN\n        value: \"", "\"");
    assert_eq!(of_render, channel, "render.yaml");
    let image = read("Dockerfile");
    assert_eq!(value(&image, "FROM rust:", "-"), channel, "Dockerfile");
    for workflow in std::fs::read_dir(root().join(".github/workflows")).unwrap() {
        let workflow = std::fs::read_to_string(workflow.unwrap().path()).unwrap();
        let installs: Vec<_> = workflow.lines().filter(|line| line.contains("rustup ")).map(str::trim).collect();
        assert_eq!(installs, ["run: rustup toolchain install"], "a workflow installs what the file says");
    }
}

/// A binary needs the C library that it was linked with, or a newer one.
#[test]
fn the_image_runs_on_the_debian_release_that_it_is_built_on() {
    let image = read("Dockerfile");
    let built_on = value(&image, "FROM rust:", " ").rsplit('-').next().unwrap();
    assert_eq!(value(&image, "FROM debian:", "-"), built_on);
}

/// `.dockerignore` lists the files that Docker gets, and each `COPY` is of one of these.
#[test]
fn files_that_the_image_copies_are_sent_to_its_build() {
    let sent = read(".dockerignore");
    let sent: Vec<_> = sent.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let image = read("Dockerfile");
    let lines = image.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from"));
    let copied: Vec<_> = lines.flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' ')).collect();
    assert!(copied.len() > 5, "{copied:?}");
    for name in &copied {
        assert!(sent.contains(name) && root().join(name).exists(), "{name}");
    }
    assert_eq!(copied.len(), sent.len(), "a file that is sent must be copied: {sent:?}");
}

#[test]
fn each_licence_of_the_packages_has_a_file() {
    let cargo = read("Cargo.toml");
    for licence in value(&cargo, "license = \"", "\"").split(" OR ") {
        let file = format!("LICENSE-{}", licence.split('-').next().unwrap().to_uppercase());
        assert!(read(&file).len() > 1_000, "{file}");
    }
}

#[test]
fn the_changelog_has_the_version_of_the_packages_and_unreleased_changes() {
    const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let changelog = read("CHANGELOG.md");
    let versions: Vec<_> = changelog.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(versions[0], "[Unreleased]");
    let cargo = read("Cargo.toml");
    let current = format!("[{}] - ", value(&cargo, "version = \"", "\""));
    assert!(versions[1].starts_with(&current), "{}: no {current}", versions[1]);
    let dates: Vec<chrono::NaiveDate> =
        versions[1..].iter().map(|version| version.rsplit_once(" - ").unwrap().1.parse().unwrap()).collect();
    assert!(dates.is_sorted_by(|newer, older| newer >= older), "{versions:?}");
    for kind in changelog.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(KINDS.contains(&kind), "{kind}: Keep a Changelog has {KINDS:?}");
    }
}

#[test]
fn each_automatic_update_names_an_existing_file() {
    let updates = read(".github/dependabot.yml");
    for (ecosystem, file) in [
        ("cargo", "Cargo.toml"),
        ("rust-toolchain", "rust-toolchain.toml"),
        ("npm", "package.json"),
        ("pip", "requirements.txt"),
        ("github-actions", ".github/workflows/ci.yml"),
        ("docker", "Dockerfile"),
    ] {
        let folder = value(&updates, &format!("package-ecosystem: {ecosystem}\n    directory: /"), "\n");
        assert!(root().join(folder).join(file).exists(), "{ecosystem}: no {file} in /{folder}");
    }
    assert_eq!(updates.matches("package-ecosystem").count(), 6);
}

#[test]
fn the_notes_of_a_release_are_its_section_of_the_changelog() {
    let cargo = read("Cargo.toml");
    let version = value(&cargo, "version = \"", "\"");
    let notes = |version: &str| {
        std::process::Command::new(root().join("scripts/release")).args(["notes", version]).output().unwrap()
    };
    let printed = notes(version);
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(!printed.contains("\n## ") && !printed.starts_with('\n') && printed.len() > 20, "{printed}");
    assert!(read("CHANGELOG.md").contains(printed.trim()), "{printed}");
    let refused = notes("0.0.0");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("Cargo.toml has version"));
}

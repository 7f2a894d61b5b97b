//! The build script of the client: the address of the API that it compiles in.

use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;

/// Runs the client's build script as cargo does, and returns the lines that it prints.
fn client_build(variables: &[(&str, &str)]) -> Vec<String> {
    static PROGRAM: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../client/build.rs");
        let built = Command::new("rustc").args(["--edition", "2024", source, "--out-dir"]).arg(folder.path()).status();
        assert!(built.unwrap().success());
        folder
    });
    let output = Command::new(PROGRAM.path().join("build")).env_clear().envs(variables.iter().copied()).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.lines().filter(|line| !line.contains("rerun-if")).map(str::to_owned).collect()
}

#[test]
fn the_clients_build_knows_both_names_of_the_apis_address() {
    let base = |address: &str| vec![format!("cargo::rustc-env=LATCHKEY_API_BASE={address}")];
    assert_eq!(client_build(&[]), base("http://127.0.0.1:8000"));
    for name in ["API_BASE_URL", "VITE_API_BASE_URL"] {
        assert_eq!(client_build(&[(name, "https://api.example.com/")]), base("https://api.example.com"));
        assert_eq!(client_build(&[(name, " ")]), base("http://127.0.0.1:8000"), "blank is not set");
    }
}

#[test]
fn the_clients_build_refuses_an_unusable_address_in_one_line() {
    for address in
        ["api.example.com", "https://", "https://:8000", "ftp://h", "https://u@h", "https://h/?x", "https://h:x"]
    {
        let lines = client_build(&[("VITE_API_BASE_URL", address)]);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("cargo::error=VITE_API_BASE_URL is "), "{lines:?}");
    }
    let lines =
        client_build(&[("API_BASE_URL", "https://a.example.com"), ("VITE_API_BASE_URL", "https://b.example.com")]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("set one of the two"), "{lines:?}");
    let lines = client_build(&[("API_BASE_URL", "http://api.example.com")]);
    assert!(lines.iter().any(|line| line.starts_with("cargo::warning=")), "{lines:?}");
}

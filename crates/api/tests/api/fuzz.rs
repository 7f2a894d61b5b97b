//! The targets of `scripts/fuzz`, run over their seeds, so that they compile and pass between two runs of the fuzzer.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

fn over_the_seeds(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() >= 8, "{target} has lost its seeds");
    for seed in seeds {
        run(&std::fs::read(seed).unwrap());
    }
}

#[test]
fn only_tokens_issued_by_the_api_are_accepted() {
    over_the_seeds("tokens", targets::tokens::run);
}

#[test]
fn any_bytes_are_a_request_or_a_400() {
    over_the_seeds("bodies", targets::bodies::run);
}

#[test]
fn a_client_cannot_choose_its_own_address() {
    over_the_seeds("forwarded", targets::forwarded::run);
}

#[test]
fn any_configuration_is_settings_or_problems_without_secrets() {
    over_the_seeds("configuration", targets::configuration::run);
}

#[test]
fn any_picture_is_encoded_again_or_refused() {
    over_the_seeds("pictures", targets::pictures::run);
}

#[test]
fn any_archive_fills_a_database_or_leaves_it_empty() {
    over_the_seeds("archives", targets::archives::run);
}

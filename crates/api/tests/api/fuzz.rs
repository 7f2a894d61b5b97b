//! What `scripts/fuzz` looks for, over its seeds: the same code, so that it is compiled and true between two hunts.

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
fn only_tokens_of_ours_are_accepted() {
    over_the_seeds("tokens", targets::tokens::run);
}

#[test]
fn any_bytes_are_a_request_or_a_400() {
    over_the_seeds("bodies", targets::bodies::run);
}

#[test]
fn nobody_chooses_their_own_address() {
    over_the_seeds("forwarded", targets::forwarded::run);
}

#[test]
fn any_configuration_is_settings_or_problems_without_secrets() {
    over_the_seeds("configuration", targets::configuration::run);
}

#[test]
fn any_picture_is_drawn_anew_or_refused() {
    over_the_seeds("pictures", targets::pictures::run);
}

#[test]
fn any_archive_fills_a_database_or_leaves_it_empty() {
    over_the_seeds("archives", targets::archives::run);
}

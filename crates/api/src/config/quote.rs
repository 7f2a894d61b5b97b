//! How much of a value a message repeats.
//!
//! People paste keys into the wrong field, write two settings into one line, and an address may contain a password. So a
//! message only shows a value that cannot be a secret, and otherwise names the variable, whose value its owner can look up.

use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;

/// The maximum length of a word or a number that is shown, characters.
const MAX_SHOWN: usize = 15;
/// A text of at most this many characters is never a secret.
const FEW: usize = 4;

/// A plain value in quotes; of any other value only the scheme, if it is a URL.
pub(super) fn quoted(value: &str) -> String {
    let scheme = value.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| is_word(scheme));
    match scheme {
        _ if is_plain(value) => format!("{value:?}"),
        Some(scheme) => format!("{scheme:?}…"),
        None => "its value".to_owned(),
    }
}

/// An entry of a list with its number, counted from 1.
pub(super) fn quoted_entry(number: usize, entry: &str) -> String {
    if is_plain(entry) { format!("{entry:?}") } else { format!("entry {number}") }
}

/// Whether a value cannot be a secret.
pub(crate) fn is_plain(value: &str) -> bool {
    let is_address = || value.parse::<IpAddr>().is_ok() || value.parse::<IpNet>().is_ok();
    value.chars().count() <= FEW || is_word(value) || is_number(value) || is_address()
}

/// Whether all letters are of one case, apart from the first: unlike a password.
fn is_word(value: &str) -> bool {
    let rest = value.as_bytes().get(1..).unwrap_or_default();
    let is_of_one_case = value.bytes().all(|byte| byte.is_ascii_uppercase()) || rest.iter().all(u8::is_ascii_lowercase);
    value.len() <= MAX_SHOWN && value.starts_with(|c: char| c.is_ascii_alphabetic()) && is_of_one_case
}

/// Whether it is a number, or looks like a mistyped address.
fn is_number(value: &str) -> bool {
    value.len() <= MAX_SHOWN && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.:/".contains(&byte))
}

/// A path, which is only useful as a whole, up to the first `=`.
pub fn shown_path(path: &Path) -> String {
    let path = path.display().to_string();
    path.split_once('=').map_or(path.clone(), |(beginning, _)| format!("{beginning}…"))
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_entry};

    #[test]
    fn a_value_that_cannot_be_a_secret_is_shown() {
        for value in [
            "verbose",
            "Cloudflare",
            "NONE",
            "*",
            "15m",
            "é9!x",
            "80000",
            "-1",
            "10.0.0",
            "10.0.0.0/33",
            "::1",
            "fd00::/8",
        ] {
            assert_eq!(quoted(value), format!("{value:?}"));
            assert_eq!(quoted_entry(2, value), format!("{value:?}"));
        }
    }

    #[test]
    fn no_other_value_is_shown() {
        for value in [
            "hunter2",
            "swordFish",
            "False SECRET_KEY: abcdefgh",
            "False\u{85}abcdefgh",
            "ada:secret@example.com",
            "a=bcdefgh",
            "correct-horse",
            "correct horse",
            "lantern.violet",
            "passwörtlich",
            "abcdefghijklmnop",
            "1234567890123456",
            "S3cr3t://example.com",
            "",
        ] {
            let shown = if value.is_empty() { "\"\"" } else { "its value" };
            assert_eq!(quoted(value), shown, "{value:?}");
        }
        assert_eq!(quoted("https://ada:secret@example.com/"), "\"https\"…");
        assert_eq!(quoted_entry(2, "https://ada:secret@example.com/"), "entry 2");
    }
}

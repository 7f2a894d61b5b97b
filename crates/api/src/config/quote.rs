//! What a message repeats of a value.
//!
//! People paste keys into the wrong field, write two settings into one line, and a password may stand in an address. So a message
//! shows what nobody would have for a secret, and otherwise names the variable, whose value its owner can look up.

use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;

/// Most characters of a word or a number.
const MOST: usize = 15;
/// So few are no secret, whatever they are.
const FEW: usize = 4;

/// A value in quotes, where it is plain; of another one the scheme, if it is a URL; of any other nothing.
pub(super) fn quoted(value: &str) -> String {
    let scheme = value.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| is_word(scheme));
    match scheme {
        _ if is_plain(value) => format!("{value:?}"),
        Some(scheme) => format!("{scheme:?}…"),
        None => "its value".to_owned(),
    }
}

/// An entry of a list, which has a number, from 1 on.
pub(super) fn quoted_entry((number, entry): (usize, &str)) -> String {
    if is_plain(entry) { format!("{entry:?}") } else { format!("entry {number}") }
}

/// Whether nobody would have this for a secret.
pub(crate) fn is_plain(value: &str) -> bool {
    let is_address = || value.parse::<IpAddr>().is_ok() || value.parse::<IpNet>().is_ok();
    value.chars().count() <= FEW || is_word(value) || is_number(value) || is_address()
}

/// Letters of one case, but perhaps for the first one: unlike a password's.
fn is_word(value: &str) -> bool {
    let rest = value.as_bytes().get(1..).unwrap_or_default();
    let is_of_one_case = value.bytes().all(|byte| byte.is_ascii_uppercase()) || rest.iter().all(u8::is_ascii_lowercase);
    value.len() <= MOST && value.starts_with(|c: char| c.is_ascii_alphabetic()) && is_of_one_case
}

/// A number, or what somebody took for an address.
fn is_number(value: &str) -> bool {
    value.len() <= MOST && value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.:/".contains(&byte))
}

/// The same of a path, which is needed as a whole.
pub fn shown_path(path: &Path) -> String {
    let path = path.display().to_string();
    path.split_once('=').map_or(path.clone(), |(beginning, _)| format!("{beginning}…"))
}

#[cfg(test)]
mod tests {
    use super::{quoted, quoted_entry};

    #[test]
    fn what_nobody_would_have_for_a_secret_is_shown() {
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
            assert_eq!(quoted_entry((2, value)), format!("{value:?}"));
        }
    }

    #[test]
    fn nothing_else_is_shown() {
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
        assert_eq!(quoted_entry((2, "https://ada:secret@example.com/")), "entry 2");
    }
}

//! What a message repeats of a value.

use std::path::Path;

/// Most characters of it.
const MOST: usize = 40;

/// The beginning of a value, in quotes. Two settings in one line are one value to us, a password may stand in a URL, and people
/// paste keys into the wrong field: nothing from the first `=`, or colon and blank, on is shown, nothing but the scheme of what
/// has an `@`, and no long value as a whole.
#[must_use]
pub fn quoted(value: &str) -> String {
    let end = ["=", ": "].iter().filter_map(|sign| value.find(sign)).min().unwrap_or(value.len());
    let end = if value.contains('@') { end.min(value.find("://").unwrap_or(0)) } else { end };
    let shown: String = value[..end].chars().take(MOST).collect();
    let rest = if shown.len() < value.len() { "…" } else { "" };
    format!("{shown:?}{rest}")
}

/// The same of a path, which is needed as a whole.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    let path = path.display().to_string();
    path.split_once('=').map_or(path.clone(), |(beginning, _)| format!("{beginning}…"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_more_is_repeated_than_is_safe() {
        for (value, shown) in [
            ("verbose", "\"verbose\""),
            ("False\rSECRET_KEY=abcdefgh", "\"False\\rSECRET_KEY\"…"),
            ("8000 SECRET_KEY=abcdefgh", "\"8000 SECRET_KEY\"…"),
            ("https://ada:secret@example.com/", "\"https\"…"),
            ("ada:secret@example.com", "\"\"…"),
            ("False SECRET_KEY: abcdefgh", "\"False SECRET_KEY\"…"),
            ("=abc", "\"\"…"),
            ("ä=b", "\"ä\"…"),
        ] {
            assert_eq!(quoted(value), shown);
        }
        let (long, shown) = ("é".repeat(41), "é".repeat(40));
        assert_eq!(quoted(&long), format!("{shown:?}…"));
        assert_eq!(quoted(&shown), format!("{shown:?}"));
    }
}

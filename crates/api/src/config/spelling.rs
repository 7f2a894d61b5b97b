//! Finds misspelt names of variables.

use super::row::VariableRow;
use super::table::{is_known, variables};

/// The known name that `name` resembles; `None` if it is known itself, or resembles none.
pub(super) fn meant_by(name: &str) -> Option<&'static str> {
    if is_known(name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let is_cut_short = |known: &str| upper.len() > 6 && upper.contains('_') && known.starts_with(&upper);
    variables()
        .flat_map(VariableRow::names)
        .find(|known| edits(&upper, known) <= tolerated(known) || is_cut_short(known))
}

/// How many letters may differ: a short name resembles too many others.
const fn tolerated(name: &str) -> usize {
    if name.len() < 8 { 1 } else { 2 }
}

/// How many letters must be inserted, deleted or replaced to turn one text into the other (Levenshtein distance).
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_recognised() {
        for (name, meant) in [
            ("SECRET_KEYS", "SECRET_KEY"),
            ("secret_key", "SECRET_KEY"),
            ("DJANGO_SECRETKEY", "DJANGO_SECRET_KEY"),
            ("SECRET_KEY_FALLBACK", "SECRET_KEY_FALLBACKS"),
            ("CORS_ALLOWED_ORIGIN", "CORS_ALLOWED_ORIGINS"),
            ("CORS_ALOWED_ORIGINS", "CORS_ALLOWED_ORIGINS"),
            ("DB_PASS", "DB_PASSWORD"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("AWS_STORAGE_BUCKET", "AWS_STORAGE_BUCKET_NAME"),
            ("TRUSTED_PROXY_HOP", "TRUSTED_PROXY_HOPS"),
            ("TRUSTED_PROXYS", "TRUSTED_PROXIES"),
            ("REDIS_URI", "REDIS_URL"),
        ] {
            assert_eq!(meant_by(name), Some(meant), "{name}");
        }
    }

    #[test]
    fn variables_of_other_programs_are_not_misspelt() {
        for name in [
            "PATH",
            "HOME",
            "HOSTNAME",
            "USER",
            "PWD",
            "SHELL",
            "TERM",
            "LANG",
            "PASSWORD",
            "NODE_ENV",
            "NODE_VERSION",
            "PGHOST",
            "PGPASSWORD",
            "AWS_REGION",
            "AWS_SESSION_TOKEN",
            "RENDER_SERVICE_ID",
            "RUST_BACKTRACE",
            "DATABASE_URL_POOLED",
            "DJANGO_SETTINGS_MODULE",
            "SSL_CERT_FILE",
        ] {
            assert_eq!(meant_by(name), None, "{name}");
        }
        let all = || variables().flat_map(VariableRow::names);
        assert!(all().all(|name| meant_by(name).is_none()));
    }
}

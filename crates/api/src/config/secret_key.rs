//! Secrets that sign by HMAC: the current one and older ones.

use super::declare::variables;
use super::paths;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, text};
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

variables! {
    SECRET_KEY: Optional<String> = text(
        doc(
            "Signs the tokens; `api generate-secret` makes one. Required in production, at least 32 bytes, and not a published \
             example. In development one is generated and kept in `data/secret_key`. A PEM or JSON key is refused.",
        )
        .secret()
        .aliases(&["DJANGO_SECRET_KEY"]),
    );
    SECRET_KEY_FALLBACKS: Optional<String> = text(
        doc("Further keys that verify and do not sign: older ones, or one that is about to sign, so that a new key signs nobody out. Each as `SECRET_KEY`.").secret(),
    );
}

/// The minimum length of a key in production, bytes: the output size of HS256 (RFC 7518, section 3.2).
const MIN_BYTES: usize = 32;
/// The minimum number of distinct characters in a generated key, which has 64 characters of 64 kinds.
const MIN_DISTINCT: usize = 10;
/// The Django guide's placeholder for the key; anyone who has read that guide could sign tokens.
const PLACEHOLDER: &str = "your-super-secret-key-here-make-it-long-and-random";
/// The file of the development key, which is kept so that a restart signs no one out.
pub(super) const DEVELOPMENT_KEY: &str = "data/secret_key";

pub(super) fn read(reader: &mut SettingsReader) -> SecretString {
    match reader.find_named(&SECRET_KEY) {
        Some((name, value)) => {
            check(reader, name, &value);
            value.into()
        }
        None if reader.is_production() => {
            reader.problem(SECRET_KEY.name(), "is missing; make one with `api generate-secret`");
            SecretString::default()
        }
        None if !reader.may_keep_files() => generate().unwrap_or_default(),
        None => development_key(reader),
    }
}

pub(super) fn read_fallbacks(reader: &mut SettingsReader) -> Vec<SecretString> {
    let fallbacks = reader.find(&SECRET_KEY_FALLBACKS).unwrap_or_default();
    let fallbacks: Vec<_> = fallbacks.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    for key in &fallbacks {
        check(reader, SECRET_KEY_FALLBACKS.name(), key);
    }
    fallbacks.into_iter().map(SecretString::from).collect()
}

fn check(reader: &mut SettingsReader, name: &str, value: &str) {
    if reader.is_production() && value.len() < MIN_BYTES {
        let problem = format!("has {} bytes, fewer than {MIN_BYTES}; make one with `api generate-secret`", value.len());
        reader.problem(name, problem);
    }
    if reader.is_production() && value == PLACEHOLDER {
        reader.problem(name, "is a published example, which everyone knows; make one with `api generate-secret`");
    }
    if value.contains("-----BEGIN") || value.starts_with('{') {
        reader.problem(name, "holds a PEM or JSON key, whose public half anyone may know; use a random text");
    }
}

/// A new random key: 48 bytes from the operating system, as text.
pub fn generate() -> std::io::Result<SecretString> {
    let mut bytes = [0; 48];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other("the system gives no random bytes"))?;
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(bytes)))
}

fn development_key(reader: &mut SettingsReader) -> SecretString {
    read_or_create(Path::new(DEVELOPMENT_KEY)).unwrap_or_else(|error| {
        let problem = format_args!("cannot keep one in {DEVELOPMENT_KEY}: {error}; set SECRET_KEY");
        reader.problem(SECRET_KEY.name(), problem);
        SecretString::default()
    })
}

/// Two processes that start at once agree on one key: only one of them creates the file.
fn read_or_create(path: &Path) -> std::io::Result<SecretString> {
    if paths::is_dangling(path) {
        return Err(std::io::Error::new(ErrorKind::NotFound, format!("it {}", paths::DANGLING)));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if !path.exists() {
        let draft = path.with_extension(format!("{}.new", uuid::Uuid::new_v4().simple()));
        std::fs::write(&draft, generate()?.expose_secret())?;
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let kept = std::fs::read_to_string(path)?.trim().to_owned();
    if kept.len() < MIN_BYTES {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "the file is too short; delete it"));
    }
    if is_damaged(&kept) {
        return Err(std::io::Error::new(ErrorKind::InvalidData, "the file has no random text; delete it"));
    }
    Ok(kept.into())
}

/// Whether a file has lost its content, as after a crash of the machine, which leaves NUL bytes of the right length.
fn is_damaged(kept: &str) -> bool {
    let distinct: HashSet<_> = kept.chars().collect();
    distinct.len() < MIN_DISTINCT || kept.contains(|c: char| c.is_control())
}

#[cfg(test)]
mod tests {
    use super::read_or_create;
    use secrecy::ExposeSecret;

    #[test]
    fn a_key_is_made_once_and_a_file_that_lost_it_is_refused() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let path = folder.path().join("data/secret_key");
        let read =
            || read_or_create(&path).map(|key| key.expose_secret().to_owned()).map_err(|error| error.to_string());
        let made = read();
        assert!(made.is_ok() && made == read());
        let nul_inside = format!("{}\0", "0123456789abcdef".repeat(3));
        for (lost, why) in [
            (String::new(), "too short"),
            ("\0".repeat(40), "no random text"),
            ("x".repeat(64), "no random text"),
            ("abc".repeat(20), "no random text"),
            (nul_inside, "no random text"),
        ] {
            std::fs::write(&path, &lost).unwrap_or_else(|error| panic!("{error}"));
            assert!(read().is_err_and(|error| error.contains(why)), "{lost:?}");
        }
    }
}

//! A key pair of age, which encrypts backups.

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use std::path::Path;

/// Writes a new private key into the file, as `age-keygen` does, and returns its public half.
pub fn write_backup_key(file: &Path) -> Recipient {
    let key = Identity::generate();
    std::fs::write(file, format!("# a comment\n{}\n", key.to_string().expose_secret())).unwrap();
    key.to_public()
}

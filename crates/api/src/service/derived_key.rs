//! Keys that are made of `SECRET_KEY`.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// The key of one purpose: what is hashed with it is never a signature elsewhere.
pub(super) fn derived_key(secret: &SecretString, purpose: &[u8]) -> hmac::Key {
    let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose).as_ref())
}

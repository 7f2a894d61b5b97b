//! Keys derived from `SECRET_KEY`.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// The key for one purpose: a hash made with it is not valid for any other purpose.
pub(super) fn derived_key(secret: &SecretString, purpose: &[u8]) -> hmac::Key {
    let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose).as_ref())
}

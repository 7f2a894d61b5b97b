//! Digests of secrets that are random and long enough to be compared without a password's encoding: tokens of links, keys of
//! repeated requests.

use aws_lc_rs::{constant_time, digest};

/// SHA-256 of a secret that is only ever compared.
pub fn digest_of(secret: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, secret).as_ref().to_vec()
}

/// Compares two digests in constant time.
pub fn same_digest(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

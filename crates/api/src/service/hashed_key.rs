//! Keys of what processes count or lease together.

use crate::config::KeySettings;
use crate::service::derived_key;
use aws_lc_rs::hmac;

/// A keyed hash of what is counted or leased, and of the name for which. So neither memory nor Redis stores a name, and an attacker
/// can't choose which shard a key falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::service) struct HashedKey(pub(in crate::service) [u8; 16]);

impl HashedKey {
    pub(in crate::service) fn in_redis(self) -> String {
        format!("latchkey:limits:{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Makes the keys of this deployment.
#[derive(Debug, Clone)]
pub struct KeyHasher(hmac::Key);

impl KeyHasher {
    pub fn of(keys: &KeySettings) -> Self {
        Self(derived_key(&keys.secret_key, b"latchkey limits"))
    }

    pub(in crate::service) fn key(&self, what: &str, name: &str) -> HashedKey {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(what.as_bytes());
        context.update(b"\0");
        context.update(name.as_bytes());
        let mut key = HashedKey([0; 16]);
        key.0.copy_from_slice(&context.sign().as_ref()[..16]);
        key
    }
}

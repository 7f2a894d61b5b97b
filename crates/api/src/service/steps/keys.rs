//! The fingerprints that identify a request, and their keys.

use crate::config::KeySettings;
use crate::service::{CurrentUser, derived_key};
use aws_lc_rs::hmac;
use serde::Serialize;
use std::fmt;

/// Separates the derived key from the secret's other uses.
const PURPOSE: &[u8] = b"latchkey completed steps";

/// What is done at most once. The variant's name is part of the fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StepKind {
    SignUp,
    EmailVerification,
    EmailChange,
    PasswordReset,
    PasswordChange,
    AccountDeletion,
}

/// The HMAC keys of the fingerprints: that of the current secret, then those of the fallbacks.
pub struct StepKeys(Vec<hmac::Key>);

impl StepKeys {
    pub fn new(settings: &KeySettings) -> Self {
        let secrets = std::iter::once(&settings.secret_key).chain(&settings.fallbacks);
        Self(secrets.map(|secret| derived_key(secret, PURPOSE)).collect())
    }

    /// A request of `caller`, if it has one, with the value of its `Idempotency-Key`, if it has that.
    pub fn fingerprinted<R: Serialize>(
        &self,
        kind: StepKind,
        caller: Option<CurrentUser>,
        idempotency_key: Option<&[u8]>,
        request: R,
    ) -> FingerprintedRequest<R> {
        let caller = caller.map(|caller| (caller.id, caller.session));
        let identity = idempotency_key.and_then(|key| serde_json::to_vec(&(kind, caller, key, &request)).ok());
        let fingerprints =
            identity.map(|identity| self.0.iter().map(|hmac_key| Fingerprint::of(&identity, hmac_key)).collect());
        FingerprintedRequest { request, step: StepFingerprints { fingerprints: fingerprints.unwrap_or_default() } }
    }
}

impl fmt::Debug for StepKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepKeys").finish_non_exhaustive()
    }
}

/// A request, and the fingerprints by which a repetition is recognized.
pub struct FingerprintedRequest<R> {
    pub request: R,
    pub(in crate::service) step: StepFingerprints,
}

impl<R> fmt::Debug for FingerprintedRequest<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FingerprintedRequest").finish_non_exhaustive()
    }
}

/// The fingerprints of a request, that of the current secret first; none if it has no `Idempotency-Key`. What is
/// done with them is in `once`, which uses the services, as these use [`StepKeys`].
#[derive(Clone)]
pub(in crate::service) struct StepFingerprints {
    pub(super) fingerprints: Vec<Fingerprint>,
}

#[derive(Clone)]
pub(super) struct Fingerprint {
    pub(super) hash: Vec<u8>,
    /// The bytes of a sign-up's browser secret.
    pub(super) browser_secret: Vec<u8>,
}

impl Fingerprint {
    fn of(identity: &[u8], hmac_key: &hmac::Key) -> Self {
        let hash = hmac::sign(hmac_key, identity).as_ref().to_vec();
        let browser_secret = hmac::sign(hmac_key, &[b"registration".as_slice(), &hash].concat()).as_ref().to_vec();
        Self { hash, browser_secret }
    }
}

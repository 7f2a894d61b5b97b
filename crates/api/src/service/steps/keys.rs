//! The fingerprints that identify a request.

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

/// Makes the fingerprints: the key of the current secret, then those of the fallbacks.
pub struct StepKeys(Vec<hmac::Key>);

impl StepKeys {
    pub fn new(settings: &KeySettings) -> Self {
        let secrets = std::iter::once(&settings.secret_key).chain(&settings.fallbacks);
        Self(secrets.map(|secret| derived_key(secret, PURPOSE)).collect())
    }

    /// A request of `caller`, if it has one, that carries `key`.
    pub fn repeatable<R: Serialize>(
        &self,
        kind: StepKind,
        caller: Option<CurrentUser>,
        key: Option<&[u8]>,
        request: R,
    ) -> Repeatable<R> {
        let caller = caller.map(|caller| (caller.id, caller.session));
        let whole = key.and_then(|key| serde_json::to_vec(&(kind, caller, key, &request)).ok());
        let fingerprints = whole.map(|whole| self.0.iter().map(|key| Fingerprint::of(&whole, key)).collect());
        Repeatable { request, step: IdempotentStep { fingerprints: fingerprints.unwrap_or_default() } }
    }
}

impl fmt::Debug for StepKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepKeys").finish_non_exhaustive()
    }
}

/// A request, and the fingerprints by which a repetition is recognized.
pub struct Repeatable<R> {
    pub request: R,
    pub(in crate::service) step: IdempotentStep,
}

impl<R> fmt::Debug for Repeatable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeatable").finish_non_exhaustive()
    }
}

/// The fingerprints of a request, that of the current secret first; none if it carries no key.
#[derive(Clone)]
pub(in crate::service) struct IdempotentStep {
    pub(super) fingerprints: Vec<Fingerprint>,
}

#[derive(Clone)]
pub(super) struct Fingerprint {
    pub(super) hash: Vec<u8>,
    /// The hash from which a sign-up's browser secret is made.
    pub(super) registration: Vec<u8>,
}

impl Fingerprint {
    fn of(whole: &[u8], key: &hmac::Key) -> Self {
        let hash = hmac::sign(key, whole).as_ref().to_vec();
        let registration = hmac::sign(key, &[b"registration".as_slice(), &hash].concat()).as_ref().to_vec();
        Self { hash, registration }
    }
}

//! Idempotent steps: the work is done once, and a client that lost the response gets it again.
//!
//! A request that carries an `Idempotency-Key` is identified by its **fingerprint**: a keyed hash of the step's kind, the caller,
//! the key and the whole body. The transaction that does the work inserts the fingerprint. For [`REPEAT_WINDOW`] the same request gets
//! the same response, and does nothing; a request that differs in anything has another fingerprint and is processed normally. While
//! `SECRET_KEY` is being rotated, processes have the same secrets in a different order: the inserted fingerprint is that of the
//! current secret, and the lookup uses those of all secrets.
//!
//! No part of a response is stored. Tokens are made again from the session's row, as in a refresh, and only until they have
//! been used; a sign-up's browser secret is derived from the fingerprint.

mod caller;
mod keys;
mod once;

pub use caller::{StepCaller, StepTokenNotValid};
pub(super) use keys::StepFingerprints;
pub use keys::{FingerprintedRequest, StepKeys, StepKind};
pub use once::REPEAT_WINDOW;
pub(super) use once::{RepeatRecord, StepResult};

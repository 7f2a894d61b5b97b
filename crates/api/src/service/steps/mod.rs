//! Steps that can be repeated: what was done is done once, and whoever lost the response gets it again.
//!
//! A request that carries an `Idempotency-Key` is known by its **mark**: a keyed hash of the route, the caller's session, the
//! key and the whole body. The transaction that does the work inserts the mark. For [`REPEATABLE`] the same request gets the
//! same response, and does nothing; a request that differs in anything has another mark and is an ordinary one. While
//! `SECRET_KEY` is being changed, processes have the same secrets in another order: the mark that is inserted is the current
//! secret's, and those of all of them are looked up.
//!
//! Nothing of a response is stored. Tokens are made again of the session's row, as a refresh does it, and only until they
//! have been used; the secret that a sign-up gives to its browser is a function of the mark.

mod caller;
mod keys;
mod once;

pub use caller::RepeatingUser;
pub(super) use keys::IdempotentStep;
pub use keys::{Repeatable, StepKeys, StepKind};
pub use once::REPEATABLE;
pub(super) use once::StepResult;

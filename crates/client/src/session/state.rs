//! What the pages know of the session.

use crate::policy::{Epoch, SignOutReason};
use auth_types::responses::VerifyNotice;

/// Whether someone is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInState {
    /// Nobody has looked yet; show nothing that needs an answer.
    Unknown,
    /// Yes; the epoch tells one sign-in from the next.
    SignedIn(Epoch),
    /// No.
    SignedOut(SignOutReason),
}

/// What a registration led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationResult {
    /// The new user is signed in.
    SignedIn,
    /// A link in a mail must be opened first.
    ConfirmEmail,
}

/// What the confirmation of an address led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailConfirmation {
    /// This browser signed up, and is signed in now.
    pub signed_in: bool,
    /// What did not go as asked.
    pub notice: Option<VerifyNotice>,
}

//! The state of the session that pages see.

use crate::policy::{Epoch, SignOutReason};
use auth_types::responses::VerifyNotice;

/// Whether someone is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInState {
    /// Storage has not been read yet; show nothing that depends on it.
    Unknown,
    /// Yes; the epoch distinguishes one sign-in from the next.
    SignedIn(Epoch),
    /// No.
    SignedOut(SignOutReason),
}

/// What a sign-up led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUpResult {
    /// The new user is signed in.
    SignedIn,
    /// The link in a mail must be opened first.
    ConfirmEmail,
}

/// What the confirmation of an address led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailConfirmation {
    /// This browser signed up, and is signed in now.
    pub signed_in: bool,
    /// What could not be done as requested.
    pub notice: Option<VerifyNotice>,
}

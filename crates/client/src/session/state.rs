//! The state of the session that pages see.

use crate::policy::{Epoch, SignOutReason};

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

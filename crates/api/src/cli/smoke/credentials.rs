//! The account and credentials of a run.

use secrecy::SecretString;

/// The account of a run.
#[derive(Debug)]
pub enum SmokeAccount {
    /// An existing one, which is kept.
    Given(SmokeCredentials),
    /// One that is created with this address and deleted again; without one, with an address that no one owns.
    New(Option<String>),
}

/// The credentials of a sign-in.
#[derive(Debug, Clone)]
pub struct SmokeCredentials {
    pub email: String,
    pub password: SecretString,
}

/// The state of the sign-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SignUp {
    /// Not requested, or refused: the run has no account.
    #[default]
    Refused,
    /// Requested without a response: the account may exist.
    NoResponse,
    Made,
}

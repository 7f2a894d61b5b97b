//! As whom a run signs in.

use secrecy::SecretString;

/// The account of a run.
#[derive(Debug)]
pub enum SmokeAccount {
    /// One that is there, and stays.
    Given(SmokeCredentials),
    /// One that is made with this address and deleted again; without one, with an address that is nobody's.
    New(Option<String>),
}

/// What a sign-in takes.
#[derive(Debug, Clone)]
pub struct SmokeCredentials {
    pub email: String,
    pub password: SecretString,
}

/// What is known of the sign-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SignUp {
    /// Not asked for, or not granted: there is no account of ours.
    #[default]
    Refused,
    /// Asked for; the account may be there.
    Unanswered,
    Made,
}

//! Who gets an account, and how.

use super::declare::{settings, variables};
use super::row::says;
use super::variable::{Variable, word};
use auth_types::responses::{EmailVerification, Registration};

variables! {
    REGISTRATION: Variable<Registration> = word(
        &[("open", Registration::Open), ("closed", Registration::Closed)],
        says("Whether anybody may sign up. `closed`: accounts are made by `api create-user`."),
    );
    EMAIL_VERIFICATION: Variable<EmailVerification> = word(
        &[("optional", EmailVerification::Optional), ("mandatory", EmailVerification::Mandatory)],
        says(
            "Whether an address must be confirmed. `mandatory`: a sign-up becomes an account when its mailed link is opened. \
             Accounts of before that are not confirmed must be confirmed before the next sign-in.",
        ),
    );
}

settings! {
    /// Who gets an account, and how.
    pub struct AccountSettings {
        pub registration: Registration = REGISTRATION,
        pub email_verification: EmailVerification = EMAIL_VERIFICATION,
    }
}

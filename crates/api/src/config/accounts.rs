//! Registration and the confirmation of email addresses.

use super::declare::{settings, variables};
use super::row::doc;
use super::variable::{Variable, word};
use auth_types::responses::{EmailVerification, Registration};

variables! {
    REGISTRATION: Variable<Registration> = word(
        &[("open", Registration::Open), ("closed", Registration::Closed)],
        doc("Whether anyone may sign up. `closed`: accounts are created with `api create-user`."),
    );
    EMAIL_VERIFICATION: Variable<EmailVerification> = word(
        &[("optional", EmailVerification::Optional), ("mandatory", EmailVerification::Mandatory)],
        doc(
            "Whether an address must be confirmed. `mandatory`: a sign-up becomes an account when its mailed link is opened. \
             Older accounts whose address is not confirmed must confirm it before the next sign-in.",
        ),
    );
}

settings! {
    /// Registration and the confirmation of email addresses.
    pub struct AccountSettings {
        pub registration: Registration = REGISTRATION,
        pub email_verification: EmailVerification = EMAIL_VERIFICATION,
    }
}

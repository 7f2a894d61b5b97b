//! Descriptions of account events, for the account's owner.

use auth_types::EventKind;

/// A short line about an event.
pub const fn event_description(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Registered => "Account created",
        EventKind::RegisterRepeated => "Someone tried to create another account with your email",
        EventKind::LoggedIn => "Signed in",
        EventKind::LoginFailed => "A sign-in failed",
        EventKind::LoggedOut => "Signed out",
        EventKind::LoggedOutEverywhere => "Signed out everywhere",
        EventKind::SessionRevoked => "Another device was signed out",
        EventKind::RefreshReused => "A device was signed out, because its session was used from two places",
        EventKind::GenerationAhead => "A device was signed out, because its session was newer than our records",
        EventKind::ProfileChanged => "The profile was changed",
        EventKind::PasswordChanged => "The password was changed",
        EventKind::PasswordResetRequested => "A mail to reset the password was requested",
        EventKind::PasswordReset => "The password was reset by a mailed link",
        EventKind::ReauthenticationFailed => "A wrong password was entered while signed in",
        EventKind::EmailVerified => "The email was confirmed",
        EventKind::EmailChangeRequested => "A change of email was requested",
        EventKind::EmailChanged => "The email was changed",
        EventKind::MailFailed => "A mail to you could not be sent",
        EventKind::DataExported => "Your data was downloaded",
        EventKind::AccountDeleted => "The account was deleted",
        EventKind::Feature => "A feature of the service recorded an event",
        EventKind::Restored => "The service was restored from a backup",
        EventKind::Unknown => "An event that this page does not know yet",
    }
}

#[cfg(test)]
mod tests {
    use super::event_description;
    use auth_types::EventKind;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_events_have_the_same_description() {
        let descriptions: BTreeSet<_> = EventKind::ALL.iter().copied().map(event_description).collect();
        assert_eq!(descriptions.len(), EventKind::ALL.len());
    }
}

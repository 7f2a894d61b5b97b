//! What happened to an account, in words for its owner.

use auth_types::EventKind;

/// A short line.
pub const fn event_description(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Registered => "Account created",
        EventKind::RegisterRepeated => "Somebody wanted another account with your email",
        EventKind::LoggedIn => "Signed in",
        EventKind::LoginFailed => "A sign-in failed",
        EventKind::LoggedOut => "Signed out",
        EventKind::LoggedOutEverywhere => "Signed out everywhere",
        EventKind::SessionRevoked => "Another device was signed out",
        EventKind::RefreshReused => "A device was signed out, because its session was used from two places",
        EventKind::GenerationAhead => "A device was signed out, because we had lost track of it",
        EventKind::ProfileChanged => "The profile was changed",
        EventKind::PasswordChanged => "The password was changed",
        EventKind::PasswordResetRequested => "A mail to reset the password was asked for",
        EventKind::PasswordReset => "The password was reset by a mailed link",
        EventKind::ReauthenticationFailed => "A wrong password was entered by somebody signed in",
        EventKind::EmailVerified => "The email was confirmed",
        EventKind::EmailChangeRequested => "Another email was asked for",
        EventKind::EmailChanged => "The email was changed",
        EventKind::MailFailed => "A mail to you could not be sent",
        EventKind::DataExported => "Your data was downloaded",
        EventKind::AccountDeleted => "The account was deleted",
        EventKind::Feature => "Something was done with what is stored",
        EventKind::Restored => "The service was restored from a backup",
        EventKind::Unknown => "Something that this page does not know yet",
    }
}

#[cfg(test)]
mod tests {
    use super::event_description;
    use auth_types::EventKind;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_events_are_told_alike() {
        let words: BTreeSet<_> = EventKind::ALL.iter().copied().map(event_description).collect();
        assert_eq!(words.len(), EventKind::ALL.len());
    }
}

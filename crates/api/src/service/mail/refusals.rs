//! Whether a mail server that takes us as a sender refuses all mails, or some.
//!
//! From `RCPT` on a refusal may be about the recipient or about us, whatever the server says: relays look up mailboxes and
//! filter content, and anybody can ask for a mail to an address that is refused. When mails to two domains were refused and
//! none was taken in between, it is probably about us.

use parking_lot::Mutex;

/// The refusals since a mail was taken.
#[derive(Debug, Default)]
pub(super) struct MailRefusals(Mutex<Refused>);

#[derive(Debug, Default, PartialEq, Eq)]
enum Refused {
    #[default]
    None,
    /// Mails to this domain alone.
    To(String),
    /// Mails to different domains.
    ToSeveral,
}

impl MailRefusals {
    /// A mail to this domain was refused.
    pub(super) fn add(&self, domain: String) {
        let mut refused = self.0.lock();
        *refused = match std::mem::take(&mut *refused) {
            Refused::None => Refused::To(domain),
            Refused::To(same) if same == domain => Refused::To(domain),
            Refused::To(_) | Refused::ToSeveral => Refused::ToSeveral,
        };
    }

    /// A mail was taken, or nobody waits any more.
    pub(super) fn forget(&self) {
        *self.0.lock() = Refused::None;
    }

    pub(super) fn are_to_several(&self) -> bool {
        *self.0.lock() == Refused::ToSeveral
    }
}

#[cfg(test)]
mod tests {
    use super::MailRefusals;

    #[test]
    fn only_different_domains_with_nothing_taken_in_between_count() {
        let refusals = MailRefusals::default();
        let add = |domain: &str| {
            refusals.add(domain.to_owned());
            refusals.are_to_several()
        };
        assert!(!add("one.example"));
        assert!(!add("one.example"));
        refusals.forget();
        assert!(!add("two.example"));
        assert!(add("one.example"));
        assert!(add("one.example"));
        refusals.forget();
        assert!(!refusals.are_to_several());
    }
}

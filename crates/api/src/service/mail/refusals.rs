//! Whether a mail server that accepts us as a sender refuses all mails, or only some.
//!
//! From `RCPT` on, a refusal may be about the recipient or about us, regardless of its text: relays look up mailboxes and filter
//! content, and anyone can request a mail to an address that is refused. If mails to two domains were refused and none was
//! accepted in between, the refusals are probably about us.

use parking_lot::Mutex;

/// The refusals since a mail was last accepted.
#[derive(Debug, Default)]
pub(super) struct MailRefusals(Mutex<Refused>);

#[derive(Debug, Default, PartialEq, Eq)]
enum Refused {
    #[default]
    None,
    /// Mails to this domain only.
    To(String),
    /// Mails to different domains.
    ToSeveral,
}

impl MailRefusals {
    /// Records that a mail to this domain was refused.
    pub(super) fn add(&self, domain: String) {
        let mut refused = self.0.lock();
        *refused = match std::mem::take(&mut *refused) {
            Refused::None => Refused::To(domain),
            Refused::To(same) if same == domain => Refused::To(domain),
            Refused::To(_) | Refused::ToSeveral => Refused::ToSeveral,
        };
    }

    /// Called when a mail was accepted, or no mail is waiting any more.
    pub(super) fn clear(&self) {
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
    fn only_different_domains_without_an_accepted_mail_in_between_count() {
        let refusals = MailRefusals::default();
        let add = |domain: &str| {
            refusals.add(domain.to_owned());
            refusals.are_to_several()
        };
        assert!(!add("one.example"));
        assert!(!add("one.example"));
        refusals.clear();
        assert!(!add("two.example"));
        assert!(add("one.example"));
        assert!(add("one.example"));
        refusals.clear();
        assert!(!refusals.are_to_several());
    }
}

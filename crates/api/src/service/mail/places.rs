//! Who has the places where mails are sent at the same time.
//!
//! A recipient's mail server can make ours slow, and keep a place for as long as a mail may take. So a domain gets at
//! most half as many places as are free, and its own subdomains count as the domain: whoever has a slow one holds up their
//! own mail, and any other domain finds a place.

use crate::names;
use crate::store::mail_outbox::Due;

/// Mails that a process sends at once. Each has a connection of its own.
pub(super) const PLACES: usize = 16;
/// How many of them one requester's mails may have, whatever the domains: somebody may have many slow ones.
const PER_REQUESTER: usize = PLACES - PLACES / 4;

/// What a mail's places are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    domain: String,
    requester: Option<String>,
}

impl Holder {
    pub(super) fn of(recipient: &str, requester: Option<&str>) -> Self {
        Self { domain: domain_of(recipient), requester: requester.map(str::to_owned) }
    }
}

/// The domain that whoever owns an address's host owns.
pub(super) fn domain_of(recipient: &str) -> String {
    let mailable = names::mailable_email(recipient).unwrap_or_else(|_| recipient.to_owned());
    let host = mailable.rsplit_once('@').map_or(mailable.as_str(), |(_, host)| host);
    psl::domain_str(host).unwrap_or(host).to_owned()
}

/// The places that are taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    holders: Vec<Holder>,
}

impl Places {
    pub(super) fn free(&self) -> usize {
        PLACES.saturating_sub(self.holders.len())
    }

    /// Takes a place for this mail, if its domain and its requester have one left.
    pub(super) fn take(&mut self, mail: &Due) -> bool {
        let holder = Holder::of(&mail.recipient, mail.requester.as_deref());
        let is_full = self.is_full(&holder.domain) || self.has_share(&holder);
        if !is_full {
            self.holders.push(holder);
        }
        !is_full
    }

    pub(super) fn release(&mut self, holder: &Holder) {
        if let Some(index) = self.holders.iter().position(|taken| taken == holder) {
            self.holders.swap_remove(index);
        }
    }

    /// The domains that get no further place now, each once.
    pub(super) fn full_domains(&self) -> Vec<String> {
        let mut domains: Vec<_> = self.holders.iter().map(|holder| holder.domain.clone()).collect();
        domains.sort_unstable();
        domains.dedup();
        domains.retain(|domain| self.is_full(domain));
        domains
    }

    fn is_full(&self, domain: &str) -> bool {
        let taken = self.holders.iter().filter(|holder| holder.domain == domain).count();
        2 * taken >= self.free()
    }

    fn has_share(&self, holder: &Holder) -> bool {
        let same = |taken: &&Holder| holder.requester.is_some() && taken.requester == holder.requester;
        self.holders.iter().filter(same).count() >= PER_REQUESTER
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, Holder, PER_REQUESTER, PLACES, Places};

    fn mail(recipient: &str, requester: Option<&str>) -> Due {
        let (turn_at, requester) = (chrono::DateTime::UNIX_EPOCH, requester.map(str::to_owned));
        Due { id: 1, turn_at, attempts: 0, recipient: recipient.to_owned(), requester }
    }

    #[test]
    fn a_slow_domain_leaves_most_places_free_and_its_subdomains_count_with_it() {
        let mut places = Places::default();
        let taken = (0..100).filter(|number| places.take(&mail(&format!("a@mx{number}.slow.EXAMPLE.com"), None)));
        assert_eq!(taken.count(), 6);
        assert_eq!(places.full_domains(), ["example.com"]);
        assert!(places.take(&mail("ada@example.org", None)));
    }

    #[test]
    fn a_domain_without_a_place_gets_one_as_long_as_one_is_free() {
        let mut places = Places::default();
        for number in 0..PLACES {
            assert!(places.take(&mail(&format!("a@slow{number}.com"), None)), "{number}");
        }
        assert!(!places.take(&mail("ada@example.org", None)));
        places.release(&Holder::of("a@slow0.com", None));
        assert!(places.take(&mail("ada@example.org", None)));
    }

    #[test]
    fn one_requester_with_many_slow_domains_leaves_places_to_others() {
        let mut places = Places::default();
        let taken = (0..100).filter(|number| places.take(&mail(&format!("a@slow{number}.com"), Some("203.0.113.9"))));
        assert_eq!(taken.count(), PER_REQUESTER);
        assert!(places.take(&mail("ada@example.org", Some("198.51.100.7"))));
        assert!(places.take(&mail("eve@example.net", None)));
    }
}

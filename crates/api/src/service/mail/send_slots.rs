//! The slots in which mails are sent at the same time.
//!
//! A slow server of a recipient can occupy a slot for as long as a mail may take. So a domain, together with
//! its subdomains, gets at most half as many slots as are free: a slow domain delays its own mail, and every other domain finds a
//! slot. One requester may own many slow domains, so the last slots are for requesters that have no mail in progress.

use crate::names;
use crate::store::mail_outbox::{DueFilter, DueMail};
use std::net::Ipv6Addr;

/// How many mails a process sends at once, each over its own connection.
pub(super) const SLOTS: usize = 16;
/// How many of the slots are reserved for mails that are attempted for the first time and whose requester has no other mail in
/// progress. Neither a few requesters with many slow domains nor retried mails can occupy these.
const RESERVED: usize = 4;

/// The domain and the requester by which slots are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotHolder {
    domain: String,
    requester: Option<String>,
}

impl SlotHolder {
    pub(super) fn of(recipient: &str, requester: Option<&str>) -> Self {
        Self { domain: domain_of(recipient), requester: requester.map(site_of) }
    }
}

/// The site of a requester's network. A customer may have an IPv6 /48 (RFC 6177), with 65,536 of the /64 networks that budgets
/// count. Budgets refuse requests, so they count narrowly; here the worst case is that another requester's mail waits a minute.
fn site_of(requester: &str) -> String {
    let first: Option<Ipv6Addr> = requester.split_once('/').and_then(|(first, _)| first.parse().ok());
    let site = first.map(|first| Ipv6Addr::from_bits(first.to_bits() & (!0 << 80)));
    site.map_or_else(|| requester.to_owned(), |site| format!("{site}/48"))
}

/// The registrable domain of an address's host.
pub(super) fn domain_of(recipient: &str) -> String {
    let mailable = names::mailable_email(recipient).unwrap_or_else(|_| recipient.to_owned());
    let host = mailable.rsplit_once('@').map_or(mailable.as_str(), |(_, host)| host);
    psl::domain_str(host).unwrap_or(host).to_owned()
}

/// The occupied slots.
#[derive(Debug, Clone, Default)]
pub(super) struct SendSlots {
    holders: Vec<SlotHolder>,
}

impl SendSlots {
    pub(super) fn free(&self) -> usize {
        SLOTS.saturating_sub(self.holders.len())
    }

    /// Takes a slot for this mail. Returns `false` if there is none for its domain and requester.
    pub(super) fn take(&mut self, mail: &DueMail) -> bool {
        let holder = SlotHolder::of(&mail.recipient, mail.requester.as_deref());
        let of_requester = self.holders.iter().filter(|taken| is_same_requester(taken, &holder)).count();
        let is_eligible = !self.is_for_new_mails() || (mail.attempts == 0 && of_requester == 0);
        let gets_slot = is_eligible && !self.is_full(&holder.domain);
        if gets_slot {
            self.holders.push(holder);
        }
        gets_slot
    }

    pub(super) fn release(&mut self, holder: &SlotHolder) {
        if let Some(index) = self.holders.iter().position(|taken| taken == holder) {
            self.holders.swap_remove(index);
        }
    }

    /// Which mails can get a slot now.
    pub(super) fn filter(&self) -> DueFilter {
        let mut busy_domains: Vec<_> = self.holders.iter().map(|holder| holder.domain.clone()).collect();
        busy_domains.sort_unstable();
        busy_domains.dedup();
        busy_domains.retain(|domain| self.is_full(domain));
        DueFilter { busy_domains, only_first_attempts: self.is_for_new_mails(), ..DueFilter::default() }
    }

    fn is_for_new_mails(&self) -> bool {
        self.free() <= RESERVED
    }

    fn is_full(&self, domain: &str) -> bool {
        let taken = self.holders.iter().filter(|holder| holder.domain == domain).count();
        2 * taken >= self.free()
    }
}

/// Mails of unknown requesters do not count as having the same requester.
fn is_same_requester(taken: &SlotHolder, holder: &SlotHolder) -> bool {
    holder.requester.is_some() && taken.requester == holder.requester
}

#[cfg(test)]
mod tests {
    use super::{DueMail, RESERVED, SLOTS, SendSlots, SlotHolder, site_of};

    fn mail(recipient: &str, requester: Option<&str>) -> DueMail {
        DueMail {
            id: 1,
            turn_at: chrono::DateTime::UNIX_EPOCH,
            attempts: 0,
            recipient: recipient.to_owned(),
            requester: requester.map(str::to_owned),
        }
    }

    /// How many slots a hundred mails to different domains get.
    fn taken(slots: &mut SendSlots, attempts: i64, requester: Option<&str>) -> usize {
        let mails = (0..100).map(|number| mail(&format!("a@slow{number}.com"), requester));
        mails.filter(|mail| slots.take(&DueMail { attempts, ..mail.clone() })).count()
    }

    #[test]
    fn a_slow_domain_leaves_most_slots_free_and_its_subdomains_count_with_it() {
        let mut slots = SendSlots::default();
        let taken = (0..100).filter(|number| slots.take(&mail(&format!("a@mx{number}.slow.EXAMPLE.com"), None)));
        assert_eq!(taken.count(), 6);
        assert_eq!(slots.filter().busy_domains, ["example.com"]);
        assert!(slots.take(&mail("ada@example.org", None)));
    }

    #[test]
    fn a_domain_without_a_slot_gets_one_while_one_is_free() {
        let mut slots = SendSlots::default();
        for number in 0..SLOTS {
            assert!(slots.take(&mail(&format!("a@slow{number}.com"), None)), "{number}");
        }
        assert!(!slots.take(&mail("ada@example.org", None)));
        slots.release(&SlotHolder::of("a@slow0.com", None));
        assert!(slots.take(&mail("ada@example.org", None)));
    }

    #[test]
    fn requesters_with_many_slow_domains_leave_slots_to_others() {
        let mut slots = SendSlots::default();
        assert_eq!(taken(&mut slots, 0, Some("203.0.113.9")), SLOTS - RESERVED);
        assert!(slots.filter().only_first_attempts);
        assert_eq!(taken(&mut slots, 0, Some("203.0.113.10")), 1);
        assert_eq!(taken(&mut slots, 0, Some("203.0.113.11")), 1);
        assert!(slots.take(&mail("ada@example.org", Some("198.51.100.7"))));
        assert!(slots.take(&mail("eve@example.net", None)));
    }

    #[test]
    fn retried_mails_leave_slots_to_new_ones() {
        let mut slots = SendSlots::default();
        assert_eq!(taken(&mut slots, 1, None), SLOTS - RESERVED);
        assert!(slots.take(&mail("ada@example.org", None)));
    }

    #[test]
    fn the_networks_of_an_ipv6_site_are_one_requester() {
        assert_eq!(site_of("2001:db8:1:2::/64"), "2001:db8:1::/48");
        assert_eq!(site_of("2001:db8:1:ffff::/64"), site_of("2001:db8:1:2::/64"));
        assert_ne!(site_of("2001:db8:2:2::/64"), site_of("2001:db8:1:2::/64"));
        assert_eq!(site_of("203.0.113.9"), "203.0.113.9");
    }
}

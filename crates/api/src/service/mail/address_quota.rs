//! How many mails an address gets: counted when they are sent, no matter what they are about and who requested them.
//!
//! No request is refused because of another user's address: requests are limited by client, and mails beyond an address's quota
//! are not sent. A link is dropped then, and the previous one stays valid; a notice waits and is merged into the next one of its
//! kind.

use super::registry::MailRegistry;
use crate::clock::MAX_CLOCK_SKEW;
use crate::config::Settings;
use crate::mails::QuotaShare;
use crate::names;
use crate::service::derived_key;
use crate::store::mail_outbox::{self, MailRow, MergeScope};
use crate::store::sent_mails::{self, Period, SentMail};
use crate::store::{AnyConnection, QueryResult};
use aws_lc_rs::hmac;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;

/// Mails of one kind that an address gets within [`WINDOW`].
const PER_KIND: usize = 5;
/// Mails of Latchkey's own that an address gets within [`WINDOW`].
const PER_ADDRESS: usize = 20;
/// How many of these are for the kinds other than [`ChangeEmail`](crate::mails::MailKind::ChangeEmail), which has its own share
/// ([`QuotaShare::Own`]). A user who requests a change to an address sees in the account's export whether a link was issued. That must
/// not depend on what else the address gets, because an address with an account gets other mails than one without.
const PER_ADDRESS_WITHOUT_CHANGES: usize = PER_ADDRESS - PER_KIND;
/// How many of those may be of the kinds that anyone can cause. Without this limit, anyone could block the notices about the
/// owner's account.
const PER_ADDRESS_UNAUTHENTICATED: usize = PER_ADDRESS_WITHOUT_CHANGES - PER_KIND;
/// Mails of features that an address gets within [`WINDOW`], in addition to Latchkey's own.
const PER_ADDRESS_OF_FEATURES: usize = 15;
/// How many of these may be of the kinds that other users can cause.
const PER_ADDRESS_OF_FEATURES_BY_OTHERS: usize = PER_ADDRESS_OF_FEATURES - PER_KIND;
/// How long a mail counts.
pub(in crate::service) const WINDOW: Duration = Duration::hours(1);

/// Whether an address may get a mail now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    Available,
    /// The quota is used up until this time.
    AvailableAt(DateTime<Utc>),
}

/// The key by which the table counts an address, the same for all its spellings.
pub(in crate::service) fn address_hash(settings: &Settings, address: &str) -> Vec<u8> {
    let key = derived_key(&settings.keys.secret_key, b"latchkey mailed addresses");
    hmac::sign(&key, names::counted_email(address).as_bytes()).as_ref().to_vec()
}

/// Counts the mails to each address.
#[derive(Debug, Clone)]
pub(super) struct AddressQuota {
    settings: Arc<Settings>,
    mails: Arc<MailRegistry>,
}

impl AddressQuota {
    pub(super) const fn of(settings: Arc<Settings>, mails: Arc<MailRegistry>) -> Self {
        Self { settings, mails }
    }

    /// Takes one unit for a mail that waits if there is none. Others that say the same, and wait as well, are merged into it. Returns
    /// `None` if the mail waits.
    pub(super) fn take_or_defer(
        &self,
        connection: &mut AnyConnection,
        mail: &MailRow,
        to: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<Option<MailRow>> {
        match self.take(connection, mail, to, now)? {
            Allowance::Available => mail_outbox::merge_into(connection, mail, MergeScope::Deferred, now).map(Some),
            Allowance::AvailableAt(at) => {
                let mail = mail_outbox::merge_into(connection, mail, MergeScope::Unattempted, now)?;
                mail_outbox::defer(connection, &mail, at)?;
                Ok(None)
            }
        }
    }

    /// Counts `mail` to `address`, if the address may get one now.
    pub(super) fn take(
        &self,
        connection: &mut AnyConnection,
        mail: &MailRow,
        address: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<Allowance> {
        if !self.settings.limits.enabled {
            return Ok(Allowance::Available);
        }
        let hash = address_hash(&self.settings, address);
        sent_mails::lock(connection, &hash)?;
        let sent =
            sent_mails::list(connection, &hash, Period { after: now - WINDOW, until: now + MAX_CLOCK_SKEW }, mail)?;
        if let Some(at) = available_at(mail.kind.as_str(), &self.mails, &sent) {
            return Ok(Allowance::AvailableAt(at));
        }
        let counted = SentMail { kind: mail.kind.as_str().to_owned(), sent_at: now };
        sent_mails::insert(connection, mail, &hash, &counted)?;
        Ok(Allowance::Available)
    }
}

/// The mails that count together, and how many of them an address gets.
type Bound = (&'static [QuotaShare], usize);

/// The bounds of a share, besides the one of each kind.
const fn bounds(share: QuotaShare) -> &'static [Bound] {
    const WITHOUT_CHANGES: Bound = (&[QuotaShare::Account, QuotaShare::Unauthenticated], PER_ADDRESS_WITHOUT_CHANGES);
    const UNAUTHENTICATED: Bound = (&[QuotaShare::Unauthenticated], PER_ADDRESS_UNAUTHENTICATED);
    const FEATURES: Bound = (&[QuotaShare::Feature, QuotaShare::FeatureByOthers], PER_ADDRESS_OF_FEATURES);
    const BY_OTHERS: Bound = (&[QuotaShare::FeatureByOthers], PER_ADDRESS_OF_FEATURES_BY_OTHERS);
    match share {
        QuotaShare::Own => &[],
        QuotaShare::Account => &[WITHOUT_CHANGES],
        QuotaShare::Unauthenticated => &[WITHOUT_CHANGES, UNAUTHENTICATED],
        QuotaShare::Feature => &[FEATURES],
        QuotaShare::FeatureByOthers => &[FEATURES, BY_OTHERS],
    }
}

/// When a mail of this kind may be sent, given those sent within the window, oldest first. `None` means now.
fn available_at(kind: &str, mails: &MailRegistry, sent: &[SentMail]) -> Option<DateTime<Utc>> {
    let times = |counts: &dyn Fn(&str) -> bool| -> Vec<_> {
        sent.iter().filter(|mail| counts(&mail.kind)).map(|mail| mail.sent_at).collect()
    };
    let of_kind = (times(&|name| name == kind), PER_KIND);
    let of_shares = bounds(mails.share_of(kind)).iter();
    let of_shares = of_shares.map(|(shares, limit)| (times(&|name| shares.contains(&mails.share_of(name))), *limit));
    // A full bound is free again when the oldest of its last `limit` mails leaves the window.
    let full = std::iter::once(of_kind).chain(of_shares).filter(|(times, limit)| times.len() >= *limit);
    full.map(|(times, limit)| times[times.len() - limit] + WINDOW).max()
}

#[cfg(test)]
mod tests {
    use super::{
        MailRegistry, PER_ADDRESS, PER_ADDRESS_OF_FEATURES, PER_ADDRESS_OF_FEATURES_BY_OTHERS,
        PER_ADDRESS_UNAUTHENTICATED, PER_KIND, QuotaShare, SentMail, WINDOW,
    };
    use crate::mails::MailKind;
    use crate::service::mail::feature_mail::DeclaredMail;
    use chrono::{DateTime, Duration, Utc};

    fn available_at(kind: MailKind, sent: &[SentMail]) -> Option<DateTime<Utc>> {
        super::available_at(kind.as_str(), &MailRegistry::default(), sent)
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minute)
    }

    fn sent(kind: MailKind, minutes: std::ops::Range<i64>) -> Vec<SentMail> {
        minutes.map(|minute| SentMail { kind: kind.as_str().to_owned(), sent_at: at(minute) }).collect()
    }

    /// [`PER_ADDRESS`] has room for one such kind: a second would exceed it.
    #[test]
    fn only_one_kind_has_its_own_share() {
        let own = MailKind::ALL.iter().copied().filter(|kind| kind.mail().share == QuotaShare::Own);
        assert_eq!(own.collect::<Vec<_>>(), [MailKind::ChangeEmail]);
    }

    fn anyone_can_cause(kind: MailKind) -> bool {
        kind.mail().share != QuotaShare::Account
    }

    #[test]
    fn a_kind_is_available_again_when_its_oldest_mail_leaves_the_window() {
        assert_eq!(available_at(MailKind::ResetPassword, &sent(MailKind::ResetPassword, 0..4)), None);
        let five = sent(MailKind::ResetPassword, 3..8);
        assert_eq!(available_at(MailKind::ResetPassword, &five), Some(at(3) + WINDOW));
        assert_eq!(available_at(MailKind::VerifyEmail, &five), None);
        // More than the limit: counted by a release that allowed more.
        assert_eq!(available_at(MailKind::ResetPassword, &sent(MailKind::ResetPassword, 0..7)), Some(at(2) + WINDOW));
    }

    /// No matter what anyone else causes, each notice about an account can be sent.
    #[test]
    fn others_never_use_up_the_whole_quota_of_an_address() {
        let kinds = MailKind::ALL.iter().copied().filter(|kind| anyone_can_cause(*kind));
        let mut all: Vec<SentMail> = Vec::new();
        let mut minute = 0;
        for kind in kinds.clone().cycle().take(40) {
            if available_at(kind, &all).is_none() {
                all.extend(sent(kind, minute..minute + 1));
            }
            minute += 1;
        }
        assert_eq!(all.len(), PER_ADDRESS_UNAUTHENTICATED + PER_KIND);
        assert!(kinds.into_iter().all(|kind| available_at(kind, &all).is_some()));
        for kind in MailKind::ALL.iter().copied().filter(|kind| !anyone_can_cause(*kind)) {
            assert_eq!(available_at(kind, &all), None, "{kind:?}");
        }
        all.extend(sent(MailKind::PasswordChanged, minute..minute + i64::try_from(PER_KIND).unwrap_or_default()));
        assert_eq!(all.len(), PER_ADDRESS);
        assert_eq!(available_at(MailKind::EmailChanged, &all), Some(at(0) + WINDOW));
    }

    /// An address with an account gets other mails than one without; a user who requests a change to it must not learn which it is.
    #[test]
    fn whether_a_change_to_an_address_is_mailed_depends_on_such_changes_only() {
        let others = MailKind::ALL.iter().copied().filter(|kind| *kind != MailKind::ChangeEmail);
        let mut all: Vec<_> = others.flat_map(|kind| sent(kind, 0..9)).collect();
        all.extend(sent(MailKind::ChangeEmail, 0..4));
        assert_eq!(available_at(MailKind::ChangeEmail, &all), None);
        all.extend(sent(MailKind::ChangeEmail, 4..5));
        assert_eq!(available_at(MailKind::ChangeEmail, &all), Some(at(0) + WINDOW));
        let changes = sent(MailKind::ChangeEmail, 0..5);
        assert_eq!(available_at(MailKind::ResetPassword, &changes), None);
        assert_eq!(available_at(MailKind::PasswordChanged, &changes), None);
    }

    /// Two kinds of features, and one that other users can cause, up to their bounds: nothing else has less for it.
    #[test]
    fn the_mails_of_features_and_latchkeys_own_do_not_suppress_each_other() {
        let shares = [("a.one", QuotaShare::Feature), ("a.two", QuotaShare::Feature), ("b.one", QuotaShare::Feature)];
        let by_others = [("a.shared", QuotaShare::FeatureByOthers), ("b.shared", QuotaShare::FeatureByOthers)];
        let declared = [("b.named", QuotaShare::FeatureByOthers)].into_iter().chain(shares).chain(by_others);
        let mails = MailRegistry::of(declared.map(|(name, share)| DeclaredMail::empty(name, share)));
        let mut all: Vec<_> = MailKind::ALL.iter().copied().flat_map(|kind| sent(kind, 0..9)).collect();
        let mut fill = |kinds: &[&str], limit: usize| {
            let before = all.len();
            for kind in kinds.iter().cycle().take(60) {
                if super::available_at(kind, &mails, &all).is_none() {
                    all.push(SentMail { kind: (*kind).to_owned(), sent_at: at(0) });
                }
            }
            assert_eq!(all.len() - before, limit, "{kinds:?}");
        };
        fill(&["a.shared", "b.shared", "b.named"], PER_ADDRESS_OF_FEATURES_BY_OTHERS);
        fill(&["a.one"], PER_KIND);
        fill(&["a.two", "b.one", "a.shared"], 0);
        all.retain(|mail| mail.kind.contains('.'));
        assert_eq!(all.len(), PER_ADDRESS_OF_FEATURES);
        // A process without the features counts them as theirs, too.
        for kind in MailKind::ALL.iter().copied() {
            assert_eq!(super::available_at(kind.as_str(), &mails, &all), None, "{kind:?}");
            assert_eq!(available_at(kind, &all), None, "{kind:?}");
        }
    }
}

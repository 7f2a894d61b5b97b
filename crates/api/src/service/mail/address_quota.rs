//! How many mails an address gets: counted when they are sent, whatever they are about and whoever asked for them.
//!
//! No request is refused because of somebody else's address: the requests are limited by client, and what is over an
//! address's amount is not sent. A link is dropped then, and the one before it works on; a notice waits and is folded
//! into the next one of its kind.

use crate::config::Settings;
use crate::mails::{MailKind, QuotaShare};
use crate::names;
use crate::service::derived_key;
use crate::store::mail_outbox::MailRow;
use crate::store::sent_mails::{self, SentMail};
use crate::store::{AnyConnection, QueryResult};
use aws_lc_rs::hmac;
use chrono::{DateTime, Duration, Utc};

/// Mails of one kind that an address gets within [`WINDOW`].
const PER_KIND: usize = 5;
/// Mails in all that an address gets within [`WINDOW`].
const PER_ADDRESS: usize = 20;
/// How many of these are left for all kinds but [`MailKind::ChangeEmail`], which has its own ([`QuotaShare::Own`]). Whoever asks
/// for a change to an address sees in the account's export whether a link was made: it must not depend on what else the
/// address gets, because an address with an account gets other mails than one without.
const BESIDE_CHANGES: usize = PER_ADDRESS - PER_KIND;
/// How many of those may be of the kinds that anybody can cause. Without this, a stranger could keep a notice about the owner's
/// account from leaving.
const BESIDE_CHANGES_OF_STRANGERS: usize = BESIDE_CHANGES - PER_KIND;
/// How long a mail counts.
pub(in crate::service) const WINDOW: Duration = Duration::hours(1);
/// How far ahead of ours the clock of another process may be. What was sent later than that was counted by a clock that was
/// ahead, and would count for as long.
const CLOCK_SKEW: Duration = Duration::minutes(1);

/// Whether an address gets a mail now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    Available,
    /// It has had its amount; there is a place again at this time.
    AvailableAt(DateTime<Utc>),
}

/// Counts mails.
#[derive(Debug, Clone)]
pub(in crate::service) struct AddressQuota {
    enabled: bool,
    key: hmac::Key,
}

impl AddressQuota {
    pub(in crate::service) fn of(settings: &Settings) -> Self {
        Self {
            enabled: settings.limits.enabled,
            key: derived_key(&settings.keys.secret_key, b"latchkey mailed addresses"),
        }
    }

    /// What the table knows an address by, however it is spelled.
    pub(in crate::service) fn hash(&self, address: &str) -> Vec<u8> {
        hmac::sign(&self.key, names::counted_email(address).as_bytes()).as_ref().to_vec()
    }

    /// Counts `mail` to `address`, if it gets one now.
    pub(super) fn take(
        &self,
        connection: &mut AnyConnection,
        mail: &MailRow,
        address: &str,
        now: DateTime<Utc>,
    ) -> QueryResult<Allowance> {
        if !self.enabled {
            return Ok(Allowance::Available);
        }
        let hash = self.hash(address);
        sent_mails::lock(connection, &hash)?;
        let sent = sent_mails::list(connection, &hash, (now - WINDOW, now + CLOCK_SKEW), mail.id)?;
        if let Some(at) = available_at(mail.kind, &sent) {
            return Ok(Allowance::AvailableAt(at));
        }
        let counted = SentMail { kind: mail.kind.as_str().to_owned(), sent_at: now };
        sent_mails::insert(connection, mail.id, &hash, &counted)?;
        Ok(Allowance::Available)
    }
}

/// When there is a place for a mail of this kind, given what was sent within the window, the oldest first. `None` is now.
fn available_at(kind: MailKind, sent: &[SentMail]) -> Option<DateTime<Utc>> {
    let times = |counts: &dyn Fn(&str) -> bool| -> Vec<_> {
        sent.iter().filter(|mail| counts(&mail.kind)).map(|mail| mail.sent_at).collect()
    };
    let mut bounds = vec![(times(&|word| word == kind.as_str()), PER_KIND)];
    let share = kind.mail().share;
    if share != QuotaShare::Own {
        bounds.push((times(&|word| share_of(word) != QuotaShare::Own), BESIDE_CHANGES));
    }
    if share == QuotaShare::Strangers {
        bounds.push((times(&|word| share_of(word) == QuotaShare::Strangers), BESIDE_CHANGES_OF_STRANGERS));
    }
    // Of as many as there may be, the oldest has to run out.
    let full = bounds.iter().filter(|(times, amount)| times.len() >= *amount);
    full.map(|(times, amount)| times[times.len() - amount] + WINDOW).max()
}

/// The share of a kind by its word. What a newer release has sent counts as a notice about an account.
fn share_of(word: &str) -> QuotaShare {
    MailKind::of(word).map_or(QuotaShare::Account, |kind| kind.mail().share)
}

#[cfg(test)]
mod tests {
    use super::{
        BESIDE_CHANGES_OF_STRANGERS, MailKind, PER_ADDRESS, PER_KIND, QuotaShare, SentMail, WINDOW, available_at,
    };
    use chrono::{DateTime, Duration, Utc};

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minute)
    }

    fn sent(kind: MailKind, minutes: std::ops::Range<i64>) -> Vec<SentMail> {
        minutes.map(|minute| SentMail { kind: kind.as_str().to_owned(), sent_at: at(minute) }).collect()
    }

    /// [`PER_ADDRESS`] has room for one: a second would come on top of it.
    #[test]
    fn one_kind_alone_has_a_share_of_its_own() {
        let own = MailKind::ALL.iter().copied().filter(|kind| kind.mail().share == QuotaShare::Own);
        assert_eq!(own.collect::<Vec<_>>(), [MailKind::ChangeEmail]);
    }

    fn anybody_can_cause(kind: MailKind) -> bool {
        kind.mail().share != QuotaShare::Account
    }

    #[test]
    fn a_place_is_free_when_the_oldest_of_its_kind_runs_out() {
        assert_eq!(available_at(MailKind::ResetPassword, &sent(MailKind::ResetPassword, 0..4)), None);
        let five = sent(MailKind::ResetPassword, 3..8);
        assert_eq!(available_at(MailKind::ResetPassword, &five), Some(at(3) + WINDOW));
        assert_eq!(available_at(MailKind::VerifyEmail, &five), None);
        // More than there may be: counted by a release that allowed more.
        assert_eq!(available_at(MailKind::ResetPassword, &sent(MailKind::ResetPassword, 0..7)), Some(at(2) + WINDOW));
    }

    /// Whatever strangers cause, each notice about an account has a place.
    #[test]
    fn strangers_never_fill_what_an_address_gets() {
        let kinds = MailKind::ALL.iter().copied().filter(|kind| anybody_can_cause(*kind));
        let mut all: Vec<SentMail> = Vec::new();
        let mut minute = 0;
        for kind in kinds.clone().cycle().take(40) {
            if available_at(kind, &all).is_none() {
                all.extend(sent(kind, minute..minute + 1));
            }
            minute += 1;
        }
        assert_eq!(all.len(), BESIDE_CHANGES_OF_STRANGERS + PER_KIND);
        assert!(kinds.into_iter().all(|kind| available_at(kind, &all).is_some()));
        for kind in MailKind::ALL.iter().copied().filter(|kind| !anybody_can_cause(*kind)) {
            assert_eq!(available_at(kind, &all), None, "{kind:?}");
        }
        all.extend(sent(MailKind::PasswordChanged, minute..minute + i64::try_from(PER_KIND).unwrap_or_default()));
        assert_eq!(all.len(), PER_ADDRESS);
        assert_eq!(available_at(MailKind::EmailChanged, &all), Some(at(0) + WINDOW));
    }

    /// An address with an account gets other mails than one without; whoever asks for a change to it must not see which.
    #[test]
    fn whether_a_change_to_an_address_has_a_place_depends_on_changes_to_it_alone() {
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
}

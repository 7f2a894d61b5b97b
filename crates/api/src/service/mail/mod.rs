//! Mail: written into the outbox together with what it is about, and sent by whichever process comes first.
//!
//! A request never waits for a mail server: it inserts a row. The worker takes what is due, makes the link's token if
//! there is one, and sends; what fails comes again later, until the mail is not worth sending any more. A process that
//! dies between sending and noting it makes another one send the mail again: at least once, never not at all.
//!
//! Requests are limited by client (`take_request`), mails by address when they are sent (`amounts`), and each client's
//! mails take turns with everybody else's.

mod amounts;
mod nobody;
mod prepare;
mod registration;
mod smtp;
mod text;
mod transport;

pub(super) use amounts::{Amounts, WINDOW};
pub use smtp::TestError;
pub use transport::{Mailer, MailerError};

use super::limits::{Budget, Throttled, Tries};
use super::{ClientInfo, Services, event};
use crate::metrics::MailOutcome;
use crate::store::events::EventKind;
use crate::store::mail_outbox::{MailKind, MailRow, NewMail};
use crate::store::{StoreError, events, mail_outbox, sent_mails};
use auth_types::UserId;
use chrono::{DateTime, Duration, Utc};
use prepare::{Prepared, prepare};
use transport::{Exit, SendError};

/// How often the outbox is looked at, seconds.
pub const POLL_SECONDS: u64 = 1;
/// How often what waits in it is counted, seconds: as often as Prometheus asks at most.
pub const MEASURE_SECONDS: u64 = 15;
/// Mails that a process sends at once.
const AT_ONCE: i64 = 4;
/// How long a worker may have a mail before another one takes it: far longer than a server may take.
const LEASE: Duration = Duration::minutes(5);
/// The wait after the first failure; it doubles with each, up to the longest.
const FIRST_WAIT: Duration = Duration::seconds(30);
const LONGEST_WAIT: Duration = Duration::hours(1);

/// A mail to the owner of an account, to an address that is or was theirs.
pub(super) fn to_user(
    kind: MailKind,
    (user, address): (UserId, &str),
    at: DateTime<Utc>,
    client: &ClientInfo,
) -> NewMail {
    NewMail { user: Some(user), ..to_address(kind, address, at, client) }
}

/// A mail to an address, whether it has an account or not: which of them is found out when it is sent, so that the request
/// does the same for both.
pub(super) fn to_address(kind: MailKind, address: &str, at: DateTime<Utc>, client: &ClientInfo) -> NewMail {
    NewMail {
        kind,
        user: None,
        registration: None,
        recipient: address.to_owned(),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        requester: client.network.map(|network| network.to_string()),
        at,
        expires_at: at + worth_sending(kind),
    }
}

/// Takes one of the mails that `client` may cause. Every request that causes a mail begins with it, whoever the mail goes
/// to; given back where none is caused after all.
///
/// # Errors
/// [`Throttled`].
pub(super) async fn take_request<'s>(services: &'s Services, client: &ClientInfo) -> Result<Tries<'s>, Throttled> {
    let mut tries = services.limits.tries(client);
    tries.by_client(Budget::MailClient).await?;
    Ok(tries)
}

/// The same for a mail that must be written whatever the client has caused before: a session has been revoked, or a
/// mailed link used.
pub(super) async fn charge(services: &Services, client: &ClientInfo) {
    // A spent budget refuses the client's next request.
    let _ = take_request(services, client).await;
}

/// How long after its cause a mail still helps anybody.
const fn worth_sending(kind: MailKind) -> Duration {
    match kind {
        MailKind::ResetPassword => Duration::hours(1),
        MailKind::VerifyEmail | MailKind::ChangeEmail | MailKind::ConfirmRegistration | MailKind::AccountExists => {
            Duration::hours(24)
        }
        MailKind::PasswordChanged
        | MailKind::EmailChangeRequested
        | MailKind::EmailChanged
        | MailKind::RefreshReused
        | MailKind::AccountDeleted => Duration::hours(72),
    }
}

/// What became of a mail that a worker had.
enum Outcome {
    Sent,
    /// There is nobody to write to: no account, nothing left to confirm, or the request was withdrawn.
    Nobody,
    /// So many links more than their address gets.
    OverAmount(usize),
    /// A notice more than its address gets: it waits for the next one.
    Deferred,
    /// Worth another try.
    Later(String),
    /// The server will never take it.
    Never(String),
}

/// Sends what is due and returns how many mails left.
///
/// # Errors
/// When the database does not answer; a mail that a worker had is due again after a while.
pub async fn deliver_due(services: &Services) -> Result<usize, StoreError> {
    let mut claimed = claim(services).await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let (exit, mut total, mut looked_at) = (services.mailer.open(), Total::default(), 0);
    while !claimed.is_empty() {
        let round = claimed.into_iter().map(|mail| deliver(services, &exit, mail));
        let outcomes = futures_util::future::join_all(round).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        for outcome in &outcomes {
            total.add(outcome);
        }
        if outcomes.iter().all(|outcome| matches!(outcome, Outcome::Later(_))) {
            break; // the server takes nothing now: the rest waits for the next look
        }
        looked_at = nobody::drop_all(services, looked_at).await?;
        claimed = claim(services).await?;
    }
    total.log();
    Ok(total.sent)
}

/// What became of the mails of one look at the outbox.
#[derive(Debug, Default)]
struct Total {
    sent: usize,
    over_amount: usize,
}

impl Total {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Sent => self.sent += 1,
            Outcome::OverAmount(mails) => self.over_amount += mails,
            Outcome::Deferred => self.over_amount += 1,
            Outcome::Nobody | Outcome::Later(_) | Outcome::Never(_) => {}
        }
    }

    /// One line a look, whatever a stranger asks for.
    fn log(&self) {
        let over_amount = self.over_amount;
        if over_amount > 0 {
            log::info!(
                mails_total = over_amount;
                "mail.over_amount: {over_amount} mails did not leave, because their addresses have had their amount"
            );
        }
    }
}

/// Notes how much mail waits, and for how long, for `/metrics`.
///
/// # Errors
/// When the database does not answer; what was noted before stays.
pub async fn measure(services: &Services) -> Result<(), StoreError> {
    let now = services.now();
    let (waiting, oldest) = services.store.run(move |connection| mail_outbox::backlog(connection, now)).await?;
    let age = oldest.map_or(0, |written_at| (now - written_at).num_seconds().max(0));
    services.metrics.mail.waiting.set(waiting);
    services.metrics.mail.oldest_age.set(age);
    Ok(())
}

async fn claim(services: &Services) -> Result<Vec<MailRow>, StoreError> {
    let now = services.now();
    services.store.run(move |connection| mail_outbox::claim(connection, now, now + LEASE, AT_ONCE)).await
}

async fn deliver(services: &Services, exit: &Exit<'_>, mail: MailRow) -> Result<Outcome, StoreError> {
    let outcome = send(services, exit, &mail).await?;
    match &outcome {
        Outcome::Sent => finish(services, mail, MailOutcome::Sent, 1).await?,
        Outcome::Nobody => finish(services, mail, MailOutcome::Dropped, 1).await?,
        Outcome::OverAmount(mails) => finish(services, mail, MailOutcome::OverAmount, *mails).await?,
        Outcome::Deferred => services.metrics.mail.count(MailOutcome::Deferred, 1),
        Outcome::Later(why) => try_again(services, mail, why).await?,
        Outcome::Never(why) => give_up(services, mail, why).await?,
    }
    Ok(outcome)
}

async fn finish(services: &Services, mail: MailRow, counted: MailOutcome, mails: usize) -> Result<(), StoreError> {
    services.store.write_statement(move |connection| mail_outbox::delete(connection, &mail)).await?;
    services.metrics.mail.count(counted, mails);
    Ok(())
}

async fn send(services: &Services, exit: &Exit<'_>, mail: &MailRow) -> Result<Outcome, StoreError> {
    if mail.expires_at <= services.now() {
        return Ok(Outcome::Never("its time is over".to_owned()));
    }
    let letter = match prepare(services, mail).await {
        Ok(Prepared::Letter(letter)) => letter,
        Ok(Prepared::Nobody | Prepared::Withdrawn) => return Ok(Outcome::Nobody),
        Ok(Prepared::OverAmount(waiting)) => return Ok(Outcome::OverAmount(1 + waiting)),
        Ok(Prepared::Deferred) => return Ok(Outcome::Deferred),
        Err(prepare::PrepareError::Store(error)) => return Err(error),
        Err(error) => return Ok(Outcome::Later(error.to_string())),
    };
    Ok(match tokio::time::timeout(services.settings.patience.mail, exit.send(&letter)).await {
        Ok(Ok(())) => Outcome::Sent,
        Ok(Err(SendError::Refused(why))) => Outcome::Never(why),
        Ok(Err(SendError::Failed(why))) => Outcome::Later(why),
        Err(_) => Outcome::Later("the mail server took too long".to_owned()),
    })
}

/// The mail comes again later, unless it is of no use by then.
async fn try_again(services: &Services, mail: MailRow, why: &str) -> Result<(), StoreError> {
    let (id, kind, attempts) = (mail.id, mail.kind.as_str(), mail.attempts);
    let again_at = services.now() + wait_after(attempts);
    if again_at >= mail.expires_at {
        return give_up(services, mail, why).await;
    }
    log::warn!(
        mail_id = id, attempts = attempts;
        "mail.postponed: mail {id} ({kind}), attempt {attempts}: {why}"
    );
    let postponed = services.store.write(move |connection| {
        sent_mails::delete(connection, mail.id)?;
        mail_outbox::postpone(connection, &mail, again_at)
    });
    postponed.await?;
    services.metrics.mail.count(MailOutcome::Postponed, 1);
    Ok(())
}

/// Half a minute, a minute, two, … an hour.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT)
}

/// The mail goes; its user finds a word of it among the account's events.
async fn give_up(services: &Services, mail: MailRow, why: &str) -> Result<(), StoreError> {
    let (id, kind, attempts, now) = (mail.id, mail.kind.as_str(), mail.attempts, services.now());
    log::error!(
        mail_id = id, attempts = attempts;
        "mail.given_up: mail {id} ({kind}) after {attempts} attempts: {why}"
    );
    let given_up = services.store.write(move |connection| {
        if let Some(user) = mail.user_id {
            let mut failed = event(UserId(user), EventKind::MailFailed, now, &ClientInfo::default());
            failed.detail.mail = Some(mail.kind.as_str().to_owned());
            events::insert(connection, &failed)?;
        }
        sent_mails::delete(connection, mail.id)?;
        mail_outbox::delete(connection, &mail)
    });
    given_up.await?;
    services.metrics.mail.count(MailOutcome::GivenUp, 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Duration, wait_after};

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let seconds = [1, 2, 3, 7, 8, 1_000_000].map(|attempts| wait_after(attempts).num_seconds());
        assert_eq!(seconds, [30, 60, 120, 1920, 3600, 3600]);
        assert!(wait_after(0) > Duration::zero());
    }
}

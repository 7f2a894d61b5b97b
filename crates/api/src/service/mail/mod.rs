//! Mail: written into the outbox together with what it is about, and sent by whichever process comes first.
//!
//! A request never waits for a mail server: it inserts a row. The worker takes what is due, makes the link's token if
//! there is one, and sends; what fails comes again later, until the mail is not worth sending any more. A process that
//! dies between sending and noting it makes another one send the mail again: at least once, never not at all.

mod prepare;
mod smtp;
mod text;
mod transport;

pub use smtp::TestError;
pub use transport::{Mailer, MailerError};

use super::limits::{Budget, Throttled};
use super::{ClientInfo, Services, event};
use crate::metrics::MailOutcome;
use crate::store::events::EventKind;
use crate::store::mail_outbox::{MailKind, MailRow, NewMail};
use crate::store::{StoreError, events, mail_outbox};
use auth_types::UserId;
use chrono::{DateTime, Duration, Utc};
use prepare::prepare;
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
        recipient: address.to_owned(),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        at,
        expires_at: at + worth_sending(kind),
    }
}

/// Takes one of the mails that `client` may ask for, and of those that may be asked for to `address`, whether it has an
/// account or not.
///
/// # Errors
/// [`Throttled`].
pub(super) async fn check_limits(services: &Services, address: &str, client: &ClientInfo) -> Result<(), Throttled> {
    let mut tries = services.limits.tries(client);
    tries.by_client(Budget::MailClient).await?;
    tries.by_name(Budget::MailAddress, address).await
}

/// How long after its cause a mail still helps anybody.
const fn worth_sending(kind: MailKind) -> Duration {
    match kind {
        MailKind::ResetPassword => Duration::hours(1),
        MailKind::VerifyEmail | MailKind::ChangeEmail | MailKind::AccountExists => Duration::hours(24),
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
    /// There is nobody to write to: no account, or nothing left to confirm.
    Nobody,
    /// Worth another try.
    Later(String),
    /// The server will never take it.
    Never(String),
}

/// Sends what is due and answers how many mails left.
///
/// # Errors
/// When the database does not answer; a mail that a worker had is due again after a while.
pub async fn deliver_due(services: &Services) -> Result<usize, StoreError> {
    let mut claimed = claim(services).await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let (exit, mut sent) = (services.mailer.open(), 0);
    while !claimed.is_empty() {
        let round = claimed.into_iter().map(|mail| deliver(services, &exit, mail));
        let outcomes = futures_util::future::join_all(round).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        sent += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Sent)).count();
        if outcomes.iter().all(|outcome| matches!(outcome, Outcome::Later(_))) {
            break; // the server takes nothing now: the rest waits for the next look
        }
        claimed = claim(services).await?;
    }
    Ok(sent)
}

/// Notes how much mail waits, and for how long, for `/metrics`.
///
/// # Errors
/// When the database does not answer; what was noted before stays.
pub async fn measure(services: &Services) -> Result<(), StoreError> {
    let (waiting, oldest) = services.store.run(mail_outbox::backlog).await?;
    let age = oldest.map_or(0, |written_at| (services.now() - written_at).num_seconds().max(0));
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
    let (id, kind, attempts) = (mail.id, mail.kind.as_str(), mail.attempts);
    let again_at = services.now() + wait_after(attempts);
    let counted = match &outcome {
        Outcome::Sent | Outcome::Nobody => {
            let sent = matches!(outcome, Outcome::Sent);
            services.store.write_statement(move |connection| mail_outbox::delete(connection, &mail)).await?;
            if sent { MailOutcome::Sent } else { MailOutcome::Dropped }
        }
        Outcome::Later(why) if again_at < mail.expires_at => {
            log::warn!(
                mail_id = id, attempts = attempts;
                "mail.postponed: mail {id} ({kind}), attempt {attempts}: {why}"
            );
            services
                .store
                .write_statement(move |connection| mail_outbox::postpone(connection, &mail, again_at))
                .await?;
            MailOutcome::Postponed
        }
        Outcome::Later(why) | Outcome::Never(why) => {
            log::error!(
                mail_id = id, attempts = attempts;
                "mail.given_up: mail {id} ({kind}) after {attempts} attempts: {why}"
            );
            give_up(services, mail).await?;
            MailOutcome::GivenUp
        }
    };
    services.metrics.mail.count(counted);
    Ok(outcome)
}

async fn send(services: &Services, exit: &Exit<'_>, mail: &MailRow) -> Result<Outcome, StoreError> {
    if mail.expires_at <= services.now() {
        return Ok(Outcome::Never("its time is over".to_owned()));
    }
    let letter = match prepare(services, mail).await {
        Ok(Some(letter)) => letter,
        Ok(None) => return Ok(Outcome::Nobody),
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

/// Half a minute, a minute, two, … an hour.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT)
}

/// The mail goes; its user finds a word of it among the account's events.
async fn give_up(services: &Services, mail: MailRow) -> Result<(), StoreError> {
    let now = services.now();
    let given_up = services.store.write(move |connection| {
        if let Some(user) = mail.user_id {
            let mut failed = event(UserId(user), EventKind::MailFailed, now, &ClientInfo::default());
            failed.detail.mail = Some(mail.kind.as_str().to_owned());
            events::insert(connection, &failed)?;
        }
        mail_outbox::delete(connection, &mail)
    });
    given_up.await
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

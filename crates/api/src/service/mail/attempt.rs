//! One attempt to send a mail, and what follows from it.

use super::metrics::MailOutcome;
use super::prepare::{PrepareError, Prepared, prepare};
use super::send_error::{FailureScope, SendError};
use super::send_slots::domain_of;
use super::server_health::LONGEST_PAUSE;
use super::smtp::MailStep;
use super::transport::OpenTransport;
use crate::service::{Cause, Services};
use crate::store::events::EventKind;
use crate::store::mail_outbox::{self, MailRow};
use crate::store::one_time_tokens::{self, NewToken};
use crate::store::{StoreError, events, sent_mails};
use auth_types::UserId;
use chrono::Duration;

/// The wait after the first failure; it doubles with each, up to the longest.
const FIRST_WAIT: Duration = Duration::seconds(30);
const LONGEST_WAIT: Duration = Duration::hours(1);

/// What became of a mail that a worker had.
#[derive(Debug)]
pub(super) enum DeliveryOutcome {
    /// Perhaps with a link to an account.
    Sent(Option<NewToken>),
    /// There is nobody to write to: no account, nothing left to confirm, or the request was withdrawn.
    Nobody,
    /// So many links more than their address gets.
    OverAmount(usize),
    /// A notice more than its address gets: it waits for the next one.
    Deferred,
    /// Tried again.
    Failed(SendError),
    /// There is no letter yet, and why.
    NotReady(String),
    /// It is of no use any more.
    Expired,
}

/// Sends a mail that a worker has, and notes what became of it.
pub(super) async fn deliver(
    services: &Services,
    transport: &OpenTransport<'_>,
    mail: &MailRow,
) -> Result<DeliveryOutcome, StoreError> {
    let outcome = send(services, transport, mail).await?;
    note_health(services, mail, &outcome);
    let _turn = services.mailer.in_flight.database_turn().await;
    match &outcome {
        DeliveryOutcome::Sent(link) => {
            end_older_links(services, link.clone()).await?;
            finish(services, mail, MailOutcome::Sent, 1).await?;
        }
        DeliveryOutcome::Nobody => finish(services, mail, MailOutcome::Dropped, 1).await?,
        DeliveryOutcome::OverAmount(mails) => finish(services, mail, MailOutcome::OverAmount, *mails).await?,
        DeliveryOutcome::Deferred => services.mailer.metrics.count(MailOutcome::Deferred, 1),
        DeliveryOutcome::Failed(SendError { scope: FailureScope::Recipient, why, .. }) => {
            give_up(services, mail, why).await?;
        }
        DeliveryOutcome::Failed(SendError { scope: FailureScope::Us, why, .. }) => {
            try_again(services, mail, (wait_after(mail.attempts).min(LONGEST_PAUSE), why)).await?;
        }
        DeliveryOutcome::Failed(SendError { scope: FailureScope::Mail | FailureScope::Form, why, .. })
        | DeliveryOutcome::NotReady(why) => {
            try_again(services, mail, (wait_after(mail.attempts), why)).await?;
        }
        DeliveryOutcome::Expired => give_up(services, mail, "its time is over").await?,
    }
    Ok(outcome)
}

async fn send(
    services: &Services,
    transport: &OpenTransport<'_>,
    mail: &MailRow,
) -> Result<DeliveryOutcome, StoreError> {
    let now = services.now();
    // It may have become wrong since the mail was claimed.
    if let Err(wrong) = services.clock.check() {
        return Ok(DeliveryOutcome::NotReady(format!("the clock {wrong}")));
    }
    if mail.expires_at <= now {
        return Ok(DeliveryOutcome::Expired);
    }
    let turn = services.mailer.in_flight.database_turn().await;
    let prepared = prepare(services, mail, now).await;
    drop(turn);
    let (letter, link) = match prepared {
        Ok(Prepared::Letter(letter, link)) => (letter, link),
        Ok(Prepared::Nobody | Prepared::Withdrawn) => return Ok(DeliveryOutcome::Nobody),
        Ok(Prepared::OverAmount(waiting)) => return Ok(DeliveryOutcome::OverAmount(1 + waiting)),
        Ok(Prepared::Deferred) => return Ok(DeliveryOutcome::Deferred),
        Err(PrepareError::Store(error)) => return Err(error),
        Err(error) => return Ok(DeliveryOutcome::NotReady(error.to_string())),
    };
    Ok(match transport.send(&letter).await {
        Ok(()) => DeliveryOutcome::Sent(link),
        Err(error) => DeliveryOutcome::Failed(error),
    })
}

/// What the attempt shows about how we stand with the mail server.
fn note_health(services: &Services, mail: &MailRow, outcome: &DeliveryOutcome) {
    let (mailer, now) = (&services.mailer, services.now());
    match outcome {
        DeliveryOutcome::Sent(_) => {
            mailer.health.accepted();
            mailer.refusals.forget();
            note_refusal(services, None);
        }
        DeliveryOutcome::Failed(error) => {
            match error.scope {
                FailureScope::Us => mailer.health.failed(now),
                FailureScope::Form => mailer.health.not_asked(now),
                FailureScope::Mail | FailureScope::Recipient => mailer.health.accepted(),
            }
            note_failure(services, mail, error);
        }
        DeliveryOutcome::Nobody
        | DeliveryOutcome::OverAmount(_)
        | DeliveryOutcome::Deferred
        | DeliveryOutcome::NotReady(_)
        | DeliveryOutcome::Expired => {
            mailer.health.not_asked(now);
        }
    }
}

fn note_failure(services: &Services, mail: &MailRow, error: &SendError) {
    let refusals = &services.mailer.refusals;
    if let Some(step) = error.refused_at {
        services.mailer.metrics.count_refusal(step);
        if error.scope == FailureScope::Mail {
            refusals.add(domain_of(&mail.recipient));
        }
    }
    let what = match (error.scope, error.refused_at) {
        // It says nothing about other mails.
        (FailureScope::Form, _) => return,
        (FailureScope::Us, Some(step)) => Some((step, "no mail leaves until that is fixed")),
        (_, step) if refusals.are_to_several() => {
            let step = step.unwrap_or(MailStep::Message);
            Some((step, "mails to different domains were refused, and none was taken in between"))
        }
        _ => None,
    };
    note_refusal(services, what);
}

/// Where we are refused, and what is known about it.
fn note_refusal(services: &Services, refused: Option<(MailStep, &str)>) {
    let was_refused = services.mailer.metrics.server_refuses.set(i64::from(refused.is_some()));
    match (was_refused, refused) {
        (0, Some((step, known))) => {
            log::error!("mail.server: the mail server refuses us at {}; {known}", step.as_str());
        }
        (1, None) => log::info!("mail.server: the mail server does not refuse us any more"),
        _ => {}
    }
}

/// Not before the mail was taken: until then, whoever has an older link can use it.
async fn end_older_links(services: &Services, link: Option<NewToken>) -> Result<(), StoreError> {
    let Some(link) = link else { return Ok(()) };
    let now = services.now();
    services.store.write_statement(move |connection| one_time_tokens::spend_older(connection, &link, now)).await
}

async fn finish(services: &Services, mail: &MailRow, counted: MailOutcome, mails: usize) -> Result<(), StoreError> {
    let mail = mail.clone();
    services.store.write_statement(move |connection| mail_outbox::delete(connection, &mail)).await?;
    services.mailer.metrics.count(counted, mails);
    Ok(())
}

/// The mail comes again later, unless it is of no use by then.
async fn try_again(services: &Services, mail: &MailRow, (wait, why): (Duration, &str)) -> Result<(), StoreError> {
    let (id, kind, attempts) = (mail.id, mail.kind.as_str(), mail.attempts);
    let again_at = services.now() + wait;
    if again_at >= mail.expires_at && services.clock.check().is_ok() {
        return give_up(services, mail, why).await;
    }
    log::warn!(
        mail_id = id, attempts = attempts;
        "mail.postponed: mail {id} ({kind}), attempt {attempts}: {why}"
    );
    let mail = mail.clone();
    let postponed = services.store.write(move |connection| {
        sent_mails::delete(connection, mail.id)?;
        mail_outbox::postpone(connection, &mail, again_at)
    });
    postponed.await?;
    services.mailer.metrics.count(MailOutcome::Postponed, 1);
    Ok(())
}

/// Half a minute, a minute, two, … an hour.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT)
}

/// The mail goes; its user finds a word of it among the account's events.
pub(super) async fn give_up(services: &Services, mail: &MailRow, why: &str) -> Result<(), StoreError> {
    let (id, kind, attempts, now) = (mail.id, mail.kind.as_str(), mail.attempts, services.now());
    log::error!(
        mail_id = id, attempts = attempts;
        "mail.given_up: mail {id} ({kind}) after {attempts} attempts: {why}"
    );
    let mail = mail.clone();
    let given_up = services.store.write(move |connection| {
        if let Some(user) = mail.user_id {
            let mut failed = Cause::of_nobody(now).event(UserId(user), EventKind::MailFailed);
            failed.detail.mail = Some(mail.kind.as_str().to_owned());
            events::insert(connection, &failed)?;
        }
        sent_mails::delete(connection, mail.id)?;
        mail_outbox::delete(connection, &mail)
    });
    given_up.await?;
    services.mailer.metrics.count(MailOutcome::GivenUp, 1);
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

//! One delivery attempt of a mail, and its consequences.
//!
//! A worker that was so slow that another one took over its mail has nothing more to report about it: no log line, event or metric.

use super::draft::Unsent;
use super::in_flight::leased_at;
use super::metrics::MailOutcome;
use super::prepare::{PrepareError, PreparedMail, prepare};
use super::send_error::{FailureScope, SendError, ServerResponse};
use super::send_slots::domain_of;
use super::server_health::MAX_PAUSE;
use super::smtp::{Attempt, MailStep};
use super::target;
use super::transport::OpenTransport;
use crate::service::{RequestContext, Services};
use crate::store::events::EventKind;
use crate::store::mail_outbox::{self, MailRow};
use crate::store::one_time_tokens::{self, Replacement};
use crate::store::{StoreError, events, sent_mails, users};
use chrono::Duration;

/// The wait after the first failure. It doubles with each failure, up to the longest.
const FIRST_WAIT: Duration = Duration::seconds(30);
const MAX_WAIT: Duration = mail_outbox::MAX_WAIT;
/// How often a mail is sent whose end the server does not acknowledge: each attempt is probably another copy.
const MAX_COPIES: i64 = 3;
/// The shortest wait after such an attempt: the server may still be busy with the mail.
const MIN_COPY_WAIT: Duration = Duration::minutes(2);

/// The outcome of one delivery attempt.
#[derive(Debug)]
pub(super) enum DeliveryOutcome {
    /// With the links that the mail's own replaces.
    Sent(Option<Replacement>),
    Unsent(Unsent),
    Failed(SendError),
    /// The mail cannot be rendered yet, and why.
    NotReady(String),
    /// A further attempt is of no use, and why.
    Useless(&'static str),
}

/// Makes one delivery attempt of a mail that a worker has leased, and records the outcome.
pub(super) async fn deliver(
    services: &Services,
    transport: &OpenTransport<'_>,
    mail: &MailRow,
) -> Result<DeliveryOutcome, StoreError> {
    let sent = send(services, transport, mail).await;
    let outcome = sent.inspect_err(|_| services.mailer.health.not_probed(leased_at(mail)))?;
    record_health(services, mail, &outcome);
    let _permit = services.mailer.in_flight.database_permit().await;
    match &outcome {
        DeliveryOutcome::Sent(replaces) => {
            if let Some(replacement) = replaces {
                end_older_links(services, replacement.clone()).await?;
            }
            finish(services, mail, MailOutcome::Sent).await?;
        }
        DeliveryOutcome::Unsent(Unsent::NothingToSend | Unsent::Withdrawn) => {
            finish(services, mail, MailOutcome::Dropped).await?;
        }
        DeliveryOutcome::Unsent(Unsent::OverQuota(mails)) => {
            services.mailer.metrics.count(MailOutcome::OverQuota, *mails);
        }
        DeliveryOutcome::Unsent(Unsent::Deferred) => services.mailer.metrics.count(MailOutcome::Deferred, 1),
        DeliveryOutcome::Failed(SendError { response: ServerResponse::Unacknowledged, why, .. }) => {
            retry_unacknowledged(services, mail, why).await?;
        }
        DeliveryOutcome::Failed(SendError { scope: FailureScope::Recipient, why, .. }) => {
            give_up(services, mail, why).await?;
        }
        DeliveryOutcome::Failed(SendError { scope: FailureScope::Us, why, .. }) => {
            retry_later(services, mail, wait_after(mail.attempts).min(MAX_PAUSE), why).await?;
        }
        DeliveryOutcome::Failed(SendError { scope: FailureScope::Mail | FailureScope::Form, why, .. })
        | DeliveryOutcome::NotReady(why) => {
            retry_later(services, mail, wait_after(mail.attempts), why).await?;
        }
        DeliveryOutcome::Useless(why) => give_up(services, mail, why).await?,
    }
    Ok(outcome)
}

async fn send(
    services: &Services,
    transport: &OpenTransport<'_>,
    mail: &MailRow,
) -> Result<DeliveryOutcome, StoreError> {
    // The clock may have become wrong since the mail was leased.
    let now = match services.clock.checked_now() {
        Ok(now) => now,
        Err(wrong) => return Ok(DeliveryOutcome::NotReady(format!("the clock {wrong}"))),
    };
    if mail.expires_at <= now.get() {
        return Ok(DeliveryOutcome::Useless("it has expired"));
    }
    // Otherwise only an outcome ends a mail, and workers that died have recorded none.
    if mail.unacknowledged >= MAX_COPIES {
        return Ok(DeliveryOutcome::Useless("no attempt was acknowledged"));
    }
    let permit = services.mailer.in_flight.database_permit().await;
    let prepared = prepare(services, mail, now).await;
    drop(permit);
    let PreparedMail { rendered, replaces } = match prepared {
        Ok(Ok(mail)) => mail,
        Ok(Err(unsent)) => return Ok(DeliveryOutcome::Unsent(unsent)),
        Err(PrepareError::Store(error)) => return Err(error),
        Err(error) => return Ok(DeliveryOutcome::NotReady(error.to_string())),
    };
    Ok(match transport.send(&rendered, &CountedAttempt { services, mail }).await {
        Ok(()) => DeliveryOutcome::Sent(replaces),
        Err(error) => DeliveryOutcome::Failed(error),
    })
}

/// An attempt that is counted before the mail can arrive, so that it stays counted if this process ends before its outcome is known.
struct CountedAttempt<'a> {
    services: &'a Services,
    mail: &'a MailRow,
}

impl Attempt for CountedAttempt<'_> {
    fn sender_accepted(&self) {
        self.services.mailer.health.accepted();
    }

    async fn before_message(&self) -> Result<(), String> {
        let _permit = self.services.mailer.in_flight.database_permit().await;
        let mail = self.mail.clone();
        let counted =
            self.services.store.write_statement(move |connection| mail_outbox::count_unacknowledged(connection, &mail));
        match counted.await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it was withdrawn, or another worker has it".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Records what the attempt shows about the mail server.
fn record_health(services: &Services, mail: &MailRow, outcome: &DeliveryOutcome) {
    let mailer = &services.mailer;
    let leased_at = leased_at(mail);
    match outcome {
        DeliveryOutcome::Sent(_) => {
            mailer.health.accepted();
            mailer.refusals.clear();
            report_refusal(services, None);
        }
        DeliveryOutcome::Failed(error) => {
            match (error.scope, error.response) {
                (FailureScope::Us, _) => mailer.health.failed(leased_at, services.now()),
                (FailureScope::Form, _) | (_, ServerResponse::None) => mailer.health.not_probed(leased_at),
                (FailureScope::Mail | FailureScope::Recipient, _) => mailer.health.accepted(),
            }
            record_failure(services, mail, error);
        }
        DeliveryOutcome::Unsent(_) | DeliveryOutcome::NotReady(_) | DeliveryOutcome::Useless(_) => {
            mailer.health.not_probed(leased_at);
        }
    }
}

fn record_failure(services: &Services, mail: &MailRow, error: &SendError) {
    let refusals = &services.mailer.refusals;
    if let ServerResponse::Refuses(step) = error.response {
        services.mailer.metrics.count_refusal(step);
        if error.scope == FailureScope::Mail {
            refusals.add(domain_of(&mail.recipient));
        }
    }
    let what = match (error.scope, error.response) {
        // The first says nothing about other mails. After the second, the server's last response still applies.
        (FailureScope::Form, _) | (_, ServerResponse::None) => return,
        (FailureScope::Us, ServerResponse::Refuses(step)) => Some((step, "no mail can be sent until that is fixed")),
        (_, response) if refusals.are_to_several() => {
            let step = match response {
                ServerResponse::Refuses(step) => step,
                ServerResponse::None | ServerResponse::AcceptsUs | ServerResponse::Unacknowledged => MailStep::Message,
            };
            Some((step, "mails to different domains were refused, and none was accepted in between"))
        }
        _ => None,
    };
    report_refusal(services, what);
}

/// Logs when the server begins to refuse this sender, at which step and what is known about it, and when it stops.
fn report_refusal(services: &Services, refused: Option<(MailStep, &str)>) {
    let was_refused = services.mailer.metrics.server_refuses.set(i64::from(refused.is_some()));
    match (was_refused, refused) {
        (0, Some((step, known))) => {
            log::error!("mail.server: the mail server refuses us at {}; {known}", step.as_str());
        }
        (1, None) => log::info!("mail.server: the mail server no longer refuses us"),
        _ => {}
    }
}

/// Older links end only after the server has accepted the mail: until then their recipient can use them.
async fn end_older_links(services: &Services, replacement: Replacement) -> Result<(), StoreError> {
    if replacement.older.is_empty() {
        return Ok(());
    }
    let now = services.shared_now().get();
    let ending = services.store.write(move |connection| {
        users::lock_credentials(connection, replacement.user)?;
        one_time_tokens::spend_replaced(connection, &replacement, now)
    });
    ending.await
}

/// Deletes the mail.
async fn finish(services: &Services, mail: &MailRow, outcome: MailOutcome) -> Result<(), StoreError> {
    let mail = mail.clone();
    let was_held = services.store.write_statement(move |connection| mail_outbox::delete(connection, &mail)).await?;
    if was_held {
        services.mailer.metrics.count(outcome, 1);
    }
    Ok(())
}

/// Postpones a mail that may have been sent. This attempt stays counted in its address's quota.
async fn retry_unacknowledged(services: &Services, mail: &MailRow, why: &str) -> Result<(), StoreError> {
    let mail = MailRow { unacknowledged: mail.unacknowledged + 1, ..mail.clone() };
    if mail.unacknowledged >= MAX_COPIES {
        return give_up(services, &mail, why).await;
    }
    let wait = wait_for_copy(mail.unacknowledged, mail.expires_at - services.shared_now().get());
    postpone(services, &mail, Retry { wait, outcome: MailOutcome::Unacknowledged }, why).await
}

/// The wait after `copies` attempts that were not acknowledged, of a mail that is of use for `left`. The second copy is sent soon, because
/// most disturbances are short; the last one later, and early enough to be of use.
fn wait_for_copy(copies: i64, left: Duration) -> Duration {
    if copies == 1 { MIN_COPY_WAIT } else { (left / 2).clamp(MIN_COPY_WAIT, MAX_WAIT) }
}

async fn retry_later(services: &Services, mail: &MailRow, wait: Duration, why: &str) -> Result<(), StoreError> {
    postpone(services, mail, Retry { wait, outcome: MailOutcome::Postponed }, why).await
}

/// How a failed attempt is retried.
struct Retry {
    wait: Duration,
    /// What the attempt counts as.
    outcome: MailOutcome,
}

/// Postpones the mail, unless it has expired by then. If the clock has become wrong since the mail was leased, it is due when its
/// lease ends.
async fn postpone(services: &Services, mail: &MailRow, retry: Retry, why: &str) -> Result<(), StoreError> {
    let Retry { wait, outcome } = retry;
    let id = mail.id;
    let kind = mail.kind.as_str();
    let attempts = mail.attempts;
    let retry_at = services.clock.checked_now().map(|now| now.get() + wait);
    if retry_at.is_ok_and(|retry_at| retry_at >= mail.expires_at) {
        return give_up(services, mail, why).await;
    }
    let retry_at = retry_at.unwrap_or(mail.due_at);
    let mail = mail.clone();
    let postponement = services.store.write(move |connection| {
        let is_held = mail_outbox::postpone(connection, &mail, retry_at)?;
        if is_held {
            sent_mails::refund(connection, &mail)?;
        }
        Ok(is_held)
    });
    if postponement.await? {
        if outcome == MailOutcome::Unacknowledged {
            log::warn!(
                mail_id = id, attempts = attempts;
                "mail.unacknowledged: mail {id} ({kind}), attempt {attempts}: {why}; it may have arrived, and is sent again"
            );
        } else {
            log::warn!(
                mail_id = id, attempts = attempts;
                "mail.postponed: mail {id} ({kind}), attempt {attempts}: {why}"
            );
        }
        services.mailer.metrics.count(outcome, 1);
    }
    Ok(())
}

/// Half a minute, one minute, two minutes, … one hour.
fn wait_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or_default();
    (FIRST_WAIT * 2_i32.pow(doublings)).min(MAX_WAIT)
}

/// Deletes a mail that was not sent, and records that among the account's events, unless it may have arrived.
pub(super) async fn give_up(services: &Services, mail: &MailRow, why: &str) -> Result<(), StoreError> {
    let id = mail.id;
    let kind = mail.kind.as_str();
    let attempts = mail.attempts;
    let now = services.shared_now().get();
    let may_have_arrived = mail.unacknowledged > 0;
    let mail = mail.clone();
    let deletion = services.store.write(move |connection| {
        let user = if may_have_arrived { None } else { target::find_account(connection, &mail, now)? };
        // The user's row first, as in every transaction that locks several; the event refers to it.
        if let Some(user) = user {
            users::lock_credentials(connection, user)?;
        }
        let is_held = mail_outbox::delete(connection, &mail)?;
        if is_held {
            sent_mails::refund(connection, &mail)?;
        }
        if let Some(user) = user.filter(|_| is_held) {
            let mut failed = RequestContext::without_client(now).event(user, EventKind::MailFailed);
            failed.detail.mail = Some(mail.kind.as_str().to_owned());
            events::insert(connection, &failed)?;
        }
        Ok(is_held)
    });
    if deletion.await? {
        let doubt = if may_have_arrived { "; it may have arrived" } else { "" };
        log::error!(
            mail_id = id, attempts = attempts;
            "mail.given_up: mail {id} ({kind}) after {attempts} attempts: {why}{doubt}"
        );
        services.mailer.metrics.count(MailOutcome::GivenUp, 1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Duration, wait_after, wait_for_copy};

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let seconds = [1, 2, 3, 7, 8, 1_000_000].map(|attempts| wait_after(attempts).num_seconds());
        assert_eq!(seconds, [30, 60, 120, 1920, 3600, 3600]);
        assert!(wait_after(0) > Duration::zero());
    }

    #[test]
    fn the_last_copy_is_sent_as_late_as_the_use_of_the_mail_allows() {
        let minutes = |copies, left| wait_for_copy(copies, Duration::minutes(left)).num_minutes();
        assert_eq!([minutes(1, 72 * 60), minutes(1, 60), minutes(1, 1)], [2, 2, 2]);
        assert_eq!([minutes(2, 72 * 60), minutes(2, 58), minutes(2, 1), minutes(2, -1)], [60, 29, 2, 2]);
    }
}

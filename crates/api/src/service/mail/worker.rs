//! The worker: leases due mails as slots become free, and releases the unfinished ones when the process ends.

use super::delivery::{self, DeliveryOutcome};
use super::draft::Unsent;
use super::in_flight::LEASE;
use super::no_recipient;
use super::send_slots::{SendSlots, SlotHolder};
use super::transport::OpenTransport;
use crate::clock::CheckedTime;
use crate::service::Services;
use crate::store::mail_outbox::{self, DueFilter, DueMail, MailRow};
use crate::store::{AnyConnection, QueryResult, StoreError};
use chrono::{DateTime, Duration, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// How often the outbox is polled, seconds.
pub const POLL_SECONDS: u64 = 1;
/// How many due mails are read at once.
const PAGE: i64 = 64;
/// How many expired mails are given up at once.
const EXPIRED_PAGE: i64 = 100;
/// How long mails in progress may still take when the process ends.
const STOP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
const STOP_POLL: std::time::Duration = std::time::Duration::from_millis(20);

/// Sends the due mails and returns how many were sent. Ends when no mail is due and none is in progress.
///
/// # Errors
/// [`StoreError`]; a mail that was leased is due again when its lease expires.
pub async fn deliver_due(services: &Services) -> Result<usize, StoreError> {
    let transport = services.mailer.open();
    let mut run = DeliveryRun::at(services);
    let mut failure = None;
    let mut deliveries = Deliveries { mails: FuturesUnordered::new(), done: Vec::new() };
    loop {
        if failure.is_none() {
            match deliveries.meanwhile(run.lease_next()).await {
                Ok(leased) => {
                    deliveries.mails.extend(leased.into_iter().map(|mail| deliver_owned(services, &transport, mail)));
                }
                Err(error) => failure = Some(error),
            }
        }
        let Some(done) = deliveries.next().await else { break };
        let checked_until = run.checked_until;
        let mut had_nothing_to_send = false;
        for (mail, outcome) in done {
            match run.record(&mail, outcome) {
                Ok(DeliveryOutcome::Unsent(Unsent::NothingToSend | Unsent::Withdrawn)) => had_nothing_to_send = true,
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
        }
        if had_nothing_to_send && failure.is_none() {
            // There may be thousands of them.
            match deliveries.meanwhile(no_recipient::drop_all(services, checked_until)).await {
                Ok(checked_until) => run.checked_until = checked_until,
                Err(error) => failure = Some(error),
            }
        }
    }
    transport.close().await;
    run.counts.log_over_quota();
    failure.map_or(Ok(run.counts.sent), Err)
}

/// A mail and its outcome.
type FinishedDelivery = (MailRow, Result<DeliveryOutcome, StoreError>);

/// The mails that are being sent.
struct Deliveries<F> {
    mails: FuturesUnordered<F>,
    done: Vec<FinishedDelivery>,
}

impl<F: Future<Output = FinishedDelivery>> Deliveries<F> {
    /// Runs `work` while the deliveries go on. A delivery that is not polled would keep holding its permit for the database.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            while let Poll::Ready(Some(done)) = self.mails.poll_next_unpin(context) {
                self.done.push(done);
            }
            work.as_mut().poll(context)
        })
        .await
    }

    /// The deliveries that have finished. Empty after a second, when another mail may be due; `None` at the end.
    async fn next(&mut self) -> Option<Vec<FinishedDelivery>> {
        if self.done.is_empty() {
            let poll = std::time::Duration::from_secs(POLL_SECONDS);
            if let Ok(next) = tokio::time::timeout(poll, self.mails.next()).await {
                self.done.push(next?);
            }
        }
        Some(std::mem::take(&mut self.done))
    }
}

/// [`delivery::deliver`], which returns the mail with its outcome.
async fn deliver_owned(services: &Services, transport: &OpenTransport<'_>, mail: MailRow) -> FinishedDelivery {
    let outcome = delivery::deliver(services, transport, &mail).await;
    (mail, outcome)
}

/// Lets mails in progress finish for a moment, and releases the others, so that another process can lease them at once. `work` is
/// the future that delivers them.
pub async fn stop(services: &Services, work: impl Future) {
    let mails = &services.mailer.in_flight;
    mails.stop();
    let all_finished = async {
        while !mails.is_empty() {
            tokio::time::sleep(STOP_POLL).await;
        }
    };
    let work = futures_util::future::select(Box::pin(work), Box::pin(all_finished));
    let _ = tokio::time::timeout(STOP_TIMEOUT, work).await;
    let left = mails.take_all();
    let now = services.shared_now().get();
    if left.is_empty() {
        return;
    }
    let release = services.store.write(move |connection| {
        let released = left.iter().map(|mail| mail_outbox::release(connection, mail, now.min(mail.due_at)));
        released.collect::<QueryResult<Vec<_>>>()
    });
    match tokio::time::timeout(STOP_TIMEOUT, release).await {
        Ok(Ok(released)) => {
            let number = released.into_iter().filter(|was_held| *was_held).count();
            log::info!(mails_total = number; "mail.given_back: {number} mails wait for another process");
        }
        Ok(Err(error)) => log::warn!("mail.outbox: {error}"),
        Err(_) => log::warn!("mail.outbox: the database does not respond"),
    }
}

/// One run over the outbox, which lasts as long as mails are due.
struct DeliveryRun<'s> {
    services: &'s Services,
    slots: SendSlots,
    counts: RunCounts,
    /// The last mail that was checked for a recipient.
    checked_until: i64,
}

impl<'s> DeliveryRun<'s> {
    fn at(services: &'s Services) -> Self {
        Self { services, slots: SendSlots::default(), counts: RunCounts::since(services.now()), checked_until: 0 }
    }

    /// Leases the mails that get a slot now.
    async fn lease_next(&mut self) -> Result<Vec<MailRow>, StoreError> {
        let Self { services, .. } = *self;
        let mailer = &services.mailer;
        // Read before `allowed`, which may let one mail probe a server that is not good.
        let was_good = mailer.health.is_good();
        let free = self.slots.free();
        // With a wrong clock, links would expire at the wrong time and mails would be given up.
        let now = services.clock.checked_now().ok().filter(|_| !mailer.in_flight.is_stopping());
        let Some(now) = now.map(CheckedTime::get) else { return Ok(Vec::new()) };
        let limit = mailer.health.allowed(free, now);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let leased = self.lease_at_most(now, limit, was_good).await;
        if leased.as_ref().map_or(0, Vec::len) == 0 {
            mailer.health.not_probed(now);
        }
        leased
    }

    async fn lease_at_most(
        &mut self,
        now: DateTime<Utc>,
        limit: usize,
        server_was_good: bool,
    ) -> Result<Vec<MailRow>, StoreError> {
        let Self { services, .. } = *self;
        if !server_was_good {
            give_up_expired(services, now).await?;
        }
        let mut slots = self.slots.clone();
        let leased = lease_due(services, now, &mut slots, limit).await?;
        self.slots = slots;
        services.mailer.in_flight.add(&leased);
        Ok(leased)
    }

    /// Records the outcome of a delivery, and frees its slot.
    fn record(
        &mut self,
        mail: &MailRow,
        outcome: Result<DeliveryOutcome, StoreError>,
    ) -> Result<DeliveryOutcome, StoreError> {
        self.slots.release(&SlotHolder::of(&mail.recipient, mail.requester.as_deref()));
        self.services.mailer.in_flight.remove(mail);
        let outcome = outcome?;
        self.counts.add(&outcome);
        self.counts.log_over_quota_each_second(self.services.now());
        Ok(outcome)
    }
}

/// Leases at most `limit` due mails, with a slot for each. The database leaves out domains that have used up their share, because
/// they may have many mails; other mails without a slot are skipped here.
async fn lease_due(
    services: &Services,
    now: DateTime<Utc>,
    slots: &mut SendSlots,
    limit: usize,
) -> Result<Vec<MailRow>, StoreError> {
    let mut leased = Vec::new();
    let mut after = None;
    loop {
        let filter = DueFilter { after, kinds: services.mails.kinds().to_vec(), ..slots.filter() };
        let list = move |connection: &mut AnyConnection| mail_outbox::list_due(connection, now, &filter, PAGE);
        let due = services.store.run(list).await?;
        let is_last_page = i64::try_from(due.len()) != Ok(PAGE);
        after = due.last().map(|mail| (mail.turn_at, mail.id));
        for mail in due {
            if leased.len() < limit && slots.take(&mail) {
                let holder = SlotHolder::of(&mail.recipient, mail.requester.as_deref());
                match lease(services, mail, now).await? {
                    Some(mail) => leased.push(mail),
                    None => slots.release(&holder),
                }
            }
        }
        if leased.len() == limit || is_last_page {
            return Ok(leased);
        }
    }
}

/// Leases a mail, unless another worker is faster.
async fn lease(services: &Services, mail: DueMail, now: DateTime<Utc>) -> Result<Option<MailRow>, StoreError> {
    let lease = move |connection: &mut AnyConnection| mail_outbox::lease(connection, &mail, now, now + LEASE);
    services.store.write_statement(lease).await
}

/// Gives up the expired mails. During an outage only one mail at a time probes the server, and these must not wait for that.
async fn give_up_expired(services: &Services, now: DateTime<Utc>) -> Result<(), StoreError> {
    loop {
        let mails = Arc::clone(&services.mails);
        let list = move |connection: &mut AnyConnection| {
            mail_outbox::list_expired(connection, now, mails.kinds(), EXPIRED_PAGE)
        };
        let mut leased = false;
        for mail in services.store.run(list).await? {
            if let Some(mail) = lease(services, mail, now).await? {
                leased = true;
                delivery::give_up(services, &mail, "it has expired").await?;
            }
        }
        if !leased {
            return Ok(());
        }
    }
}

/// What one delivery run counts.
#[derive(Debug)]
struct RunCounts {
    sent: usize,
    over_quota_unlogged: usize,
    logged_at: DateTime<Utc>,
}

impl RunCounts {
    fn since(now: DateTime<Utc>) -> Self {
        Self { sent: 0, over_quota_unlogged: 0, logged_at: now }
    }

    fn add(&mut self, outcome: &DeliveryOutcome) {
        match outcome {
            DeliveryOutcome::Sent(_) => self.sent += 1,
            DeliveryOutcome::Unsent(Unsent::OverQuota(mails)) => self.over_quota_unlogged += mails,
            DeliveryOutcome::Unsent(Unsent::Deferred) => self.over_quota_unlogged += 1,
            DeliveryOutcome::Unsent(Unsent::NothingToSend | Unsent::Withdrawn)
            | DeliveryOutcome::Failed(_)
            | DeliveryOutcome::NotReady(_)
            | DeliveryOutcome::Useless(_) => {}
        }
    }

    fn log_over_quota_each_second(&mut self, now: DateTime<Utc>) {
        if now >= self.logged_at + Duration::seconds(1) {
            self.log_over_quota();
            self.logged_at = now;
        }
    }

    /// Logs one line for all mails since the previous one, however many a client requests.
    fn log_over_quota(&mut self) {
        let over_quota = std::mem::take(&mut self.over_quota_unlogged);
        if over_quota > 0 {
            log::info!(
                mails_total = over_quota;
                "mail.over_amount: {over_quota} mails were not sent, because their addresses have used up their quota"
            );
        }
    }
}

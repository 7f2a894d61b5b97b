//! The worker: takes what is due as slots become free, and gives back what it has at the end.

use super::attempt::{self, DeliveryOutcome};
use super::no_recipient;
use super::send_slots::{SendSlots, SlotHolder};
use super::transport::OpenTransport;
use crate::service::Services;
use crate::store::mail_outbox::{self, MailRow};
use crate::store::{AnyConnection, QueryResult, StoreError};
use chrono::{DateTime, Duration, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// How often the outbox is looked at, seconds.
pub const POLL_SECONDS: u64 = 1;
/// How long a worker may have a mail before another one takes it: longer than the database and the server may take.
const CLAIM: Duration = Duration::minutes(2);
/// Mails that are looked at together for one that has a place.
const PAGE: i64 = 64;
/// Mails whose time is over that are given up together.
const EXPIRED_PAGE: i64 = 100;
/// How long mails on their way may still take when the process ends.
const STOP_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);
const STOP_POLL: std::time::Duration = std::time::Duration::from_millis(20);

/// Sends what is due and returns how many mails left. Ends when nothing is due and nothing on its way.
///
/// # Errors
/// When the database does not answer; a mail that a worker had is due again after a while.
pub async fn deliver_due(services: &Services) -> Result<usize, StoreError> {
    let transport = services.mailer.open();
    let (mut look, mut failure) = (DeliveryRun::at(services), None);
    let mut deliveries = Deliveries { mails: FuturesUnordered::new(), done: Vec::new() };
    loop {
        if failure.is_none() {
            match deliveries.meanwhile(look.claim()).await {
                Ok(claimed) => {
                    deliveries.mails.extend(claimed.into_iter().map(|mail| deliver(services, &transport, mail)));
                }
                Err(error) => failure = Some(error),
            }
        }
        let Some(done) = deliveries.next().await else { break };
        let looked_at = look.looked_at;
        let mut is_for_nobody = false;
        for (mail, outcome) in done {
            match look.finish(&mail, outcome) {
                Ok(outcome) => is_for_nobody |= matches!(outcome, DeliveryOutcome::Nobody),
                Err(error) => failure = Some(error),
            }
        }
        if is_for_nobody && failure.is_none() {
            // There may be thousands like it.
            match deliveries.meanwhile(no_recipient::drop_all(services, looked_at)).await {
                Ok(looked_at) => look.looked_at = looked_at,
                Err(error) => failure = Some(error),
            }
        }
    }
    transport.close().await;
    look.total.log();
    failure.map_or(Ok(look.total.sent), Err)
}

/// A mail, and what became of it.
type FinishedDelivery = (MailRow, Result<DeliveryOutcome, StoreError>);

/// The mails that are being sent.
struct Deliveries<F> {
    mails: FuturesUnordered<F>,
    done: Vec<FinishedDelivery>,
}

impl<F: Future<Output = FinishedDelivery>> Deliveries<F> {
    /// Does something else and goes on sending: a mail that nobody looks after would hold the database's turn that it has
    /// been given.
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

    /// What is done by now; nothing after a second, when something else may be due. `None` at the end.
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

async fn deliver(services: &Services, transport: &OpenTransport<'_>, mail: MailRow) -> FinishedDelivery {
    let outcome = attempt::deliver(services, transport, &mail).await;
    (mail, outcome)
}

/// Lets mails on their way arrive, for a moment, and gives back the others: another process may have them at once.
/// `work` is what delivers them.
pub async fn stop(services: &Services, work: impl Future) {
    let mails = &services.mailer.in_flight;
    mails.stop();
    let arrived = async {
        while !mails.is_empty() {
            tokio::time::sleep(STOP_POLL).await;
        }
    };
    let work = futures_util::future::select(Box::pin(work), Box::pin(arrived));
    let _ = tokio::time::timeout(STOP_TIMEOUT, work).await;
    let (left, now) = (mails.take_all(), services.shared_now().0);
    if left.is_empty() {
        return;
    }
    let number = left.len();
    let give_back = services
        .store
        .write(move |connection| left.iter().try_for_each(|mail| mail_outbox::postpone(connection, mail, now)));
    match tokio::time::timeout(STOP_TIMEOUT, give_back).await {
        Ok(Ok(())) => log::info!(mails_total = number; "mail.given_back: {number} mails wait for another process"),
        Ok(Err(error)) => log::warn!("mail.outbox: {error}"),
        Err(_) => log::warn!("mail.outbox: the database does not answer"),
    }
}

/// One look at the outbox, which lasts as long as there is something due.
struct DeliveryRun<'s> {
    services: &'s Services,
    slots: SendSlots,
    total: Total,
    /// The last mail that was looked at for somebody to write to.
    looked_at: i64,
}

impl<'s> DeliveryRun<'s> {
    fn at(services: &'s Services) -> Self {
        Self { services, slots: SendSlots::default(), total: Total::since(services.now()), looked_at: 0 }
    }

    /// Claims the mails that have a place now.
    async fn claim(&mut self) -> Result<Vec<MailRow>, StoreError> {
        let Self { services, .. } = *self;
        let (mailer, now) = (&services.mailer, services.now());
        let (was_good, free) = (mailer.health.is_good(), self.slots.free());
        // By a wrong clock links would end at another time than they should, and mails would be given up.
        let is_paused = mailer.in_flight.is_stopping() || services.clock.check().is_err();
        let most = if is_paused { 0 } else { mailer.health.allowed(free, now) };
        if most == 0 {
            return Ok(Vec::new());
        }
        if !was_good {
            give_up_expired(services).await?;
        }
        let slots = self.slots.clone();
        let claim = services.store.run(move |connection| claim(connection, (now, now + CLAIM), slots, most));
        let (slots, claimed) = claim.await?;
        self.slots = slots;
        mailer.in_flight.add(&claimed);
        if claimed.is_empty() {
            mailer.health.not_asked(now);
        }
        Ok(claimed)
    }

    fn finish(
        &mut self,
        mail: &MailRow,
        outcome: Result<DeliveryOutcome, StoreError>,
    ) -> Result<DeliveryOutcome, StoreError> {
        self.slots.release(&SlotHolder::of(&mail.recipient, mail.requester.as_deref()));
        self.services.mailer.in_flight.remove(mail.id);
        let outcome = outcome?;
        self.total.add(&outcome);
        self.total.log_each_second(self.services.now());
        Ok(outcome)
    }
}

/// Takes mails that are due, and a place for each, until there are `most`. The database leaves out a domain that has had
/// its share, because its mails may be many; what it cannot tell by the spelling is passed over here.
fn claim(
    connection: &mut AnyConnection,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
    mut slots: SendSlots,
    most: usize,
) -> QueryResult<(SendSlots, Vec<MailRow>)> {
    let (mut claimed, mut after) = (Vec::new(), None);
    loop {
        let due = mail_outbox::list_due(connection, now, &slots.wanted(), (after, PAGE))?;
        after = due.last().map(|mail| (mail.turn_at, mail.id));
        for mail in &due {
            if claimed.len() < most && slots.take(mail) {
                match mail_outbox::claim(connection, mail, until)? {
                    Some(mail) => claimed.push(mail),
                    None => slots.release(&SlotHolder::of(&mail.recipient, mail.requester.as_deref())),
                }
            }
        }
        if claimed.len() == most || i64::try_from(due.len()) != Ok(PAGE) {
            return Ok((slots, claimed));
        }
    }
}

/// While the server takes nothing, one mail at a time asks again. Those of no use any more do not wait for that.
async fn give_up_expired(services: &Services) -> Result<(), StoreError> {
    let now = services.now();
    loop {
        let page = move |connection: &mut AnyConnection| {
            let expired = mail_outbox::list_expired(connection, now, EXPIRED_PAGE)?;
            let claimed = expired.iter().map(|mail| mail_outbox::claim(connection, mail, now + CLAIM));
            claimed.collect::<QueryResult<Vec<_>>>()
        };
        let claimed: Vec<_> = services.store.run(page).await?.into_iter().flatten().collect();
        if claimed.is_empty() {
            return Ok(());
        }
        for mail in claimed {
            attempt::give_up(services, &mail, "its time is over").await?;
        }
    }
}

/// What became of the mails of one look at the outbox.
#[derive(Debug)]
struct Total {
    sent: usize,
    over_amount: usize,
    logged_at: DateTime<Utc>,
}

impl Total {
    fn since(now: DateTime<Utc>) -> Self {
        Self { sent: 0, over_amount: 0, logged_at: now }
    }

    fn add(&mut self, outcome: &DeliveryOutcome) {
        match outcome {
            DeliveryOutcome::Sent(_) => self.sent += 1,
            DeliveryOutcome::OverAmount(mails) => self.over_amount += mails,
            DeliveryOutcome::Deferred => self.over_amount += 1,
            DeliveryOutcome::Nobody
            | DeliveryOutcome::Failed(_)
            | DeliveryOutcome::NotReady(_)
            | DeliveryOutcome::Expired => {}
        }
    }

    fn log_each_second(&mut self, now: DateTime<Utc>) {
        if now >= self.logged_at + Duration::seconds(1) {
            self.log();
            self.logged_at = now;
        }
    }

    /// One line for all, whatever a stranger asks for.
    fn log(&mut self) {
        let over_amount = std::mem::take(&mut self.over_amount);
        if over_amount > 0 {
            log::info!(
                mails_total = over_amount;
                "mail.over_amount: {over_amount} mails did not leave, because their addresses have had their amount"
            );
        }
    }
}

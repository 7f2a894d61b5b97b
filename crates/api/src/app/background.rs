//! The periodic jobs of a process.

use super::feature::BackgroundJob;
use crate::service::events::retention;
use crate::service::sessions::revocation_poll;
use crate::service::upkeep::clocks::{COMPARE_SECONDS, compare_clocks};
use crate::service::upkeep::erasures;
use crate::service::upkeep::periodic::every;
use crate::service::upkeep::prune::{self, Pruned};
use crate::service::{Services, backup, mail};
use actix_web::web::Data;
use futures_util::FutureExt;
use futures_util::future::{join, join3, join5};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How often expired data is deleted. Each process does it: rows that another one has deleted cost nothing.
const PRUNE_EVERY: Duration = Duration::from_hours(1);
/// The pause between attempts to reconnect to Redis, at first and at most.
const RECONNECT_FIRST: Duration = Duration::from_secs(1);
const RECONNECT_LAST: Duration = Duration::from_secs(30);

/// Runs a feature's job periodically. Its failures and panics do not affect anything else.
pub(super) async fn run(job: &BackgroundJob, services: &Data<Services>) -> Infallible {
    every(job.period, async || {
        let failure = match AssertUnwindSafe(async { (job.work)(services.clone()).await }).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => "it panicked".to_owned(),
        };
        log::warn!("job.failed: {}: {failure}; it runs again in {} s", job.name, job.period.as_secs());
    })
    .await
}

/// Polls the revocation feed and records the lifetime of access tokens, sends and counts mail, enforces retention, keeps the connection to Redis and observes backups,
/// for as long as the process lives.
pub(super) async fn run_builtin(services: &Services) -> Infallible {
    let seconds = Duration::from_secs;
    let feed = every(seconds(revocation_poll::POLL_SECONDS), async || poll_feed(services).await);
    let lifetime =
        every(seconds(revocation_poll::RECORD_SECONDS), async || revocation_poll::record_own_lifetime(services).await);
    let mail = every(seconds(mail::POLL_SECONDS), async || deliver_mail(services).await);
    let waiting = every(seconds(mail::MEASURE_SECONDS), async || measure_mail(services).await);
    let backups = every(seconds(backup::POLL_SECONDS), async || watch_backups(services).await);
    let pruned = every(PRUNE_EVERY, async || prune_all(services).await);
    // If the database is unavailable, the last comparison stays valid, and the poll of revocations logs the failure.
    let clocks = every(seconds(COMPARE_SECONDS), async || drop(compare_clocks(services).await));
    let mut last = None;
    let bounds = every(seconds(retention::EVERY_SECONDS), async || last = enforce_retention(services, last).await);
    join5(join3(feed, lifetime, clocks), mail, join(waiting, backups), join(pruned, bounds), keep_connected(services))
        .await
        .0
        .0
}

async fn poll_feed(services: &Services) {
    if let Err(error) = revocation_poll::poll(services).await {
        log::warn!("revocation.poll: {error}");
    }
    // Checked here, so that it is logged before a request needs the file.
    let _ = services.store.has_lost_file();
}

async fn deliver_mail(services: &Services) {
    match mail::deliver_due(services).await {
        Ok(0) => {}
        Ok(sent) => log::info!(mails_total = sent; "mail.sent: {sent} mails"),
        Err(error) => log::warn!("mail.outbox: {error}"),
    }
}

async fn measure_mail(services: &Services) {
    if let Err(error) = mail::measure(services).await {
        log::warn!("mail.outbox: {error}");
    }
}

async fn watch_backups(services: &Services) {
    if let Err(error) = backup::observe(services).await {
        log::warn!("backup.observe: {error}");
    }
}

async fn prune_all(services: &Services) {
    match prune::compare_clocks_and_prune(services).await {
        Ok(Pruned::Sessions(0)) => {}
        Ok(Pruned::Sessions(deleted)) => {
            log::info!(sessions_total = deleted; "prune.sessions: deleted {deleted} ended sessions");
        }
        Ok(Pruned::ClockIsWrong(wrong)) => {
            log::error!("prune.clock: nothing is deleted: the clock {wrong}");
        }
        Err(error) => log::warn!("prune.sessions: {error}"),
    }
}

/// Between two prunes: removes the excess events of accounts since the last call, which ended with the event `last`.
async fn enforce_retention(services: &Services, last: Option<i64>) -> Option<i64> {
    if let Err(error) = erasures::finish_recent(services).await {
        log::warn!("erasures.rest: {error}");
    }
    let pruned = match last {
        Some(event) => retention::prune_recent(services, event).await,
        None => retention::newest_event(services).await,
    };
    match pruned {
        Ok(event) => Some(event),
        Err(error) => {
            log::warn!("retention.events: {error}");
            last
        }
    }
}

/// Keeps the connection to Redis for the limits; retries with growing pauses while there is none.
async fn keep_connected(services: &Services) {
    let mut pause = RECONNECT_FIRST;
    loop {
        pause = if services.connect_to_redis().await { RECONNECT_FIRST } else { (pause * 2).min(RECONNECT_LAST) };
        tokio::time::sleep(pause).await;
    }
}

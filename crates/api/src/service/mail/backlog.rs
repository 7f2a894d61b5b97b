//! The backlog of queued mails, for the metrics.

use crate::service::Services;
use crate::store::{StoreError, mail_outbox};
use std::sync::Arc;

/// How often the backlog is measured, seconds: Prometheus scrapes no more often.
pub const MEASURE_SECONDS: u64 = 15;

/// Measures how many mails wait, and for how long, for `/metrics`. When none waits, the server's refusals are forgotten.
///
/// # Errors
/// [`StoreError`]; the previous values stay.
pub async fn measure(services: &Services) -> Result<(), StoreError> {
    let now = services.shared_now().get(); // the clock that the rows were written by
    let mails = Arc::clone(&services.mails);
    let backlog = services.store.run(move |connection| mail_outbox::backlog(connection, now, mails.kinds()));
    let (queued, oldest) = backlog.await?;
    let age = oldest.map_or(0, |written_at| (now - written_at).num_seconds().max(0));
    services.mailer.metrics.queued.set(queued);
    services.mailer.metrics.oldest_age.set(age);
    if oldest.is_none() {
        forget_refusals(services);
    }
    Ok(())
}

/// Another process may have reached the server and sent the rest.
fn forget_refusals(services: &Services) {
    services.mailer.refusals.clear();
    services.mailer.metrics.server_refuses.set(0);
}

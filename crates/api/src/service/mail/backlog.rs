//! Mail that waits, counted.

use crate::service::Services;
use crate::store::{StoreError, mail_outbox};

/// How often what waits is counted, seconds: as often as Prometheus asks at most.
pub const MEASURE_SECONDS: u64 = 15;

/// Notes how much mail waits, and for how long, for `/metrics`.
///
/// # Errors
/// When the database does not answer; what was noted before stays.
pub async fn measure(services: &Services) -> Result<(), StoreError> {
    let now = services.shared_now().0; // by which they were written
    let (waiting, oldest) = services.store.run(move |connection| mail_outbox::backlog(connection, now)).await?;
    let age = oldest.map_or(0, |written_at| (now - written_at).num_seconds().max(0));
    services.mailer.metrics.waiting.set(waiting);
    services.mailer.metrics.oldest_age.set(age);
    if oldest.is_none() {
        // Another process may have found the server willing, and sent the rest.
        services.mailer.refusals.forget();
        services.mailer.metrics.server_refuses.set(0);
    }
    Ok(())
}

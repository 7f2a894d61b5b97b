//! Compares this process's clock with the database's.

use crate::clock::WrongClock;
use crate::service::Services;
use crate::store::StoreError;
use crate::store::connection::database_time;

/// How often they are compared, seconds.
pub const COMPARE_SECONDS: u64 = 5;

/// Reads the database's clock, and logs when this process's clock becomes wrong or right again.
///
/// # Errors
/// When the database does not respond; then the last reading stays.
pub async fn compare_clocks(services: &Services) -> Result<(), StoreError> {
    let clock = services.clock.clone();
    let compared = services.store.run(move |connection| clock.compare(|| database_time(connection), report)).await;
    if let Some(turned) = services.clock.turned() {
        report(turned);
    }
    compared
}

fn report(turned: Result<(), WrongClock>) {
    match turned {
        Err(wrong) => log::error!(
            "clock.wrong: {wrong}: no expiry is final, no mail leaves and nothing is deleted until it is right"
        ),
        Ok(()) => log::info!("clock.right: it agrees with the database's again"),
    }
}

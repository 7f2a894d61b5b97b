//! Compares this process's clock with the database's.

use crate::service::Services;
use crate::store::StoreError;
use crate::store::connection::database_time;

/// How often they are compared, seconds.
pub const COMPARE_SECONDS: u64 = 5;

/// Notes what the database's clock shows.
///
/// # Errors
/// When the database does not answer; what is known stays.
pub async fn compare_clocks(services: &Services) -> Result<(), StoreError> {
    let clock = services.clock.clone();
    services.store.run(move |connection| clock.compare(|| database_time(connection))).await
}

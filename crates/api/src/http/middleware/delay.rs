//! Delays rejections for load. Most flooding clients wait for a response before they send the next request on a
//! connection, and a rejection costs them nothing: without a pause, some hundred connections keep every worker busy.

use crate::http::connection::watch::ConnectionRequests;
use crate::problem::Problem;
use crate::service::Services;
use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use std::cell::Cell;
use std::time::Duration;

/// Sends a 429, or a 503 because of a full queue, only after [`Timeouts::rejection`], unless connections are scarce: then a
/// waiting connection costs more than the next request on it. An outage is reported at once.
///
/// [`Timeouts::rejection`]: crate::config::Timeouts::rejection
pub async fn delay_rejections(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?;
    if is_caused_by_load(&response)
        && let Some(services) = response.request().app_data::<Data<Services>>()
        && !response.request().conn_data::<ConnectionRequests>().is_some_and(ConnectionRequests::connections_are_scarce)
    {
        tokio::time::sleep(spread(services.settings.timeouts.rejection)).await;
    }
    Ok(response)
}

fn is_caused_by_load(response: &ServiceResponse<BoxBody>) -> bool {
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    problem.is_some_and(Problem::is_caused_by_load)
}

/// Between 0.5 and 1.5 times the mean, evenly spread over the rejections of this thread: clients that were rejected together
/// must not all come back together.
fn spread(mean: Duration) -> Duration {
    /// 2³² divided by the golden ratio: multiples of it, modulo 2³², fill the range evenly however many there are (Knuth,
    /// The Art of Computer Programming, volume 3, section 6.4).
    const STEP: u32 = 0x9e37_79b9;
    thread_local! {
        static POSITION: Cell<u32> = const { Cell::new(0) };
    }
    let position = POSITION.get().wrapping_add(STEP);
    POSITION.set(position);
    mean / 2 + mean.mul_f64(f64::from(position) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Problem, spread};
    use crate::gate::Busy;
    use std::time::Duration;

    #[test]
    fn an_outage_is_not_a_rejection_for_load() {
        assert!(Problem::throttled(60).is_caused_by_load());
        assert!(Problem::from(Busy).is_caused_by_load());
        assert!(!Problem::unavailable().is_caused_by_load());
    }

    #[test]
    fn pauses_are_spread_evenly_around_their_mean() {
        const MEAN: Duration = Duration::from_secs(1);
        let mut pauses: Vec<_> = (0..100).map(|_| spread(MEAN)).collect();
        pauses.sort_unstable();
        assert!(pauses[0] >= MEAN / 2 && pauses[99] <= MEAN * 3 / 2, "{pauses:?}");
        let widest = pauses.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max();
        assert!(widest < Some(MEAN / 30), "{widest:?}");
        assert_eq!(spread(Duration::ZERO), Duration::ZERO);
    }
}

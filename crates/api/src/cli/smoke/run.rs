//! Runs the checks in order.

use super::checks;
use super::context::{MAX_ACCESS_LIFETIME, Smoke, SmokePlan};
use super::report::{SmokeReport, SmokeRow};
use super::response::CheckFailure;
use crate::clock::SharedClock;
use actix_web::rt::signal::{ctrl_c, unix};
use futures_util::future::{Either, select};
use std::cell::RefCell;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;

/// How long a run may take without waiting for a token to expire.
const RUN: Duration = Duration::from_mins(10);

/// Runs every check whose needs are met, and deletes what was created: also after a failure, after Ctrl-C or SIGTERM, and
/// after a timeout.
///
/// # Errors
/// If this machine has no root certificates.
pub async fn run(plan: SmokePlan, clock: SharedClock) -> Result<SmokeReport, reqwest::Error> {
    let limit = if plan.wait { RUN + MAX_ACCESS_LIFETIME } else { RUN };
    let smoke = Smoke::new(plan, clock)?;
    let rows = RefCell::new(Vec::new());
    let ended_early = match select(pin!(timeout(limit, smoke.check_all(&rows))), pin!(interruption())).await {
        Either::Left((Ok(()), _)) => None,
        Either::Left((Err(_), _)) => Some("the run took too long"),
        Either::Right(_) => Some("the run was interrupted"),
    };
    let mut rows = rows.into_inner();
    for check in checks::ALL.iter().skip(rows.len()) {
        let why = ended_early.unwrap_or_default().to_owned();
        rows.push(SmokeRow::of(check, Err(CheckFailure::Skipped(why))));
    }
    rows.push(SmokeRow::of(&checks::TIDIED, (checks::TIDIED.look)(&smoke).await));
    Ok(SmokeReport::new(&smoke.plan, rows, ended_early.is_some()))
}

/// Resolves on Ctrl-C or SIGTERM.
async fn interruption() {
    let Ok(mut terminated) = unix::signal(unix::SignalKind::terminate()) else { return std::future::pending().await };
    select(pin!(ctrl_c()), pin!(terminated.recv())).await;
}

impl Smoke {
    async fn check_all(&self, rows: &RefCell<Vec<SmokeRow>>) {
        for check in checks::ALL {
            let unmet = check.needs.iter().find(|need| !rows.borrow().iter().any(|row| row.has_passed(need)));
            let seen = match unmet {
                Some(need) => Err(CheckFailure::Skipped(format!("needs {need}"))),
                None => (check.look)(self).await,
            };
            rows.borrow_mut().push(SmokeRow::of(check, seen));
        }
    }
}

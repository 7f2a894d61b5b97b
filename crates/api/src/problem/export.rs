//! Exports.

use super::Problem;
use crate::service::accounts::export::{ExportError, NoSlot};

/// Seconds after which the export that is under way may have ended.
const RETRY_AFTER_SECONDS: u32 = 10;

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Refused(refusal) => refusal.into(),
            ExportError::Throttled(throttled) => throttled.into(),
            ExportError::NoSlot(NoSlot::Account | NoSlot::Client) => Self::throttled(RETRY_AFTER_SECONDS),
            ExportError::Elsewhere(seconds) => Self::throttled(seconds),
            ExportError::NoSlot(NoSlot::Process) => Self::unavailable().for_load(),
            ExportError::Busy(busy) => busy.into(),
            ExportError::Json(cause) => Self::internal(cause),
            ExportError::Store(error) => error.into(),
        }
    }
}

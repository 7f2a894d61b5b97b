//! Everything that is stored about the caller, as a file that is written while it is sent.
//!
//! The file is read page by page, each page on a connection for itself, and continues after the last row of the
//! previous one. So an export holds a page of memory and, while its client reads, no connection: one transaction for all of it
//! would hold both for as long as a slow client reads. Each page authorizes the caller again. If that or a page fails, the
//! response is cut off, so that a part cannot be mistaken for the whole.

mod document;
mod metrics;
mod slots;

pub use metrics::ExportMetrics;
pub use slots::{ExportSlots, NoSlot};

use crate::service::leases::HeldElsewhere;
use crate::service::limits::Budget;
use crate::service::tables::ExportSubject;
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::{self, EventKind};
use bytes::Bytes;
use document::{ExportCursor, ExportDocument};
use metrics::ExportOutcome;
use slots::Slot;
use std::sync::Arc;

/// The lease that is held while an export of an account is in progress.
const LEASE: &str = "export";

/// Why an export was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportRefusal {
    #[error(transparent)]
    NoSlot(#[from] NoSlot),
    #[error("an export of this account is under way at another process, for {} s at most", .0.seconds)]
    HeldElsewhere(#[from] HeldElsewhere),
}

/// Why an export failed, before its begin or before its end.
pub type ExportError = Error<ExportRefusal>;

/// A running export. Dropping it frees its slot.
#[derive(Debug)]
pub struct Export {
    caller: CurrentUser,
    document: ExportDocument,
    /// What is read next; `None` when everything is written.
    cursor: Option<ExportCursor>,
    slot: Slot,
}

/// Begins an export and records an event, by which an owner who did not request it can notice.
///
/// # Errors
/// [`Error`]; then nothing is exported.
pub async fn begin(services: &Services, caller: CurrentUser, client: ClientInfo) -> Result<Export, ExportError> {
    let slot = services.exports.enter(caller.id, client.network);
    let slot = slot.map_err(|full| Error::Refused(full.into()))?;
    let name = caller.id.to_string();
    let at = services.now();
    services.leases.hold(LEASE, &name).await.map_err(|held| Error::Refused(held.into()))?;
    if let Err(error) = record(services, caller, client).await {
        services.leases.release(LEASE, &name).await;
        return Err(error);
    }
    let lists = services.schema.tables.iter().filter_map(|table| table.export.clone()).collect();
    let document = ExportDocument { begun_at: at, lists };
    Ok(Export { caller, document, cursor: Some(ExportCursor::Head), slot })
}

/// The one write of an export, before anything is read.
async fn record(services: &Services, caller: CurrentUser, client: ClientInfo) -> Result<(), ExportError> {
    let mut charges = services.limits.charges(&client);
    charges.charge(Budget::ExportUser, &caller.id.to_string()).await?;
    let context = services.context(client);
    let recording = caller.write(services, move |connection, user, _| {
        events::insert(connection, &context.event(user.id, EventKind::DataExported)).map(Ok)
    });
    let recorded: Result<(), ExportError> = recording.await;
    if recorded.is_err() {
        charges.refund().await; // nothing is exported
    }
    recorded
}

impl Export {
    /// The next part of the document, or `None` after the last.
    ///
    /// # Errors
    /// [`Error`]; then what was sent so far is incomplete.
    pub async fn next(&mut self, services: &Services) -> Result<Option<Bytes>, ExportError> {
        let name = self.caller.id.to_string();
        let Some(cursor) = self.cursor.take() else {
            services.exports.metrics.count(ExportOutcome::Completed);
            services.leases.release(LEASE, &name).await;
            return Ok(None);
        };
        // This process holds the lease; this only renews it.
        let _ = services.leases.hold(LEASE, &name).await;
        let page = self.page(services, cursor).await.inspect_err(|error| {
            log::warn!("export.cut: {error}");
            services.exports.metrics.count(ExportOutcome::Cut);
        });
        let (bytes, next) = page?;
        self.cursor = next;
        Ok(Some(bytes))
    }

    async fn page(
        &self,
        services: &Services,
        cursor: ExportCursor,
    ) -> Result<(Bytes, Option<ExportCursor>), ExportError> {
        let _permit = self.slot.read_permit().await?;
        let document = self.document.clone();
        let caller = self.caller;
        let settings = Arc::clone(&services.settings);
        let reading = caller.read(services, move |connection, user| {
            document.read(connection, cursor, &ExportSubject { user, caller, settings })
        });
        let (bytes, next) = reading.await??;
        Ok((bytes.into(), next))
    }
}

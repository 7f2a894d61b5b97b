//! Everything that is stored about the caller, for them to keep: a file that is written while it is sent.
//!
//! The file is read page by page, each page in a short transaction of its own that goes on from the last row of the one
//! before. So an export holds a page of memory and, while its client reads, no connection: one transaction for all of it
//! would hold both for as long as a slow client likes. Each page asks again whether the caller may act. When that or a
//! page fails, the response is cut, so that nobody takes a part for the whole.

mod document;
mod metrics;
mod slots;

pub use metrics::ExportMetrics;
pub use slots::{ExportSlots, NoSlot};

use crate::service::limits::Budget;
use crate::service::tables::Subject;
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::{self, EventKind};
use bytes::Bytes;
use document::{ExportCursor, File};
use metrics::ExportOutcome;
use slots::Slot;
use std::sync::Arc;

/// What is held for an account while one of its exports is under way.
const LEASE: &str = "export";

/// Why nothing was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportRefusal {
    #[error(transparent)]
    NoSlot(#[from] NoSlot),
    #[error("an export of this account is under way at another process, for {0} s at most")]
    Elsewhere(u32),
}

/// Why nothing was handed out, or not all of it.
pub type ExportError = Error<ExportRefusal>;

/// An export under way. Dropped, it lets the next one begin.
#[derive(Debug)]
pub struct Export {
    caller: CurrentUser,
    file: File,
    /// What is read next; `None` when all is written.
    cursor: Option<ExportCursor>,
    slot: Slot,
}

/// Begins an export, and notes that: whoever did not ask for it finds the event.
///
/// # Errors
/// [`Error`]; nothing is handed out then.
pub async fn begin(services: &Services, caller: CurrentUser, client: ClientInfo) -> Result<Export, ExportError> {
    let slot = services.exports.enter(caller.id, client.network);
    let slot = slot.map_err(|full| Error::Refused(full.into()))?;
    let (name, at) = (caller.id.to_string(), services.now());
    services.limits.hold(LEASE, &name).await.map_err(|seconds| Error::Refused(ExportRefusal::Elsewhere(seconds)))?;
    if let Err(error) = note(services, caller, client).await {
        services.limits.release(LEASE, &name).await;
        return Err(error);
    }
    let lists = services.schema.tables.iter().filter_map(|table| table.export.clone()).collect();
    let file = File { begun_at: at, lists };
    Ok(Export { caller, file, cursor: Some(ExportCursor::Head), slot })
}

/// The one write of an export, before anything is read.
async fn note(services: &Services, caller: CurrentUser, client: ClientInfo) -> Result<(), ExportError> {
    let mut attempts = services.limits.attempts(&client);
    attempts.by_name(Budget::ExportUser, &caller.id.to_string()).await?;
    let context = services.context(client);
    let noted = caller.write(services, move |connection, user, _| {
        events::insert(connection, &context.event(user.id, EventKind::DataExported)).map(Ok)
    });
    let noted: Result<(), ExportError> = noted.await;
    if noted.is_err() {
        attempts.refund().await; // nothing is handed out
    }
    noted
}

impl Export {
    /// The next part of the file, or `None` after the last.
    ///
    /// # Errors
    /// [`Error`]: what was handed out so far is not the whole.
    pub async fn next(&mut self, services: &Services) -> Result<Option<Bytes>, ExportError> {
        let name = self.caller.id.to_string();
        let Some(cursor) = self.cursor.take() else {
            services.exports.metrics.count(ExportOutcome::Completed);
            services.limits.release(LEASE, &name).await;
            return Ok(None);
        };
        // It is ours; this only says that the export goes on.
        let _ = services.limits.hold(LEASE, &name).await;
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
        let _turn = self.slot.turn().await?;
        let (file, caller, settings) = (self.file.clone(), self.caller, Arc::clone(&services.settings));
        let page = caller
            .read(services, move |connection, user| file.read(connection, cursor, &Subject { user, caller, settings }));
        let (bytes, next) = page.await??;
        Ok((bytes.into(), next))
    }
}

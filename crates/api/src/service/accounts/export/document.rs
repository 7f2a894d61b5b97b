//! The document, in the order in which it is written, part by part: [`ExportResponse`](auth_types::export::ExportResponse).

use crate::service::accounts::user_view;
use crate::service::tables::{ExportList, ExportSubject, ListPosition};
use crate::store::{AnyConnection, QueryResult};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Rows of a page, which is what an export holds in memory.
const PAGE: i64 = 250;

/// Where the file continues.
#[derive(Debug, Clone)]
pub(super) enum ExportCursor {
    Head,
    /// In the list with this index, after this row, or at its beginning.
    List(usize, Option<ListPosition>),
}

/// What all parts of one file have in common.
#[derive(Debug, Clone)]
pub(super) struct ExportDocument {
    pub(super) begun_at: DateTime<Utc>,
    pub(super) lists: Arc<[ExportList]>,
}

/// A part of the document, and where the file continues; `None` after the end.
pub(super) type DocumentPart = (Vec<u8>, Option<ExportCursor>);

impl ExportDocument {
    /// Reads the part that begins at the cursor.
    pub(super) fn read(
        &self,
        connection: &mut AnyConnection,
        cursor: ExportCursor,
        subject: &ExportSubject,
    ) -> QueryResult<serde_json::Result<DocumentPart>> {
        let (number, after) = match cursor {
            ExportCursor::Head => return Ok(self.head(subject)),
            ExportCursor::List(number, after) => (number, after),
        };
        let Some(list) = self.lists.get(number) else { return Ok(Ok((b"}".to_vec(), None))) };
        let rows = match list.page(connection, subject, after.as_ref(), PAGE)? {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
        let (mut positions, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let begin = if after.is_none() { format!(",\"{}\":[", list.list) } else { String::new() };
        let between = if after.is_none() || rows.is_empty() { "" } else { "," };
        let text = format!("{begin}{between}{}{}", rows.join(","), if is_full { "" } else { "]" });
        let next =
            if is_full { ExportCursor::List(number, positions.pop()) } else { ExportCursor::List(number + 1, None) };
        Ok(Ok((text.into_bytes(), Some(next))))
    }

    /// The account itself, without the brace that ends the document.
    fn head(&self, subject: &ExportSubject) -> serde_json::Result<DocumentPart> {
        let head = format!("{{\"exported_at\":{},\"user\":", serde_json::to_string(&self.begun_at)?);
        let mut out = head.into_bytes();
        serde_json::to_writer(&mut out, &user_view::exported(subject.user.clone()))?;
        Ok((out, Some(ExportCursor::List(0, None))))
    }
}

//! A file that is written piece by piece.

use super::{FileError, FileProblem, Operation};
use bytes::Bytes;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Attributes, ObjectStore};
use std::pin::Pin;
use std::sync::Arc;
use tokio::io::AsyncWrite;
use tokio::runtime::Handle;

/// Size of a part, bytes. An upload holds [`PARTS_AT_ONCE`] and one more in memory. All parts except the last have the same size, as
/// R2 requires, and S3 accepts 10,000 of them: 80 GB.
const PART_BYTES: usize = 8 * 1024 * 1024;
const PARTS_AT_ONCE: usize = 2;

/// A file that is being uploaded. It appears under its name at [`Upload::finish`]. After a failure, or when this is dropped, the parts
/// that were sent are discarded.
#[derive(Debug)]
pub struct Upload {
    name: String,
    /// `None` once the upload has ended.
    writer: Option<BufWriter>,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, name: &str, attributes: Attributes) -> Self {
        let writer = BufWriter::with_capacity(store, Path::from(name), PART_BYTES)
            .with_max_concurrency(PARTS_AT_ONCE)
            .with_attributes(attributes);
        Self { name: name.to_owned(), writer: Some(writer) }
    }

    /// Writes the next piece, at most a few MiB. Waits while `PARTS_AT_ONCE` parts are being sent.
    ///
    /// # Errors
    /// [`FileError`]; the upload has ended then.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), FileError> {
        let Some(writer) = &mut self.writer else { return Err(self.has_ended()) };
        let written = writer.put(piece).await;
        if let Err(error) = written {
            self.abort().await;
            return Err(FileError::new(Operation::Write, &self.name, error.into()));
        }
        Ok(())
    }

    /// Sends the rest and completes the file.
    ///
    /// # Errors
    /// [`FileError`]; no file was written then, unless only the response was lost.
    pub async fn finish(mut self) -> Result<(), FileError> {
        let Some(mut writer) = self.writer.take() else { return Err(self.has_ended()) };
        // Aborts by itself when it fails.
        let finished = std::future::poll_fn(|context| Pin::new(&mut writer).poll_shutdown(context)).await;
        finished.map_err(|error| FileError::new(Operation::Write, &self.name, FileProblem::from(error)))
    }

    /// Discards the parts that were sent.
    pub async fn abort(&mut self) {
        if let Some(writer) = self.writer.take() {
            discard(writer, &self.name).await;
        }
    }

    fn has_ended(&self) -> FileError {
        FileError::new(Operation::Write, &self.name, FileProblem::Failed("the upload has ended".to_owned()))
    }
}

impl Drop for Upload {
    /// Discards the parts in the background. If the process ends before that, the bucket's own rule deletes them (R2 has one, after a
    /// week).
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.writer.take(), Handle::try_current()) {
            let name = std::mem::take(&mut self.name);
            runtime.spawn(async move { discard(writer, &name).await });
        }
    }
}

async fn discard(mut writer: BufWriter, name: &str) {
    if let Err(error) = writer.abort().await {
        let error = FileError::new(Operation::Delete, name, error.into());
        log::warn!("files.upload: {error}; its parts are still there");
    }
}

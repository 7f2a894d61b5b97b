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

/// Bytes of a part: what an upload holds in memory, times [`PARTS_AT_ONCE`] and one. All parts but the last are of one
/// size, as R2 wants it, and S3 takes 10,000 of them: 80 GB.
const PART_BYTES: usize = 8 * 1024 * 1024;
const PARTS_AT_ONCE: usize = 2;

/// A file under way. Nothing is there under its name until [`Upload::finish`]; what was sent until a failure, or until
/// this was dropped, is thrown away.
#[derive(Debug)]
pub struct Upload {
    name: String,
    /// `None` when it has come to an end.
    writer: Option<BufWriter>,
}

impl Upload {
    pub(super) fn new(store: Arc<dyn ObjectStore>, name: &str, attributes: Attributes) -> Self {
        let writer = BufWriter::with_capacity(store, Path::from(name), PART_BYTES)
            .with_max_concurrency(PARTS_AT_ONCE)
            .with_attributes(attributes);
        Self { name: name.to_owned(), writer: Some(writer) }
    }

    /// Takes the next piece, at most a few MiB. It waits while enough parts are on their way.
    ///
    /// # Errors
    /// [`FileError`]; the upload has come to an end then.
    pub async fn write(&mut self, piece: Bytes) -> Result<(), FileError> {
        let Some(writer) = &mut self.writer else { return Err(self.has_ended()) };
        let written = writer.put(piece).await;
        if let Err(error) = written {
            self.abort().await;
            return Err(FileError::new(Operation::Write, &self.name, error.into()));
        }
        Ok(())
    }

    /// Sends what is left, and gives the file its name.
    ///
    /// # Errors
    /// [`FileError`]; there is no new file then, unless it was the answer that got lost.
    pub async fn finish(mut self) -> Result<(), FileError> {
        let Some(mut writer) = self.writer.take() else { return Err(self.has_ended()) };
        // Aborts by itself when it fails.
        let finished = std::future::poll_fn(|context| Pin::new(&mut writer).poll_shutdown(context)).await;
        finished.map_err(|error| FileError::new(Operation::Write, &self.name, FileProblem::from(error)))
    }

    /// Throws away what was sent.
    pub async fn abort(&mut self) {
        if let Some(writer) = self.writer.take() {
            throw_away(writer, &self.name).await;
        }
    }

    fn has_ended(&self) -> FileError {
        FileError::new(Operation::Write, &self.name, FileProblem::Failed("the upload has come to an end".to_owned()))
    }
}

impl Drop for Upload {
    /// Whoever drops an upload does not wait; what is left when the process ends before, the bucket's own rule deletes
    /// (R2 has one, of a week).
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.writer.take(), Handle::try_current()) {
            let name = std::mem::take(&mut self.name);
            runtime.spawn(async move { throw_away(writer, &name).await });
        }
    }
}

async fn throw_away(mut writer: BufWriter, name: &str) {
    if let Err(error) = writer.abort().await {
        let error = FileError::new(Operation::Delete, name, error.into());
        log::warn!("files.upload: {error}; its parts are still there");
    }
}

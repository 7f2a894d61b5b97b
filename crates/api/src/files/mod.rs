//! Files, stored in a folder on this machine or in a bucket of R2 or any S3, with the same behaviour. A file appears atomically, with
//! its whole content.
//!
//! No other module names `object_store`.

mod error;
mod list;
mod open;
mod upload;

pub use error::{FileError, FileProblem, Operation};
pub use open::{OpenError, RetryPolicy};
pub use upload::Upload;

use self::list::Listed;
use crate::config::{StorageSettings, Timeouts};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Attribute, Attributes, ObjectMeta, ObjectStore, ObjectStoreExt, PutOptions};
use std::sync::Arc;
use std::time::Duration;

/// The storage of files, shared by all its users.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    listed: Listed,
    /// As in [`Timeouts`].
    timeout: Duration,
    piece_timeout: Duration,
}

/// A file's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Parts separated by `/`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    pub modified_at: DateTime<Utc>,
}

/// A file that is being read.
pub struct OpenedFile {
    pub info: FileInfo,
    pub content: BoxStream<'static, Result<Bytes, FileError>>,
}

impl Files {
    /// Opens the storage without connecting to it: the first operation reports a storage that is unreachable or refuses the key.
    ///
    /// # Errors
    /// If the configuration names neither a valid folder nor a valid bucket.
    pub fn open(settings: &StorageSettings, retries: RetryPolicy, timeouts: Timeouts) -> Result<Self, OpenError> {
        let (store, listed) = open::store(settings, retries)?;
        Ok(Self { store, listed, timeout: timeouts.file, piece_timeout: timeouts.file_piece })
    }

    /// Writes a small file, and replaces one of the same name.
    ///
    /// # Errors
    /// [`FileError`]; no file was written then, unless only the response was lost.
    pub async fn put(&self, name: &str, content: Bytes, content_type: &'static str) -> Result<(), FileError> {
        let options = PutOptions::from(self.attributes(content_type));
        let path = Path::from(name);
        let put = self.store.put_opts(&path, content.into(), options);
        self.within(Operation::Write, name, put).await.map(|_| ())
    }

    /// Begins writing a file that is too large for memory, or not complete yet.
    pub fn upload(&self, name: &str, content_type: &'static str) -> Upload {
        Upload::new(Arc::clone(&self.store), name, self.attributes(content_type))
    }

    /// The whole content of a small file.
    ///
    /// # Errors
    /// [`FileError`], also if there is no such file.
    pub async fn get(&self, name: &str) -> Result<Bytes, FileError> {
        let path = Path::from(name);
        self.within(Operation::Read, name, async { self.store.get(&path).await?.bytes().await }).await
    }

    /// Opens a file to read it piece by piece. Each piece has its own time-out; after a broken connection, reading continues where it
    /// stopped.
    ///
    /// # Errors
    /// [`FileError`], also for each piece.
    pub async fn find(&self, name: &str) -> Result<Option<OpenedFile>, FileError> {
        let path = Path::from(name);
        let result = if_exists(self.within(Operation::Read, name, self.store.get(&path)).await)?;
        Ok(result.map(|result| {
            let info = FileInfo::from(result.meta.clone());
            OpenedFile { info, content: self.each_in_time(Operation::Read, name, result.into_stream()) }
        }))
    }

    /// A file's metadata.
    pub async fn info(&self, name: &str) -> Result<Option<FileInfo>, FileError> {
        let path = Path::from(name);
        let meta = self.within(Operation::Read, name, self.store.head(&path)).await;
        if_exists(meta.map(FileInfo::from))
    }

    /// Deletes a file. It is not an error if the file does not exist.
    pub async fn delete(&self, name: &str) -> Result<(), FileError> {
        let path = Path::from(name);
        if_exists(self.within(Operation::Delete, name, self.store.delete(&path)).await).map(|_| ())
    }

    /// The files of a folder whose names begin with `start`, in no particular order, with one page in memory at a time.
    ///
    /// Other files are ignored, and keys of a bucket that are not valid paths (`folder//x`, a line feed) are skipped.
    pub fn list(&self, folder: &str, start: &str) -> BoxStream<'static, Result<FileInfo, FileError>> {
        let files = self.listed.list(folder, start);
        let start = format!("{folder}/{start}");
        let is_meant =
            move |file: &FileInfo| ready(file.name.strip_prefix(&start).is_some_and(|rest| !rest.contains('/')));
        self.each_in_time(Operation::List, folder, files).map_ok(FileInfo::from).try_filter(is_meant).boxed()
    }

    fn attributes(&self, content_type: &'static str) -> Attributes {
        // A folder cannot store attributes, and refuses them.
        let kept = matches!(self.listed, Listed::Bucket(_)).then_some((Attribute::ContentType, content_type));
        kept.into_iter().collect()
    }

    async fn within<T>(
        &self,
        operation: Operation,
        name: &str,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, FileError> {
        within(self.timeout, work).await.map_err(|problem| FileError::new(operation, name, problem))
    }

    /// Applies the time-out to each piece of a stream, and ends it at the first failure.
    fn each_in_time<T: Send + 'static>(
        &self,
        operation: Operation,
        name: &str,
        pieces: BoxStream<'static, object_store::Result<T>>,
    ) -> BoxStream<'static, Result<T, FileError>> {
        let name = name.to_owned();
        let timeout = self.piece_timeout;
        let next = move |pieces: Option<BoxStream<'static, object_store::Result<T>>>| {
            let name = name.clone();
            async move {
                let mut pieces = pieces?;
                let piece = within(timeout, pieces.try_next()).await.transpose()?;
                let rest = piece.is_ok().then_some(pieces);
                Some((piece.map_err(|problem| FileError::new(operation, &name, problem)), rest))
            }
        };
        stream::unfold(Some(pieces), next).boxed()
    }
}

/// Limits the time that `work` may take.
async fn within<T>(timeout: Duration, work: impl Future<Output = object_store::Result<T>>) -> Result<T, FileProblem> {
    match tokio::time::timeout(timeout, work).await {
        Ok(done) => done.map_err(FileProblem::from),
        Err(_) => Err(FileProblem::TooSlow(timeout)),
    }
}

/// Turns the error of a missing file into `None`.
fn if_exists<T>(result: Result<T, FileError>) -> Result<Option<T>, FileError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(FileError { problem: FileProblem::Missing, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl From<ObjectMeta> for FileInfo {
    fn from(meta: ObjectMeta) -> Self {
        Self { name: meta.location.to_string(), size: meta.size, modified_at: meta.last_modified }
    }
}

impl std::fmt::Debug for OpenedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenedFile").field("info", &self.info).finish_non_exhaustive()
    }
}

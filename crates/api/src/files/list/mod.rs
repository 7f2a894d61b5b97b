//! Listing files by the beginning of their names. `object_store` ends a list at the first name that it does not accept as a path, and
//! other programs may keep such names in the same folder or bucket.

mod odd_keys;

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, Result};
use odd_keys::{PagePosition, read_page};
use std::path::PathBuf;
use std::sync::Arc;

/// What is listed.
#[derive(Debug, Clone)]
pub(super) enum Listed {
    Folder(PathBuf),
    Bucket(Arc<AmazonS3>),
}

impl Listed {
    pub(super) fn list(&self, folder: &str, start: &str) -> BoxStream<'static, Result<ObjectMeta>> {
        match self {
            Self::Folder(root) => list_folder(root.join(folder), folder.to_owned(), start.to_owned()),
            Self::Bucket(bucket) => list_bucket(Arc::clone(bucket), format!("{folder}/{start}")),
        }
    }
}

fn list_bucket(bucket: Arc<AmazonS3>, start: String) -> BoxStream<'static, Result<ObjectMeta>> {
    let page = move |position: Option<PagePosition>| {
        let bucket = Arc::clone(&bucket);
        let start = start.clone();
        async move {
            let Some(position) = position else { return Ok(None) };
            let (files, next) = read_page(&bucket, &start, position).await?;
            Ok::<_, Error>(Some((stream::iter(files.into_iter().map(Ok)), next)))
        }
    };
    stream::try_unfold(Some(PagePosition::default()), page).try_flatten().boxed()
}

fn list_folder(path: PathBuf, folder: String, start: String) -> BoxStream<'static, Result<ObjectMeta>> {
    let read = async move {
        let read = tokio::task::spawn_blocking(move || read_folder(&path, &folder, &start));
        let files = read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let files = files.map_err(|error| Error::Generic { store: "folder", source: Box::new(error) })?;
        Ok::<_, Error>(stream::iter(files.into_iter().map(Ok)))
    };
    stream::once(read).try_flatten().boxed()
}

fn read_folder(path: &std::path::Path, folder: &str, start: &str) -> std::io::Result<Vec<ObjectMeta>> {
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        // A file that is being written has a `#` in its name.
        let Some(name) = name.to_str().filter(|name| name.starts_with(start) && !name.contains('#')) else { continue };
        let (Ok(location), Ok(metadata)) = (Path::parse(format!("{folder}/{name}")), entry.metadata()) else {
            continue;
        };
        if metadata.is_file() {
            files.push(ObjectMeta {
                location,
                last_modified: metadata.modified()?.into(),
                size: metadata.len(),
                e_tag: None,
                version: None,
            });
        }
    }
    Ok(files)
}

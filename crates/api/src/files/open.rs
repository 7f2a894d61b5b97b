//! Opens the configured storage: a folder, or a bucket.

use super::list::Listed;
use crate::config::{S3Settings, StorageSettings};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long the bucket's server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the next piece of a response may take, or the first one after the whole request was sent.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause between two attempts; the first is a tenth of a second.
const MAX_PAUSE: Duration = Duration::from_secs(8);
/// How long after the first attempt another one may begin.
const RETRY_TIMEOUT: Duration = Duration::from_secs(45);

/// How often a request is repeated if the bucket's server is unreachable or failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryPolicy {
    /// For checks: a retry would hide the problem that they should find.
    Once,
    /// For requests: a client is waiting.
    Few,
    /// For backups: no client is waiting, and a failure means starting again from the beginning.
    Many,
}

/// Why the configured storage cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the folder {0:?} for files has a name that cannot be used")]
    Folder(std::path::PathBuf),
    #[error("AWS_*: cannot be used: {0}")]
    Bucket(String),
}

/// The storage, and the way to list it.
pub(super) type OpenedStorage = (Arc<dyn ObjectStore>, Listed);

pub(super) fn store(settings: &StorageSettings, retries: RetryPolicy) -> Result<OpenedStorage, OpenError> {
    match settings {
        StorageSettings::Folder(folder) => Ok((open_folder(folder)?, Listed::Folder(folder.clone()))),
        StorageSettings::S3(s3) => {
            let bucket = open_bucket(s3, retries)?;
            Ok((Arc::clone(&bucket) as Arc<dyn ObjectStore>, Listed::Bucket(bucket)))
        }
    }
}

fn open_folder(folder: &std::path::Path) -> Result<Arc<dyn ObjectStore>, OpenError> {
    let unusable = || OpenError::Folder(folder.to_owned());
    let absolute = std::path::absolute(folder).map_err(|_| unusable())?;
    // If that fails, writing the first file reports it.
    let _ = std::fs::create_dir_all(&absolute);
    let prefix = Path::from_absolute_path(absolute).map_err(|_| unusable())?;
    // `LocalFileSystem` with the folder as its root would require that the folder exists.
    Ok(Arc::new(PrefixStore::new(LocalFileSystem::new().with_fsync(true), prefix)))
}

fn open_bucket(s3: &S3Settings, retries: RetryPolicy) -> Result<Arc<AmazonS3>, OpenError> {
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        // A time-out for whole requests would limit the size of files.
        .with_timeout_disabled()
        .with_config(ClientConfigKey::ReadTimeout, format!("{} seconds", READ_TIMEOUT.as_secs()));
    let builder = AmazonS3Builder::new()
        .with_bucket_name(&s3.bucket)
        .with_access_key_id(&s3.access_key_id)
        .with_secret_access_key(s3.secret_access_key.expose_secret())
        .with_region(region(s3.endpoint.as_deref()))
        .with_client_options(client)
        .with_retry(retry(retries))
        // Bulk deletion is a separate operation that not every S3 supports.
        .with_disable_bulk_delete(true);
    let bucket = match &s3.endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://")),
        None => builder,
    }
    .build();
    Ok(Arc::new(bucket.map_err(|error| OpenError::Bucket(crate::error_chain::error_chain(&error)))?))
}

fn retry(retries: RetryPolicy) -> RetryConfig {
    let max_retries = match retries {
        RetryPolicy::Once => 0,
        RetryPolicy::Few => 2,
        RetryPolicy::Many => 8,
    };
    let backoff = BackoffConfig { max_backoff: MAX_PAUSE, base: 3.0, ..BackoffConfig::default() };
    RetryConfig { backoff, max_retries, retry_timeout: RETRY_TIMEOUT }
}

/// The region that requests are signed for. Amazon, Backblaze and Wasabi have it in the host, `s3.REGION.…`; R2 has a single one,
/// `auto`; all others accept Amazon's first.
fn region(endpoint: Option<&str>) -> String {
    let url = endpoint.and_then(|endpoint| Url::parse(endpoint).ok());
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if host.ends_with(".r2.cloudflarestorage.com") {
        return "auto".to_owned();
    }
    let second = host.strip_prefix("s3.").and_then(|rest| rest.split('.').next());
    second.filter(|label| label.contains('-')).unwrap_or("us-east-1").to_owned()
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn the_region_is_in_the_host_where_there_is_more_than_one() {
        for (endpoint, expected) in [
            ("https://abc.r2.cloudflarestorage.com", "auto"),
            ("https://abc.eu.r2.cloudflarestorage.com", "auto"),
            ("https://s3.eu-central-1.amazonaws.com", "eu-central-1"),
            ("https://s3.us-west-004.backblazeb2.com", "us-west-004"),
            ("https://s3.amazonaws.com", "us-east-1"),
            ("http://127.0.0.1:9000", "us-east-1"),
        ] {
            assert_eq!(region(Some(endpoint)), expected, "{endpoint}");
        }
        assert_eq!(region(None), "us-east-1");
    }
}

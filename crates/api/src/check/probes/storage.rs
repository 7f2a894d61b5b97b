//! Whether files can be kept: one is written, read and deleted.

use super::{ANSWER_TIMEOUT, PATIENCE, no_answer_in_time, told, write_into};
use crate::check::finding::Finding;
use crate::check::{Facts, rules};
use crate::config::{S3Settings, StorageSettings};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStoreExt, RetryConfig};
use secrecy::ExposeSecret;
use url::Url;

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    if facts.storage_is_refused() {
        return None;
    }
    let problem = match &facts.settings.storage {
        StorageSettings::Folder(folder) => write_into(folder).err(),
        StorageSettings::S3(s3) => match tokio::time::timeout(PATIENCE, write_read_delete(s3)).await {
            Ok(kept) => kept.err(),
            Err(_) => Some(no_answer_in_time()),
        },
    };
    problem.map(|problem| rules::STORAGE_UNREACHABLE.found(problem).about("AWS_STORAGE_BUCKET_NAME"))
}

async fn write_read_delete(s3: &S3Settings) -> Result<(), String> {
    const CONTENT: &[u8] = b"api check";
    let failed = |what: &'static str| move |error: object_store::Error| format!("cannot {what}: {}", told(&error));
    let bucket = open(s3).map_err(failed("be opened"))?;
    let name = Path::from(format!("latchkey-check/{}", uuid::Uuid::new_v4()));
    bucket.put(&name, CONTENT.into()).await.map_err(failed("write"))?;
    let read = async { bucket.get(&name).await?.bytes().await }.await;
    // Deleted in any case: what a check leaves behind nobody looks for.
    bucket.delete(&name).await.map_err(failed("delete"))?;
    let read = read.map_err(failed("read"))?;
    if read == CONTENT { Ok(()) } else { Err("gives back something else than was written".to_owned()) }
}

/// The bucket, asked once: a check that tries again hides what it should find.
fn open(s3: &S3Settings) -> object_store::Result<AmazonS3> {
    let once = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let client = ClientOptions::new().with_timeout(ANSWER_TIMEOUT).with_connect_timeout(ANSWER_TIMEOUT);
    let builder = AmazonS3Builder::new()
        .with_bucket_name(&s3.bucket)
        .with_access_key_id(&s3.access_key_id)
        .with_secret_access_key(s3.secret_access_key.expose_secret())
        .with_region(region(s3.endpoint.as_deref()))
        .with_client_options(client)
        .with_retry(once)
        // Deleting many at once is a request of its own, which not every S3 knows.
        .with_disable_bulk_delete(true);
    match &s3.endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://")),
        None => builder,
    }
    .build()
}

/// The region that requests are signed for. Amazon, Backblaze and Wasabi write it into the host, `s3.REGION.…`; R2 has
/// one, called `auto`; everybody else takes Amazon's first.
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

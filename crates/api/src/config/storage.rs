//! Where files are kept.

use super::reader::Reader;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// Where files are kept.
#[derive(Debug, Clone)]
pub enum StorageSettings {
    /// On this machine. Default: `data/files`.
    Folder(PathBuf),
    /// In a bucket of R2 or any S3.
    S3(S3Settings),
}

/// A bucket and who may use it.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// `AWS_STORAGE_BUCKET_NAME`.
    pub bucket: String,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: SecretString,
    /// `AWS_S3_ENDPOINT_URL`, without a trailing slash. Default: Amazon's own.
    pub endpoint: Option<String>,
}

const REQUIRED: [&str; 3] = ["AWS_STORAGE_BUCKET_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

impl StorageSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let given = REQUIRED.map(|name| reader.text(&[name]));
        let endpoint = reader.text(&["AWS_S3_ENDPOINT_URL"]).and_then(|value| {
            let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
            if url.is_none() {
                reader.problem("AWS_S3_ENDPOINT_URL", "is not a URL such as https://ACCOUNT.r2.cloudflarestorage.com");
            }
            url.map(|_| value.trim_end_matches('/').to_owned())
        });
        let any = endpoint.is_some() || given.iter().any(Option::is_some);
        if any {
            for (name, _) in REQUIRED.iter().zip(&given).filter(|(_, value)| value.is_none()) {
                reader.problem(name, "is missing; set all of the AWS_* or none of them");
            }
        }
        match given {
            [Some(bucket), Some(access_key_id), Some(secret)] => {
                Self::S3(S3Settings { bucket, access_key_id, secret_access_key: secret.into(), endpoint })
            }
            _ => Self::Folder(PathBuf::from("data/files")),
        }
    }
}

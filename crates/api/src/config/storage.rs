//! Where files are kept.

use super::declare::variables;
use super::environment::Environment;
use super::hosts;
use super::paths;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, text};
use secrecy::SecretString;
use std::path::PathBuf;
use url::{Host, Url};

variables! {
    AWS_ACCESS_KEY_ID: Optional<String> = text(
        doc(
            "The key id for the bucket of R2 or any S3 in which files are kept. Files are kept in the folder `data/files` unless \
             set. Set this, `AWS_SECRET_ACCESS_KEY` and `AWS_STORAGE_BUCKET_NAME`, or none of the `AWS_*`.",
        ),
    );
    AWS_SECRET_ACCESS_KEY: Optional<String> = text(doc("The secret of `AWS_ACCESS_KEY_ID`.").secret());
    AWS_STORAGE_BUCKET_NAME: Optional<String> = text(doc("The name of the bucket."));
    AWS_S3_ENDPOINT_URL: Optional<String> = text(
        doc(
            "The address of the S3 service, such as `https://ACCOUNT.r2.cloudflarestorage.com`; Amazon's unless set. Without the \
             bucket's name. `http://` only in development, or on the same machine.",
        ),
    );
}

/// Where files are kept without a bucket.
const FOLDER: &str = "data/files";

/// Where files are kept.
#[derive(Debug, Clone)]
pub enum StorageSettings {
    /// On this machine. Default: `data/files`.
    Folder(PathBuf),
    /// In a bucket of R2 or any S3.
    S3(S3Settings),
}

/// A bucket and its credentials.
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

impl StorageSettings {
    pub(super) fn read(reader: &mut SettingsReader) -> Self {
        let required = [&AWS_STORAGE_BUCKET_NAME, &AWS_ACCESS_KEY_ID, &AWS_SECRET_ACCESS_KEY];
        let given = required.map(|variable| reader.find(variable));
        let [bucket, key_id, _] = &given;
        let endpoint = read_endpoint(reader, bucket.as_deref());
        if endpoint.is_some() || given.iter().any(Option::is_some) {
            for (variable, _) in required.iter().zip(&given).filter(|(_, value)| value.is_none()) {
                reader.problem(variable.name(), "is missing; set all of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_STORAGE_BUCKET_NAME, or none of the AWS_*");
            }
        }
        if bucket.as_ref().is_some_and(|name| !is_bucket(name)) {
            let fix = "is not the name of a bucket; it has 3 to 63 letters, digits and -, and begins and ends with a letter or \
                       digit";
            reader.problem(AWS_STORAGE_BUCKET_NAME.name(), fix);
        }
        if key_id.as_ref().is_some_and(|id| !id.bytes().all(|b| b.is_ascii_graphic() && b != b'/')) {
            reader.problem(AWS_ACCESS_KEY_ID.name(), "has characters that a key's id cannot have; copy it again");
        }
        match given {
            [Some(bucket), Some(access_key_id), Some(secret)] => {
                Self::S3(S3Settings { bucket, access_key_id, secret_access_key: secret.into(), endpoint })
            }
            _ => Self::Folder(paths::usable_folder(FOLDER).unwrap_or_else(|problem| {
                reader.problem(FOLDER, problem);
                PathBuf::from(FOLDER)
            })),
        }
    }
}

fn read_endpoint(reader: &mut SettingsReader, bucket: Option<&str>) -> Option<String> {
    let endpoint = parse_endpoint(&reader.find(&AWS_S3_ENDPOINT_URL)?, bucket, reader.environment());
    endpoint.map_err(|problem| reader.problem(AWS_S3_ENDPOINT_URL.name(), problem)).ok()
}

/// The names of older buckets may have dots, underscores and capitals.
fn is_bucket(name: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && is_edge(name.as_bytes().first())
        && is_edge(name.as_bytes().last())
}

/// The address without a trailing slash. A message does not repeat the value: people paste keys into the wrong field.
fn parse_endpoint(value: &str, bucket: Option<&str>, environment: Environment) -> Result<String, &'static str> {
    let url = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    let plain = |url: &Url| {
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
    };
    let url = url.filter(plain).ok_or("is not a URL such as https://ACCOUNT.r2.cloudflarestorage.com")?;
    let url = hosts::with_usable_host(&url)?;
    let last = url.path_segments().and_then(|mut segments| segments.next_back());
    if bucket.is_some() && last == bucket {
        return Err("ends in the bucket's name; remove it, AWS_STORAGE_BUCKET_NAME already has it");
    }
    if environment.is_production() && url.scheme() == "http" && !is_loopback(&url) {
        return Err("must be https:// in production: files would travel in plaintext");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// No one can read the traffic to a server on the same machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

//! Files that were loaded from the site.

use super::response::SmokeResponse;

/// A file of the client.
#[derive(Debug)]
pub(super) struct LoadedFile {
    pub(super) path: String,
    pub(super) response: SmokeResponse,
}

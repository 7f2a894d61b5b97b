//! A mailed link to an address, when it is opened.

use crate::config::Lifetimes;
use crate::service::CheckedContext;
use crate::service::tables::Schema;

/// A link that is being opened: an account's, or a pending registration's.
#[derive(Debug)]
pub(in crate::service) struct OpenedLink<'a> {
    pub hash: &'a [u8],
    /// The hash of the browser secret that came with the request, its member `registration`.
    pub browser_secret_hash: Option<&'a [u8]>,
    pub lifetimes: &'a Lifetimes,
    pub schema: &'a Schema,
    pub context: &'a CheckedContext,
}

//! Listing a bucket that has keys which are not valid paths: a control character, `//`, `..`. `object_store` returns no results for a
//! page with such a key.
//!
//! Such a page is read again in smaller and smaller pages until the key is alone in one, and the list continues after it. No file has
//! such a name, so all keys that begin like it are skipped, too.

use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::{Error, ObjectMeta, Result, path};

/// The maximum size of a page in S3.
const PAGE: usize = 1000;
/// Appended to a text, it sorts after every key that begins with that text.
const LAST: char = char::MAX;

/// Where a page begins.
#[derive(Debug)]
pub(super) struct PagePosition {
    token: Option<String>,
    /// A key that need not exist.
    after: Option<String>,
    max_keys: usize,
}

impl Default for PagePosition {
    fn default() -> Self {
        Self { token: None, after: None, max_keys: PAGE }
    }
}

impl PagePosition {
    fn options(&self) -> PaginatedListOptions {
        PaginatedListOptions {
            page_token: self.token.clone(),
            offset: self.after.clone(),
            // A page of the default size is requested without a size.
            max_keys: (self.max_keys < PAGE).then_some(self.max_keys),
            ..PaginatedListOptions::default()
        }
    }

    /// Where to continue if the page that begins here contains the invalid `key`.
    fn around(self, key: &str, start: &str) -> Self {
        if self.max_keys > 1 {
            return Self { max_keys: self.max_keys / 2, ..self };
        }
        Self { after: Some(last_like(key, start)), ..Self::default() }
    }
}

/// The files of a page, and where the next one begins.
pub(super) async fn read_page(
    bucket: &AmazonS3,
    start: &str,
    mut position: PagePosition,
) -> Result<(Vec<ObjectMeta>, Option<PagePosition>)> {
    loop {
        match bucket.list_paginated(Some(start), position.options()).await {
            Ok(page) => {
                let next = page.page_token.map(|token| PagePosition { token: Some(token), ..position });
                return Ok((page.result.objects, next));
            }
            Err(Error::InvalidPath {
                source: path::Error::EmptySegment { path: key } | path::Error::BadSegment { path: key, .. },
            }) => position = position.around(&key, start),
            Err(error) => return Err(error),
        }
    }
}

/// The last of all keys that begin like this one, up to the character that makes it invalid. The names of files have neither a `/` nor a
/// control character after `start`.
///
/// The last control character stands for all of them, because some are the same in XML.
fn last_like(key: &str, start: &str) -> String {
    let rest = key.strip_prefix(start).unwrap_or_default();
    let Some((at, odd)) = rest.char_indices().find(|(_, c)| *c == '/' || c.is_ascii_control()) else {
        return key.to_owned();
    };
    let last = if odd < ' ' { '\x1f' } else { odd };
    format!("{start}{}{last}{LAST}", &rest[..at])
}

#[cfg(test)]
mod tests {
    use super::last_like;

    #[test]
    fn only_keys_that_begin_like_an_invalid_key_are_skipped() {
        for (key, skipped, kept) in [
            ("b/s-\n", ["b/s-\r", "b/s-\x1f~"], "b/s- "),
            ("b/s-2025\x01x", ["b/s-2025\x01y", "b/s-2025\x1fz"], "b/s-2025-"),
            ("b/s-\x7f", ["b/s-\x7f", "b/s-\x7fz"], "b/s-\u{80}"),
            ("b/s-a//x", ["b/s-a//x", "b/s-a/x"], "b/s-a0"),
            ("b/s-a/../x", ["b/s-a/../x", "b/s-a/z"], "b/s-a1"),
        ] {
            let last = last_like(key, "b/s-");
            assert!(skipped.iter().all(|other| **other <= *last), "{key:?}");
            assert!(*key <= *last && *kept > *last, "{key:?}");
        }
        assert_eq!(last_like("b/..", "b/"), "b/..");
    }
}

//! Reading a bucket's list past keys that are no paths: a control character, `//`, `..`. `object_store` gives nothing of a
//! page that has one.
//!
//! Such a page is read again in smaller and smaller pages until the key stands alone in one, and the list goes on behind
//! it. No file is asked for by such a name, so all that begin like it are left out with it.

use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::{Error, ObjectMeta, Result, path};

/// What S3 gives at most.
const PAGE: usize = 1000;
/// No key that begins with a text comes after that text and this.
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
            // A page of the usual size is asked for as ever.
            max_keys: (self.max_keys < PAGE).then_some(self.max_keys),
            ..PaginatedListOptions::default()
        }
    }

    /// Where to read when the page that begins here has `key`.
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

/// The last of all keys that begin like this one and are odd at the same place. Files that are asked for have neither a
/// `/` nor a control character behind `start`.
///
/// One control character stands for all: in XML some of them are the same.
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
    fn whatever_begins_like_an_odd_key_is_left_out_and_nothing_else() {
        for (key, left_out, kept) in [
            ("b/s-\n", ["b/s-\r", "b/s-\x1f~"], "b/s- "),
            ("b/s-2025\x01x", ["b/s-2025\x01y", "b/s-2025\x1fz"], "b/s-2025-"),
            ("b/s-\x7f", ["b/s-\x7f", "b/s-\x7fz"], "b/s-\u{80}"),
            ("b/s-a//x", ["b/s-a//x", "b/s-a/x"], "b/s-a0"),
            ("b/s-a/../x", ["b/s-a/../x", "b/s-a/z"], "b/s-a1"),
        ] {
            let last = last_like(key, "b/s-");
            assert!(left_out.iter().all(|other| **other <= *last), "{key:?}");
            assert!(*key <= *last && *kept > *last, "{key:?}");
        }
        assert_eq!(last_like("b/..", "b/"), "b/..");
    }
}

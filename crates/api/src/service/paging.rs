//! Lists page by page: a page ends with a cursor, which holds the key of its last row, so that what happens meanwhile moves no
//! page.

use auth_types::Page;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is told of a cursor that is none.
pub const NO_CURSOR: &str = "This is no cursor; take one from `next`.";

/// A page of at most `size` rows. Where there is one more row, another page follows.
pub fn page<T, K: Serialize>(mut rows: Vec<T>, size: usize, key: impl FnOnce(&T) -> K) -> Page<T> {
    let is_last = rows.len() <= size;
    rows.truncate(size);
    let next = rows.last().filter(|_| !is_last).map(|last| written(&key(last)));
    Page { results: rows, next }
}

/// A key as a client keeps it.
fn written(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_string(key).unwrap_or_default())
}

/// The key that a client has kept; `None` where it is none of ours.
pub fn read<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{page, read};

    #[test]
    fn a_page_leads_to_the_next_one_where_there_is_one() {
        let first = page(vec![9, 8, 7], 2, |last| *last);
        assert_eq!(first.results, [9, 8]);
        assert_eq!(read::<i64>(&first.next.unwrap_or_default()), Some(8));
        assert_eq!(page(vec![9, 8], 2, |last| *last).next, None);
        assert_eq!(page(Vec::<i64>::new(), 2, |last| *last).next, None);
    }

    #[test]
    fn what_was_never_written_is_no_cursor() {
        for cursor in ["x", "AAAA", "\0", "ä", "0", "Ijgi", "WzEsMl0"] {
            assert_eq!(read::<i64>(cursor), None, "{cursor}");
        }
    }
}

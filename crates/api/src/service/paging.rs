//! Lists page by page. A page ends with a cursor, which contains the key of its last row, so that new rows do not shift the
//! pages.

use auth_types::Page;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The message for a cursor that is not valid.
pub const NO_CURSOR: &str = "This is not a valid cursor. Use the value of `next`.";

/// A page of at most `size` rows. If there is one more row, another page follows.
pub fn page_of<T, K: Serialize>(mut rows: Vec<T>, size: usize, key: impl FnOnce(&T) -> K) -> Page<T> {
    let is_last = rows.len() <= size;
    rows.truncate(size);
    let next = rows.last().filter(|_| !is_last).map(|last| encode(&key(last)));
    Page { results: rows, next }
}

/// Encodes a key as a cursor.
fn encode(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_string(key).unwrap_or_default())
}

/// The key in a cursor; `None` if the cursor is not valid.
pub fn read<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{page_of, read};

    #[test]
    fn a_page_links_to_the_next_one_if_there_is_one() {
        let first = page_of(vec![9, 8, 7], 2, |last| *last);
        assert_eq!(first.results, [9, 8]);
        assert_eq!(read::<i64>(&first.next.unwrap_or_default()), Some(8));
        assert_eq!(page_of(vec![9, 8], 2, |last| *last).next, None);
        assert_eq!(page_of(Vec::<i64>::new(), 2, |last| *last).next, None);
    }

    #[test]
    fn a_malformed_cursor_is_refused() {
        for cursor in ["x", "AAAA", "\0", "ä", "0", "Ijgi", "WzEsMl0"] {
            assert_eq!(read::<i64>(cursor), None, "{cursor}");
        }
    }
}

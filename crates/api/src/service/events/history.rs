//! What happened to the caller's account, page by page.

use super::numbers::EventNumbers;
use crate::service::{CurrentUser, Error, Services, paging};
use crate::store::events::{self, EventPosition};
use auth_types::events::EventsResponse;
use chrono::{DateTime, Utc};
use std::convert::Infallible;

/// Events of a page.
const PAGE: u8 = 20;
/// The last microsecond of the year 9999: no event is newer, and both databases can represent it.
const LAST_MICROSECOND: i64 = 253_402_300_799_999_999;

/// Lists the caller's events, newest first, from the newest or from `cursor` on. New events do not shift the pages.
pub async fn list(services: &Services, caller: CurrentUser, cursor: &str) -> Result<EventsResponse, Error<Infallible>> {
    let numbers = EventNumbers::of(&services.settings);
    let position = position(cursor, &numbers).ok_or_else(|| Error::field("cursor", paging::NO_CURSOR))?;
    let lookup = caller.read(services, move |connection, user| {
        // One more row shows whether there is another page.
        events::list(connection, user.id, position, i64::from(PAGE) + 1)
    });
    let mut events = lookup.await?;
    for event in &mut events {
        event.id = numbers.shown(event.id);
    }
    Ok(paging::page_of(events, PAGE.into(), |last| (last.at.timestamp_micros(), last.id)))
}

/// The position before all events.
pub(in crate::service) fn newest() -> EventPosition {
    EventPosition {
        at: DateTime::from_timestamp_micros(LAST_MICROSECOND).unwrap_or(DateTime::<Utc>::MAX_UTC),
        id: i64::MAX,
    }
}

/// Parses a cursor, which contains a time and the number that is shown; an empty one means the first page.
fn position(cursor: &str, numbers: &EventNumbers) -> Option<EventPosition> {
    if cursor.is_empty() {
        return Some(newest());
    }
    let (at, id) = paging::read::<(i64, i64)>(cursor)?;
    let at = DateTime::from_timestamp_micros(at).filter(|_| (0..=LAST_MICROSECOND).contains(&at))?;
    Some(EventPosition { at, id: numbers.stored(id) })
}

#[cfg(test)]
mod tests {
    use super::{LAST_MICROSECOND, newest, position};
    use crate::service::events::numbers::tests::numbers;
    use crate::service::paging;

    fn cursor(key: (i64, i64)) -> String {
        paging::page_of(vec![(), ()], 1, |()| key).next.unwrap_or_default()
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let numbers = numbers();
        let mut last = newest();
        last.id = 7;
        let cursor = cursor((last.at.timestamp_micros(), numbers.shown(last.id)));
        assert_eq!(position(&cursor, &numbers), Some(last));
        assert_eq!(position("", &numbers), Some(newest()));
    }

    #[test]
    fn a_malformed_or_out_of_range_cursor_is_refused() {
        let numbers = numbers();
        let cursors = [cursor((-1, 7)), cursor((LAST_MICROSECOND + 1, 7)), cursor((i64::MAX, 7))];
        for cursor in ["x", "AAAA", "\0", "ä", "0"].into_iter().chain(cursors.iter().map(String::as_str)) {
            assert_eq!(position(cursor, &numbers), None, "{cursor}");
        }
    }
}

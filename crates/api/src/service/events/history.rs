//! What happened to the caller's account, page by page.

use super::numbers::EventNumbers;
use crate::service::{CurrentUser, Error, Services};
use crate::store::events::{self, Position};
use auth_types::events::EventsResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use std::convert::Infallible;

/// Events of a page.
const PAGE: u8 = 20;
/// No event is newer, and both databases can write it: the last microsecond of the year 9999.
const LAST_MICROSECOND: i64 = 253_402_300_799_999_999;

/// The caller's events, newest first: from the newest on, or from where `cursor` says. What happens meanwhile moves no page.
///
/// # Errors
/// [`Error`].
pub async fn list(services: &Services, caller: CurrentUser, cursor: &str) -> Result<EventsResponse, Error<Infallible>> {
    let numbers = EventNumbers::of(&services.settings);
    let position =
        position(cursor, &numbers).ok_or_else(|| Error::field("cursor", "This is no cursor; take one from `next`."))?;
    let found = caller.read(services, move |connection, user| {
        // One more shows whether there is another page.
        events::list(connection, user.id, position, i64::from(PAGE) + 1)
    });
    let mut results = found.await?;
    let is_last = results.len() <= usize::from(PAGE);
    results.truncate(PAGE.into());
    for event in &mut results {
        event.id = numbers.shown(event.id);
    }
    let next = results.last().filter(|_| !is_last);
    let next = next.map(|event| written(Position { at: event.at, id: event.id }));
    Ok(EventsResponse { results, next })
}

/// Before all events.
pub(in crate::service) fn newest() -> Position {
    Position { at: DateTime::from_timestamp_micros(LAST_MICROSECOND).unwrap_or(DateTime::<Utc>::MAX_UTC), id: i64::MAX }
}

/// A position as a client keeps it, with the number that is shown.
fn written(position: Position) -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&position.at.timestamp_micros().to_be_bytes());
    bytes[8..].copy_from_slice(&position.id.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What a client has kept; an empty one stands for the first page.
fn position(cursor: &str, numbers: &EventNumbers) -> Option<Position> {
    if cursor.is_empty() {
        return Some(newest());
    }
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
    let (at, id) = bytes.split_at(8);
    let at = i64::from_be_bytes(at.try_into().ok()?);
    let at = DateTime::from_timestamp_micros(at).filter(|_| (0..=LAST_MICROSECOND).contains(&at))?;
    Some(Position { at, id: numbers.stored(i64::from_be_bytes(id.try_into().ok()?)) })
}

#[cfg(test)]
mod tests {
    use super::{Position, newest, position, written};
    use crate::service::events::numbers::tests::numbers;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let (numbers, mut last) = (numbers(), newest());
        last.id = 7;
        let cursor = written(Position { id: numbers.shown(last.id), ..last });
        assert_eq!(position(&cursor, &numbers), Some(last));
        assert_eq!(position("", &numbers), Some(newest()));
    }

    #[test]
    fn what_was_never_written_is_no_cursor() {
        let numbers = numbers();
        let negative = "_____________________w";
        for cursor in ["x", "AAAA", "\0", "ä", "0", &format!("{}A", written(newest())), negative] {
            assert_eq!(position(cursor, &numbers), None, "{cursor}");
        }
    }
}

//! The rules of notes. `read` and `write` authorize the caller on the connection, and in the transaction, that does the work.

use super::store::{self, NewNote, NoteChange};
use api::prelude::{ClientInfo, CurrentUser, Error, Page, Problem, Services, page_of, record_event};
use notes_types::{Note, check_text};
use std::convert::Infallible;

/// Notes on a page.
const PAGE: usize = 20;
/// Maximum of notes per user, so that no user's program fills the disk.
const MAX_NOTES: i64 = 1_000;

/// The caller has no note of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoSuchNote;

impl From<NoSuchNote> for Problem {
    fn from(_: NoSuchNote) -> Self {
        Self::not_found()
    }
}

/// The newest notes that are older than the note `before`.
pub(super) async fn list(
    services: &Services,
    caller: CurrentUser,
    before: Option<i64>,
) -> Result<Page<Note>, Error<Infallible>> {
    // One more than a page shows whether there is another.
    let list = caller.read(services, move |connection, user| store::list(connection, user.id, before, PAGE + 1));
    Ok(page_of(list.await?, PAGE, |note| note.id))
}

pub(super) async fn create(services: &Services, caller: CurrentUser, text: String) -> Result<Note, Error<Infallible>> {
    check_text(&text).map_err(|message| Error::field("text", message))?;
    let creation = caller.write(services, move |connection, user, now| {
        if store::count(connection, user.id)? >= MAX_NOTES {
            return Ok(Err(Error::field(
                "text",
                format!("You have {MAX_NOTES} notes, which is the maximum. Delete one first."),
            )));
        }
        store::insert(connection, NewNote::of(user.id, &text, now)).map(Ok)
    });
    creation.await
}

pub(super) async fn show(services: &Services, caller: CurrentUser, id: i64) -> Result<Note, Error<NoSuchNote>> {
    let found = caller.read(services, move |connection, user| store::find(connection, user.id, id)).await?;
    found.ok_or(Error::Refused(NoSuchNote))
}

pub(super) async fn change(
    services: &Services,
    caller: CurrentUser,
    id: i64,
    text: String,
) -> Result<Note, Error<NoSuchNote>> {
    check_text(&text).map_err(|message| Error::field("text", message))?;
    let change = caller.write(services, move |connection, user, now| {
        let changed = store::change(connection, user.id, id, NoteChange::to(&text, now))?;
        Ok(changed.ok_or(Error::Refused(NoSuchNote)))
    });
    change.await
}

pub(super) async fn delete(
    services: &Services,
    caller: CurrentUser,
    id: i64,
    client: ClientInfo,
) -> Result<(), Error<NoSuchNote>> {
    let context = services.context(client);
    let deletion = caller.write(services, move |connection, user, _| {
        if !store::delete(connection, user.id, id)? {
            return Ok(Err(Error::Refused(NoSuchNote)));
        }
        // The owner sees the deletion among the account's events.
        record_event(connection, user.id, "notes.deleted", &context).map(Ok)
    });
    deletion.await
}

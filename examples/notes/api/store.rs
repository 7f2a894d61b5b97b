//! Table `notes`. Every statement names the owner, so another user's note is never found.

use api::prelude::{AnyConnection, At, QueryResult, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use notes_types::Note;

diesel::table! {
    use api::prelude::types::*;

    notes (id) {
        id -> Int8,
        user_id -> Int8,
        text -> Text,
        created_at -> Timestamptz,
        changed_at -> Timestamptz,
    }
}

type NoteRecord = (i64, String, DateTime<Utc>, DateTime<Utc>);

fn note((id, text, created_at, changed_at): NoteRecord) -> Note {
    Note { id, text, created_at, changed_at }
}

const COLUMNS: (notes::id, notes::text, notes::created_at, notes::changed_at) =
    (notes::id, notes::text, notes::created_at, notes::changed_at);

/// A note to insert.
#[derive(Insertable)]
#[diesel(table_name = notes)]
pub(super) struct NewNote<'a> {
    user_id: i64,
    text: &'a str,
    created_at: At,
    changed_at: At,
}

impl<'a> NewNote<'a> {
    pub(super) fn of(user: UserId, text: &'a str, now: DateTime<Utc>) -> Self {
        Self { user_id: user.0, text, created_at: At(now), changed_at: At(now) }
    }
}

/// What a change of a note sets.
#[derive(AsChangeset)]
#[diesel(table_name = notes)]
pub(super) struct NoteChange<'a> {
    text: &'a str,
    changed_at: At,
}

impl<'a> NoteChange<'a> {
    pub(super) fn to(text: &'a str, now: DateTime<Utc>) -> Self {
        Self { text, changed_at: At(now) }
    }
}

/// At most `limit` notes of a user before the note `before`, newest first.
pub(super) fn list(
    connection: &mut AnyConnection,
    user: UserId,
    before: Option<i64>,
    limit: usize,
) -> QueryResult<Vec<Note>> {
    let rows: Vec<NoteRecord> = notes::table
        .filter(notes::user_id.eq(user.0))
        .filter(notes::id.lt(before.unwrap_or(i64::MAX)))
        .order(notes::id.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(COLUMNS)
        .load(connection)?;
    Ok(rows.into_iter().map(note).collect())
}

pub(super) fn count(connection: &mut AnyConnection, user: UserId) -> QueryResult<i64> {
    notes::table.filter(notes::user_id.eq(user.0)).count().get_result(connection)
}

pub(super) fn find(connection: &mut AnyConnection, user: UserId, id: i64) -> QueryResult<Option<Note>> {
    let found = notes::table.find(id).filter(notes::user_id.eq(user.0)).select(COLUMNS).first(connection);
    Ok(found.optional()?.map(note))
}

pub(super) fn insert(connection: &mut AnyConnection, new: NewNote<'_>) -> QueryResult<Note> {
    diesel::insert_into(notes::table).values(new).returning(COLUMNS).get_result(connection).map(note)
}

pub(super) fn change(
    connection: &mut AnyConnection,
    user: UserId,
    id: i64,
    change: NoteChange<'_>,
) -> QueryResult<Option<Note>> {
    let changed = diesel::update(notes::table.find(id).filter(notes::user_id.eq(user.0)))
        .set(change)
        .returning(COLUMNS)
        .get_result(connection);
    Ok(changed.optional()?.map(note))
}

/// Returns whether the user had the note.
pub(super) fn delete(connection: &mut AnyConnection, user: UserId, id: i64) -> QueryResult<bool> {
    let note = notes::table.find(id).filter(notes::user_id.eq(user.0));
    diesel::delete(note).execute(connection).map(|rows| rows == 1)
}

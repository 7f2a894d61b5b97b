//! Tables `polls` and `poll_choices`.

use super::types::{Poll, PollRequest};
use api::prelude::{AnyConnection, At, QueryResult, Subject, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

diesel::table! {
    use api::prelude::types::*;

    polls (id) {
        id -> Int8,
        user_id -> Int8,
        question -> Text,
        most -> Int8,
        is_open -> Bool,
        kind -> Text,
        note -> Nullable<Text>,
        colours -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use api::prelude::types::*;

    poll_choices (id) {
        id -> Int8,
        poll_id -> Int8,
        text -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(polls, poll_choices);

#[derive(Insertable)]
#[diesel(table_name = polls)]
pub(super) struct NewPoll<'a> {
    user_id: i64,
    question: &'a str,
    most: i64,
    is_open: bool,
    kind: &'a str,
    note: Option<&'a str>,
    colours: i64,
    created_at: At,
}

impl<'a> NewPoll<'a> {
    pub(super) fn of(user: UserId, request: &'a PollRequest, now: DateTime<Utc>) -> Self {
        Self {
            user_id: user.0,
            question: &request.question,
            most: request.most.into(),
            is_open: request.is_open,
            kind: request.kind.name(),
            note: request.note.as_deref(),
            colours: request.colours.values().sum(),
            created_at: At(now),
        }
    }
}

/// A choice, in its owner's export.
#[derive(Serialize)]
pub(super) struct ExportedChoice {
    poll_id: i64,
    text: String,
}

const COLUMNS: (polls::id, polls::question) = (polls::id, polls::question);

fn poll((id, question): (i64, String)) -> Poll {
    Poll { id, question }
}

pub(super) fn list(
    connection: &mut AnyConnection,
    user: UserId,
    before: Option<i64>,
    most: usize,
) -> QueryResult<Vec<Poll>> {
    let rows: Vec<(i64, String)> = polls::table
        .filter(polls::user_id.eq(user.0))
        .filter(polls::id.lt(before.unwrap_or(i64::MAX)))
        .order(polls::id.desc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(COLUMNS)
        .load(connection)?;
    Ok(rows.into_iter().map(poll).collect())
}

pub(super) fn insert(connection: &mut AnyConnection, new: NewPoll<'_>, choices: &[String]) -> QueryResult<Poll> {
    let row: (i64, String) = diesel::insert_into(polls::table).values(new).returning(COLUMNS).get_result(connection)?;
    for text in choices {
        let choice = (poll_choices::poll_id.eq(row.0), poll_choices::text.eq(text));
        diesel::insert_into(poll_choices::table).values(choice).execute(connection)?;
    }
    Ok(poll(row))
}

/// The poll of this id, or the newest one.
pub(super) fn find(connection: &mut AnyConnection, user: UserId, id: Option<i64>) -> QueryResult<Option<Poll>> {
    let owned = polls::table.filter(polls::user_id.eq(user.0)).select(COLUMNS).order(polls::id.desc());
    let found = match id {
        Some(id) => owned.filter(polls::id.eq(id)).first(connection),
        None => owned.first(connection),
    };
    Ok(found.optional()?.map(poll))
}

/// Returns whether it was open, or `None` where there is no such poll.
pub(super) fn close(connection: &mut AnyConnection, user: UserId, id: i64) -> QueryResult<Option<bool>> {
    if find(connection, user, Some(id))?.is_none() {
        return Ok(None);
    }
    let open = polls::table.find(id).filter(polls::is_open.eq(true));
    diesel::update(open).set(polls::is_open.eq(false)).execute(connection).map(|rows| Some(rows == 1))
}

/// Returns whether there was one.
pub(super) fn remove_choice(connection: &mut AnyConnection, user: UserId, poll: i64, choice: i64) -> QueryResult<bool> {
    if find(connection, user, Some(poll))?.is_none() {
        return Ok(false);
    }
    let choice = poll_choices::table.find(choice).filter(poll_choices::poll_id.eq(poll));
    diesel::delete(choice).execute(connection).map(|rows| rows == 1)
}

pub(super) fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
    polls::table.count().get_result(connection)
}

pub(super) fn count_since(connection: &mut AnyConnection, user: UserId, since: DateTime<Utc>) -> QueryResult<i64> {
    let made = polls::table.filter(polls::user_id.eq(user.0)).filter(polls::created_at.ge(At(since)));
    made.count().get_result(connection)
}

pub(super) fn remove(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<usize> {
    diesel::delete(polls::table.filter(polls::id.eq_any(ids))).execute(connection)
}

/// At most `most` choices of the polls of a user after the choice `after`.
pub(super) fn export_choices(
    connection: &mut AnyConnection,
    subject: &Subject,
    after: Option<i64>,
    most: i64,
) -> QueryResult<Vec<(i64, ExportedChoice)>> {
    let rows: Vec<(i64, i64, String)> = poll_choices::table
        .inner_join(polls::table.on(polls::id.eq(poll_choices::poll_id)))
        .filter(polls::user_id.eq(subject.user.id.0))
        .filter(poll_choices::id.gt(after.unwrap_or(0)))
        .order(poll_choices::id)
        .select((poll_choices::id, poll_choices::poll_id, poll_choices::text))
        .limit(most)
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, poll_id, text)| (id, ExportedChoice { poll_id, text })).collect())
}

//! Tables `fixture_polls` and `fixture_poll_choices`.

use super::types::{FixturePoll, FixturePollChange, FixturePollRequest};
use api::prelude::{AnyConnection, At, ExportSubject, QueryResult, SqlUuid, UserId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

diesel::table! {
    use api::prelude::types::*;

    fixture_polls (id) {
        id -> Int8,
        user_id -> Int8,
        question -> Text,
        /// The question in lower case, by which it is unique.
        question_key -> Text,
        most -> Int8,
        is_open -> Bool,
        kind -> Text,
        note -> Nullable<Text>,
        colours -> Int8,
        /// A time of day.
        opens_at -> Text,
        request_id -> Nullable<Uuid>,
        /// Counts the changes, from 1.
        version -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use api::prelude::types::*;

    fixture_poll_choices (id) {
        id -> Int8,
        poll_id -> Int8,
        text -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(fixture_polls, fixture_poll_choices);

#[derive(Insertable)]
#[diesel(table_name = fixture_polls)]
pub(super) struct NewPoll<'a> {
    user_id: i64,
    question: &'a str,
    question_key: String,
    most: i64,
    is_open: bool,
    kind: &'a str,
    note: Option<&'a str>,
    colours: i64,
    opens_at: String,
    request_id: Option<SqlUuid>,
    created_at: At,
}

impl<'a> NewPoll<'a> {
    pub(super) fn of(user: UserId, request: &'a FixturePollRequest, now: DateTime<Utc>) -> Self {
        Self {
            user_id: user.0,
            question: &request.question,
            question_key: question_key(&request.question),
            most: request.most.into(),
            is_open: request.is_open,
            kind: request.kind.name(),
            note: request.note.as_deref(),
            colours: request.colours.values().sum(),
            opens_at: request.opens_at.format("%H:%M:%S").to_string(),
            request_id: request.request_id.map(SqlUuid),
            created_at: At(now),
        }
    }
}

/// `lower` of PostgreSQL depends on the database's locale, and that of SQLite knows ASCII only.
fn question_key(question: &str) -> String {
    question.to_lowercase()
}

/// A choice, in its owner's export.
#[derive(Serialize)]
pub(super) struct ExportedChoice {
    poll_id: i64,
    text: String,
}

type PollRecord = (i64, String, i64);

const COLUMNS: (fixture_polls::id, fixture_polls::question, fixture_polls::version) =
    (fixture_polls::id, fixture_polls::question, fixture_polls::version);

fn poll((id, question, version): PollRecord) -> FixturePoll {
    FixturePoll { id, question, version }
}

pub(super) fn list(
    connection: &mut AnyConnection,
    user: UserId,
    before: Option<i64>,
    most: usize,
) -> QueryResult<Vec<FixturePoll>> {
    let rows: Vec<PollRecord> = fixture_polls::table
        .filter(fixture_polls::user_id.eq(user.0))
        .filter(fixture_polls::id.lt(before.unwrap_or(i64::MAX)))
        .order(fixture_polls::id.desc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(COLUMNS)
        .load(connection)?;
    Ok(rows.into_iter().map(poll).collect())
}

pub(super) fn insert(connection: &mut AnyConnection, new: NewPoll<'_>, choices: &[String]) -> QueryResult<FixturePoll> {
    let row: PollRecord =
        diesel::insert_into(fixture_polls::table).values(new).returning(COLUMNS).get_result(connection)?;
    for text in choices {
        let choice = (fixture_poll_choices::poll_id.eq(row.0), fixture_poll_choices::text.eq(text));
        diesel::insert_into(fixture_poll_choices::table).values(choice).execute(connection)?;
    }
    Ok(poll(row))
}

/// The poll of this id, or the newest one.
pub(super) fn find(connection: &mut AnyConnection, user: UserId, id: Option<i64>) -> QueryResult<Option<FixturePoll>> {
    let owned =
        fixture_polls::table.filter(fixture_polls::user_id.eq(user.0)).select(COLUMNS).order(fixture_polls::id.desc());
    let found = match id {
        Some(id) => owned.filter(fixture_polls::id.eq(id)).first(connection),
        None => owned.first(connection),
    };
    Ok(found.optional()?.map(poll))
}

/// The poll that an earlier request with this id has made.
pub(super) fn find_request(
    connection: &mut AnyConnection,
    user: UserId,
    request: Uuid,
) -> QueryResult<Option<FixturePoll>> {
    let made = fixture_polls::table
        .filter(fixture_polls::user_id.eq(user.0))
        .filter(fixture_polls::request_id.assume_not_null().eq(SqlUuid(request)));
    Ok(made.select(COLUMNS).first(connection).optional()?.map(poll))
}

/// Changes the poll if it still has the version that the caller has seen.
pub(super) fn change(
    connection: &mut AnyConnection,
    user: UserId,
    id: i64,
    change: &FixturePollChange,
) -> QueryResult<Option<FixturePoll>> {
    let seen = fixture_polls::table
        .find(id)
        .filter(fixture_polls::user_id.eq(user.0))
        .filter(fixture_polls::version.eq(change.version));
    let values = (
        fixture_polls::question.eq(&change.question),
        fixture_polls::question_key.eq(question_key(&change.question)),
        fixture_polls::version.eq(fixture_polls::version + 1),
    );
    let changed = diesel::update(seen).set(values).returning(COLUMNS).get_result(connection);
    Ok(changed.optional()?.map(poll))
}

/// Returns whether it was open, or `None` where there is no such poll.
pub(super) fn close(connection: &mut AnyConnection, user: UserId, id: i64) -> QueryResult<Option<bool>> {
    if find(connection, user, Some(id))?.is_none() {
        return Ok(None);
    }
    let open = fixture_polls::table.find(id).filter(fixture_polls::is_open.eq(true));
    diesel::update(open).set(fixture_polls::is_open.eq(false)).execute(connection).map(|rows| Some(rows == 1))
}

/// Returns whether there was one.
pub(super) fn remove_choice(connection: &mut AnyConnection, user: UserId, poll: i64, choice: i64) -> QueryResult<bool> {
    if find(connection, user, Some(poll))?.is_none() {
        return Ok(false);
    }
    let choice = fixture_poll_choices::table.find(choice).filter(fixture_poll_choices::poll_id.eq(poll));
    diesel::delete(choice).execute(connection).map(|rows| rows == 1)
}

pub(super) fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
    fixture_polls::table.count().get_result(connection)
}

/// How many polls are open, and how many are closed.
pub(super) fn count_by_state(connection: &mut AnyConnection) -> QueryResult<[(bool, i64); 2]> {
    let mut counts = [(true, 0), (false, 0)];
    for (is_open, polls) in &mut counts {
        *polls = fixture_polls::table.filter(fixture_polls::is_open.eq(*is_open)).count().get_result(connection)?;
    }
    Ok(counts)
}

pub(super) fn count_since(connection: &mut AnyConnection, user: UserId, since: DateTime<Utc>) -> QueryResult<i64> {
    let made =
        fixture_polls::table.filter(fixture_polls::user_id.eq(user.0)).filter(fixture_polls::created_at.ge(At(since)));
    made.count().get_result(connection)
}

/// Returns the owner of each poll that existed.
pub(super) fn remove(connection: &mut AnyConnection, ids: &[i64]) -> QueryResult<Vec<UserId>> {
    let removed = diesel::delete(fixture_polls::table.filter(fixture_polls::id.eq_any(ids)));
    let owners: Vec<i64> = removed.returning(fixture_polls::user_id).get_results(connection)?;
    Ok(owners.into_iter().map(UserId).collect())
}

/// At most `most` choices of the polls of a user after the choice `after`.
pub(super) fn export_choices(
    connection: &mut AnyConnection,
    subject: &ExportSubject,
    after: Option<i64>,
    most: i64,
) -> QueryResult<Vec<(i64, ExportedChoice)>> {
    let rows: Vec<(i64, i64, String)> = fixture_poll_choices::table
        .inner_join(fixture_polls::table.on(fixture_polls::id.eq(fixture_poll_choices::poll_id)))
        .filter(fixture_polls::user_id.eq(subject.user.id.0))
        .filter(fixture_poll_choices::id.gt(after.unwrap_or(0)))
        .order(fixture_poll_choices::id)
        .select((fixture_poll_choices::id, fixture_poll_choices::poll_id, fixture_poll_choices::text))
        .limit(most)
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, poll_id, text)| (id, ExportedChoice { poll_id, text })).collect())
}

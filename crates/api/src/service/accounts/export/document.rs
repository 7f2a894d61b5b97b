//! The file, in the order in which it is written: [`ExportResponse`](auth_types::export::ExportResponse), part by part.

use crate::service::events::history::newest;
use crate::service::events::numbers::EventNumbers;
use crate::service::mail::Amounts;
use crate::service::sessions::view::SessionView;
use crate::store::events::Position;
use crate::store::mail_outbox::Slice;
use crate::store::one_time_tokens::LinkPlace;
use crate::store::users::{self, UserRow};
use crate::store::{
    AnyConnection, QueryResult, events, known_networks, mail_outbox, one_time_tokens, pending_registrations,
    sent_mails, sessions,
};
use auth_types::SessionId;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// Rows of a page: what an export holds in memory.
const PAGE: i64 = 250;

/// Where the file goes on: in this list, after this row; without one at its beginning.
#[derive(Debug, Clone)]
pub(super) enum Cursor {
    Head,
    Sessions(Option<SessionId>),
    Events(Option<Position>),
    Networks(Option<String>),
    Links(Option<LinkPlace>),
    Registrations(Option<i64>),
    Mails(Option<i64>),
    SentMails,
    End,
}

/// What all parts of one file have in common.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) begun_at: DateTime<Utc>,
    pub(super) sessions: SessionView,
    pub(super) amounts: Amounts,
    pub(super) numbers: EventNumbers,
}

/// A part of the file, and where it goes on; `None` after the end.
pub(super) type Part = (Vec<u8>, Option<Cursor>);

impl Cursor {
    /// Reads the part that begins here.
    pub(super) fn read(
        self,
        connection: &mut AnyConnection,
        user: UserRow,
        file: &File,
    ) -> QueryResult<serde_json::Result<Part>> {
        let id = user.id;
        Ok(match &self {
            Self::Head => head(user, file.begun_at),
            Self::Sessions(after) => {
                let rows = sessions::export(connection, id, after.unwrap_or(SessionId(Uuid::nil())), PAGE)?;
                let exported = |(row, revoke_reason)| file.sessions.exported(row, revoke_reason);
                let rows: Vec<_> = rows.into_iter().map(exported).collect();
                self.page(&rows, rows.last().map(|session| Self::Sessions(Some(session.id))))
            }
            Self::Events(before) => {
                let mut rows = events::list(connection, id, before.unwrap_or_else(newest), PAGE)?;
                let last = rows.last().map(|event| Position { at: event.at, id: event.id });
                for event in &mut rows {
                    event.id = file.numbers.shown(event.id);
                }
                self.page(&rows, last.map(|last| Self::Events(Some(last))))
            }
            Self::Networks(after) => {
                let rows = known_networks::export(connection, id, after.as_deref().unwrap_or_default(), PAGE)?;
                self.page(&rows, rows.last().map(|last| Self::Networks(Some(last.network.clone()))))
            }
            Self::Links(after) => {
                let after = after.clone().unwrap_or((DateTime::<Utc>::UNIX_EPOCH, Vec::new()));
                let (places, rows) = unzip(one_time_tokens::export(connection, id, &after, PAGE)?);
                self.page(&rows, places.last().map(|last| Self::Links(Some(last.clone()))))
            }
            Self::Registrations(after) => {
                let [_, canonical] = proven_addresses(&user);
                let rows = pending_registrations::export(connection, &canonical, after.unwrap_or(0), PAGE)?;
                let (ids, rows) = unzip(rows);
                self.page(&rows, ids.last().map(|last| Self::Registrations(Some(*last))))
            }
            Self::Mails(after) => {
                let slice = Slice { after: after.unwrap_or(0), most: PAGE };
                let (ids, rows) = unzip(mail_outbox::export(connection, id, &proven_addresses(&user), slice)?);
                self.page(&rows, ids.last().map(|last| Self::Mails(Some(*last))))
            }
            // An hour's: it is never a full page.
            Self::SentMails => {
                let [address, _] = proven_addresses(&user);
                self.page(&sent_mails::export(connection, &file.amounts.hash(&address))?, None)
            }
            Self::End => Ok((b"}".to_vec(), None)),
        })
    }

    /// The list's name in the file, whether this is its beginning, and what follows it.
    const fn list(&self) -> (&'static str, bool, Self) {
        match self {
            Self::Sessions(after) => ("sessions", after.is_none(), Self::Events(None)),
            Self::Events(before) => ("events", before.is_none(), Self::Networks(None)),
            Self::Networks(after) => ("networks", after.is_none(), Self::Links(None)),
            Self::Links(after) => ("links", after.is_none(), Self::Registrations(None)),
            Self::Registrations(after) => ("registrations", after.is_none(), Self::Mails(None)),
            Self::Mails(after) => ("mails", after.is_none(), Self::SentMails),
            Self::SentMails => ("sent_mails", true, Self::End),
            Self::Head | Self::End => ("", true, Self::End),
        }
    }

    /// Writes a page of a list, which goes on at `more` if the page is full.
    fn page<T: Serialize>(&self, rows: &[T], more: Option<Self>) -> serde_json::Result<Part> {
        let (name, is_first, following) = self.list();
        let mut out = Vec::new();
        if is_first {
            out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
        }
        for (number, row) in rows.iter().enumerate() {
            if number > 0 || !is_first {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, row)?;
        }
        let more = more.filter(|_| i64::try_from(rows.len()).is_ok_and(|rows| rows == PAGE));
        if more.is_none() {
            out.push(b']');
        }
        Ok((out, Some(more.unwrap_or(following))))
    }
}

/// The account's address as it was typed and in its canonical form. Whoever did not confirm it must not see what its owner
/// does with it: they have none.
fn proven_addresses(user: &UserRow) -> [String; 2] {
    if user.email_verified_at.is_none() {
        return Default::default();
    }
    [user.email.clone(), user.email_canonical.clone()]
}

/// The account itself, without the brace that ends the file.
fn head(user: UserRow, at: DateTime<Utc>) -> serde_json::Result<Part> {
    let head = format!("{{\"exported_at\":{},\"user\":", serde_json::to_string(&at)?);
    let mut out = head.into_bytes();
    serde_json::to_writer(&mut out, &users::exported(user))?;
    Ok((out, Some(Cursor::Sessions(None))))
}

fn unzip<A, B>(pairs: Vec<(A, B)>) -> (Vec<A>, Vec<B>) {
    pairs.into_iter().unzip()
}

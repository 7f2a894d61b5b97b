//! Latchkey's own tables.

use super::erasure::Erasure;
use super::export::ExportList;
use super::table::{PruneInput, Table};
use crate::service::events::history::newest;
use crate::service::events::numbers::EventNumbers;
use crate::service::events::retention::{EVENT_DAYS, EVENTS_WITHOUT_ACCOUNT};
use crate::service::mail;
use crate::service::sessions::revocation_poll;
use crate::service::sessions::view::SessionView;
use crate::service::steps;
use crate::store::backup::OldCopyRule;
use crate::store::owned::KeyRange;
use crate::store::users::UserRow;
use crate::store::{
    AnyConnection, QueryResult, access_lifetimes, completed_steps, events, known_networks, layouts, mail_outbox,
    one_time_tokens, pending_registrations, sent_mails, sessions, users,
};
use auth_types::SessionId;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// How long an ended session, a link and the row of a deleted account are kept at least, days. Owners may ask about them.
const KEEP_DAYS: i64 = 7;
/// Maximum number of pending registrations: what a flood from very many addresses may leave for a day.
const MAX_PENDING_REGISTRATIONS: i64 = 1_000_000;

/// All of Latchkey's tables; a table comes after those that it refers to. The lists of an export have the same order.
pub fn builtin_tables() -> Vec<Table> {
    vec![
        // An export begins with the account itself, and the deletion erases it.
        Table::of(layouts::users(), OldCopyRule::Keep).pruned(|connection, input, limit| {
            // Its sessions are deleted with it.
            let before = sessions_kept_since(connection, input)?;
            users::delete_erased(connection, before, limit)
        }),
        sessions(),
        auth_events(),
        known_networks(),
        one_time_tokens(),
        pending_registrations(),
        mail_outbox(),
        sent_mails(),
        Table::of(layouts::stray_files(), OldCopyRule::Keep),
        // A repeated request gets the response of a session that a restore ends.
        Table::of(layouts::completed_steps(), OldCopyRule::Skip).not_backed_up().pruned(|connection, input, limit| {
            completed_steps::delete_old(connection, input.now - steps::REPEAT_WINDOW, limit)
        }),
        Table::of(layouts::access_lifetimes(), OldCopyRule::Keep).written_at_start(),
        // A restored database records its own backups only.
        Table::of(layouts::last_backup(), OldCopyRule::Skip).not_backed_up(),
        // A restored database is another one.
        Table::of(layouts::database_identity(), OldCopyRule::Skip).not_backed_up(),
    ]
}

fn kept_since(now: DateTime<Utc>) -> DateTime<Utc> {
    now - Duration::days(KEEP_DAYS)
}

/// While a revoked session's access tokens may be valid, a process that starts must find its row.
fn sessions_kept_since(connection: &mut AnyConnection, input: &PruneInput) -> QueryResult<DateTime<Utc>> {
    let lifetimes = access_lifetimes::list(connection)?;
    let retention = revocation_poll::feed_retention(&lifetimes, &input.settings, input.now);
    Ok(kept_since(input.now).min(input.now - retention))
}

fn sessions() -> Table {
    let export = ExportList::by("sessions", |connection, subject, after: Option<SessionId>, limit| {
        let view = SessionView::of(subject.settings.lifetimes.refresh, subject.caller);
        let rows = sessions::export(connection, subject.user.id, after.unwrap_or(SessionId(Uuid::nil())), limit)?;
        Ok(rows.into_iter().map(|(row, reason)| (row.id, view.exported(row, reason))).collect())
    });
    Table::of(layouts::sessions(), OldCopyRule::Revoke)
        .exported(export)
        .erased(Erasure::in_batches(sessions::erase, sessions::erased_users))
        .pruned(|connection, input, limit| {
            let before = sessions_kept_since(connection, input)?;
            sessions::delete_ended(connection, before, limit)
        })
}

fn auth_events() -> Table {
    let export = ExportList::by("events", |connection, subject, before: Option<events::EventPosition>, limit| {
        let numbers = EventNumbers::of(&subject.settings);
        let mut rows = events::list(connection, subject.user.id, before.unwrap_or_else(newest), limit)?;
        let positions: Vec<_> = rows.iter().map(|event| events::EventPosition { at: event.at, id: event.id }).collect();
        for event in &mut rows {
            event.id = numbers.shown(event.id);
        }
        Ok(positions.into_iter().zip(rows).collect())
    });
    Table::of(layouts::auth_events(), OldCopyRule::Keep)
        .exported(export)
        // Events can be inserted until the account's own row has changed, and not after that.
        .erased(Erasure::in_batches(events::delete_of_user, events::erased_users).after_the_account())
        .pruned(|connection, input, limit| {
            events::delete_older(connection, input.now - Duration::days(EVENT_DAYS), limit)
        })
        .pruned(|connection, _, limit| events::delete_anonymous_surplus(connection, EVENTS_WITHOUT_ACCOUNT, limit))
}

fn known_networks() -> Table {
    let export = ExportList::by("networks", |connection, subject, after: Option<String>, limit| {
        let rows = known_networks::export(connection, subject.user.id, &after.unwrap_or_default(), limit)?;
        Ok(rows.into_iter().map(|row| (row.network.clone(), row)).collect())
    });
    Table::of(layouts::known_networks(), OldCopyRule::Keep)
        .exported(export)
        .erased(Erasure::whole(|connection, user| known_networks::delete_all(connection, user.id)))
        .pruned(|connection, input, limit| {
            known_networks::delete_unseen(connection, input.now - input.settings.lifetimes.session, limit)
        })
}

fn one_time_tokens() -> Table {
    let export = ExportList::by("links", |connection, subject, after: Option<one_time_tokens::LinkPosition>, limit| {
        let after = after.unwrap_or((DateTime::<Utc>::UNIX_EPOCH, Vec::new()));
        one_time_tokens::export(connection, subject.user.id, &after, limit)
    });
    Table::of(layouts::one_time_tokens(), OldCopyRule::Skip)
        .exported(export)
        .erased(Erasure::whole(|connection, user| one_time_tokens::delete_all(connection, user.id)))
        .pruned(|connection, input, limit| one_time_tokens::delete_expired(connection, kept_since(input.now), limit))
}

fn pending_registrations() -> Table {
    let export = ExportList::by("registrations", |connection, subject, after: Option<i64>, limit| {
        let [_, canonical] = confirmed_addresses(&subject.user);
        pending_registrations::export(connection, &canonical, after.unwrap_or(0), limit)
    });
    let erasure = Erasure::whole(|connection, user| {
        // If the address was never confirmed, they may belong to its real owner.
        if user.email_verified_at.is_some() {
            pending_registrations::delete_all(connection, &user.email_canonical)?;
        }
        Ok(())
    });
    Table::of(layouts::pending_registrations(), OldCopyRule::Skip)
        .exported(export)
        .erased(erasure)
        // Expired registrations can no longer be confirmed.
        .pruned(|connection, input, limit| pending_registrations::delete_expired(connection, input.now, limit))
        .pruned(|connection, _, limit| {
            pending_registrations::delete_oldest(connection, MAX_PENDING_REGISTRATIONS, limit)
        })
}

fn mail_outbox() -> Table {
    let export = ExportList::by("mails", |connection, subject, after: Option<i64>, limit| {
        let range = KeyRange { after, limit };
        mail_outbox::export(connection, subject.user.id, &confirmed_addresses(&subject.user), range)
    });
    // Features queue mails to other users, until the account's own row has changed.
    let erasure = Erasure::whole(|connection, user| {
        let is_confirmed = user.email_verified_at.is_some();
        mail_outbox::delete_all(connection, user.id, [&user.email, &user.email_canonical], is_confirmed)
    });
    Table::of(layouts::mail_outbox(), OldCopyRule::Skip)
        .exported(export)
        .erased(erasure.after_the_account())
        // The worker gives up those that it knows.
        .pruned(|connection, input, limit| {
            mail_outbox::delete_expired_unknown(connection, input.now, input.mails.kinds(), limit)
        })
}

fn sent_mails() -> Table {
    // They cover one hour and fit on one page.
    let export = ExportList::by("sent_mails", |connection, subject, after: Option<()>, _| {
        if after.is_some() {
            return Ok(Vec::new());
        }
        let [address, _] = confirmed_addresses(&subject.user);
        let rows = sent_mails::export(connection, &mail::address_hash(&subject.settings, &address))?;
        Ok(rows.into_iter().map(|row| ((), row)).collect())
    });
    // The number of mails in the hour before a backup does not matter in the hour after it.
    Table::of(layouts::sent_mails(), OldCopyRule::Skip)
        .not_backed_up()
        .exported(export)
        .pruned(|connection, input, limit| sent_mails::delete_old(connection, input.now - mail::WINDOW, limit))
}

/// The account's address as typed and in its canonical form, or empty strings if it was never confirmed: such an account must
/// not see what the address's real owner does with it.
fn confirmed_addresses(user: &UserRow) -> [String; 2] {
    if user.email_verified_at.is_none() {
        return Default::default();
    }
    [user.email.clone(), user.email_canonical.clone()]
}

//! What may be done with polls.

use super::closed_mail;
use super::store::{self, NewPoll};
use super::types::{FixturePoll, FixturePollChange, FixturePollClosing, FixturePollRequest};
use api::prelude::{
    Administrator, ClientInfo, CurrentUser, Error, Page, Problem, RequestContext, Services, page_of, queue_mail,
    record_event,
};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

const PAGE: usize = 20;

/// The caller has no such poll, or it no such choice.
pub(super) struct NoSuchPoll;

impl From<NoSuchPoll> for Problem {
    fn from(_: NoSuchPoll) -> Self {
        Self::not_found()
    }
}

pub(super) async fn list(
    services: &Services,
    caller: CurrentUser,
    before: Option<i64>,
) -> Result<Page<FixturePoll>, Error<Infallible>> {
    let polls = caller.read(services, move |connection, user| store::list(connection, user.id, before, PAGE + 1));
    Ok(page_of(polls.await?, PAGE, |poll| poll.id))
}

/// The question was asked before.
pub(super) struct AskedAlready;

impl From<AskedAlready> for Problem {
    fn from(_: AskedAlready) -> Self {
        Self::conflict("fixture_polls.asked", "This has been asked already.")
    }
}

pub(super) async fn create(
    services: &Services,
    caller: CurrentUser,
    request: FixturePollRequest,
) -> Result<FixturePoll, Error<AskedAlready>> {
    check(&request)?;
    let insertion = caller.write(services, move |connection, user, now| {
        if let Some(request) = request.request_id
            && let Some(made) = store::find_request(connection, user.id, request)?
        {
            return Ok(Ok(made));
        }
        let new = NewPoll::of(user.id, &request, now);
        store::insert(connection, new, &request.choices).map(Ok)
    });
    // Of two requests with one id at the same moment, the second is refused as well: its question has been asked.
    insertion.await.map_err(|error| error.if_taken(AskedAlready))
}

fn check(request: &FixturePollRequest) -> Result<(), Error<AskedAlready>> {
    if request.question.chars().count() > 200 {
        return Err(Error::field("question", "At most 200 characters."));
    }
    if request.choices.is_empty() {
        return Err(Error::field("choices", "Offer something."));
    }
    if let Some(index) = request.choices.iter().position(|choice| choice.trim().is_empty()) {
        return Err(Error::field(&format!("choices.{index}"), "Offer something."));
    }
    if !(0.0..=1.0).contains(&request.quorum) {
        return Err(Error::field("quorum", "Between 0 and 1."));
    }
    match &request.closing {
        Some(FixturePollClosing { after_days: ..0, .. }) => Err(Error::field("closing", "Not in the past.")),
        Some(FixturePollClosing { farewell, .. }) if farewell.is_empty() => {
            Err(Error::field("closing", "Say something."))
        }
        _ => Ok(()),
    }
}

pub(super) async fn show(
    services: &Services,
    caller: CurrentUser,
    id: Option<i64>,
) -> Result<FixturePoll, Error<NoSuchPoll>> {
    let found = caller.read(services, move |connection, user| store::find(connection, user.id, id)).await?;
    found.ok_or(Error::Refused(NoSuchPoll))
}

/// Why a poll is not changed.
pub(super) enum ChangeRefusal {
    NoSuchPoll,
    ChangedMeanwhile,
    AskedAlready,
}

impl From<ChangeRefusal> for Problem {
    fn from(refusal: ChangeRefusal) -> Self {
        match refusal {
            ChangeRefusal::NoSuchPoll => Self::not_found(),
            ChangeRefusal::ChangedMeanwhile => {
                Self::conflict("fixture_polls.changed", "This poll was changed meanwhile. Check it, and save again.")
            }
            ChangeRefusal::AskedAlready => AskedAlready.into(),
        }
    }
}

pub(super) async fn change(
    services: &Services,
    caller: CurrentUser,
    id: i64,
    request: FixturePollChange,
) -> Result<FixturePoll, Error<ChangeRefusal>> {
    let change = caller.write(services, move |connection, user, _| {
        Ok(match store::change(connection, user.id, id, &request)? {
            Some(changed) => Ok(changed),
            None if store::find(connection, user.id, Some(id))?.is_some() => {
                Err(Error::Refused(ChangeRefusal::ChangedMeanwhile))
            }
            None => Err(Error::Refused(ChangeRefusal::NoSuchPoll)),
        })
    });
    change.await.map_err(|error| error.if_taken(ChangeRefusal::AskedAlready))
}

/// Why a poll is not closed.
pub(super) enum CloseRefusal {
    NoSuchPoll,
    ClosedAlready,
}

impl From<CloseRefusal> for Problem {
    fn from(refusal: CloseRefusal) -> Self {
        match refusal {
            CloseRefusal::NoSuchPoll => Self::not_found(),
            CloseRefusal::ClosedAlready => Self::conflict("fixture_polls.closed", "This poll is closed already."),
        }
    }
}

pub(super) async fn close(
    services: &Services,
    caller: CurrentUser,
    id: i64,
    client: ClientInfo,
) -> Result<(), Error<CloseRefusal>> {
    let context = services.context(client);
    let closed = caller.write(services, move |connection, user, _| {
        Ok(match store::close(connection, user.id, id)? {
            Some(true) => {
                queue_mail(connection, user.id, closed_mail::MAIL.about(&id), &context)?;
                Ok(())
            }
            Some(false) => Err(Error::Refused(CloseRefusal::ClosedAlready)),
            None => Err(Error::Refused(CloseRefusal::NoSuchPoll)),
        })
    });
    closed.await
}

pub(super) async fn remove_choice(
    services: &Services,
    caller: CurrentUser,
    poll: i64,
    choice: i64,
) -> Result<(), Error<NoSuchPoll>> {
    let removed = caller.write(services, move |connection, user, _| {
        let existed = store::remove_choice(connection, user.id, poll, choice)?;
        Ok(if existed { Ok(()) } else { Err(Error::Refused(NoSuchPoll)) })
    });
    removed.await
}

pub(super) async fn count(services: &Services, admin: Administrator) -> Result<i64, Error<Infallible>> {
    admin.read(services, |connection, _| store::count(connection)).await
}

pub(super) async fn count_since(
    services: &Services,
    caller: CurrentUser,
    since: DateTime<Utc>,
) -> Result<i64, Error<Infallible>> {
    caller.read(services, move |connection, user| store::count_since(connection, user.id, since)).await
}

pub(super) async fn remove(services: &Services, admin: Administrator, ids: Vec<i64>) -> Result<i64, Error<Infallible>> {
    let removed = admin.write(services, move |connection, _, now| {
        let owners = store::remove(connection, &ids)?;
        if owners.len() != ids.len() {
            return Ok(Err(Error::field("ids", "Not all of them exist.")));
        }
        // The owners see that it happened, and nothing of the administrator.
        let context = RequestContext::without_client(now);
        for owner in owners {
            record_event(connection, owner, "fixture_polls.removed", &context)?;
        }
        store::count(connection).map(Ok)
    });
    removed.await
}

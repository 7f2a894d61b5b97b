//! What may be done with polls.

use super::store::{self, NewPoll};
use super::types::{FixturePoll, FixturePollClosing, FixturePollRequest};
use api::prelude::{Administrator, CurrentUser, Error, Page, Problem, RequestContext, Services, page_of, record_event};
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
        let new = NewPoll::of(user.id, &request, now);
        store::insert(connection, new, &request.choices).map(Ok)
    });
    // The question is the only unique thing.
    insertion.await.map_err(|error| error.if_taken(AskedAlready))
}

fn check(request: &FixturePollRequest) -> Result<(), Error<AskedAlready>> {
    if request.question.chars().count() > 200 {
        return Err(Error::field("question", "At most 200 characters."));
    }
    if request.choices.is_empty() {
        return Err(Error::field("choices", "Offer something."));
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

pub(super) async fn close(services: &Services, caller: CurrentUser, id: i64) -> Result<(), Error<CloseRefusal>> {
    let closed = caller.write(services, move |connection, user, _| {
        Ok(match store::close(connection, user.id, id)? {
            Some(true) => Ok(()),
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

//! When and from where something is done: what sessions, events and mails keep of it.

use super::{ClientInfo, Services};
use crate::clock::SharedTime;
use crate::store::events::{self, EventDetail, EventKind, NewEvent};
use crate::store::{AnyConnection, QueryResult, known_networks};
use auth_types::UserId;
use chrono::{DateTime, Utc};

/// A moment and a client. It is made once for what belongs together.
#[derive(Debug, Clone)]
pub struct Cause {
    pub now: DateTime<Utc>,
    /// The same moment, for what other processes compare with their time.
    pub shared_now: SharedTime,
    pub client: ClientInfo,
}

impl Services {
    /// What `client` does now.
    pub fn cause(&self, client: ClientInfo) -> Cause {
        Cause { now: self.now(), shared_now: self.shared_now(), client }
    }
}

impl Cause {
    /// What happens without anybody asking for it, or must not tell who asked.
    pub(super) fn of_nobody(now: DateTime<Utc>) -> Self {
        Self { now, shared_now: SharedTime(now), client: ClientInfo::default() }
    }

    /// An event of `user`, or of nobody known.
    pub(super) fn event(&self, user: impl Into<Option<UserId>>, kind: EventKind) -> NewEvent {
        NewEvent {
            user: user.into(),
            kind,
            at: self.now,
            ip_address: self.client.ip_address.clone(),
            user_agent: self.client.user_agent.clone(),
            detail: EventDetail::default(),
        }
    }

    /// Notes that `user` has proven themselves from the client's network, where that is known.
    pub(super) fn remember_network(&self, connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
        match self.client.network {
            Some(network) => known_networks::remember(connection, user, &network.to_string(), self.now),
            None => Ok(()),
        }
    }
}

/// Records what a feature did for a user, among what happened to their account: `notes.deleted` for a feature called `notes`.
pub fn record(connection: &mut AnyConnection, user: UserId, what: &'static str, cause: &Cause) -> QueryResult<()> {
    let mut event = cause.event(user, EventKind::Feature);
    event.detail.feature = Some(what.to_owned());
    events::insert(connection, &event)
}

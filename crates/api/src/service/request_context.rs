//! When and from where something is done: what sessions, events and mails record of it.

use super::{ClientInfo, Services};
use crate::clock::{CheckedTime, SharedTime, WrongClock};
use crate::store::events::{EventDetail, EventKind, NewEvent};
use crate::store::{AnyConnection, QueryResult, known_networks};
use auth_types::UserId;
use chrono::{DateTime, Utc};
use std::ops::Deref;

/// A time and a client. It is made once for everything that is written together.
#[derive(Debug, Clone)]
pub struct RequestContext {
    pub at: DateTime<Utc>,
    /// The same moment for other processes: by the database's clock while this process's clock is wrong.
    pub shared_at: SharedTime,
    pub client: ClientInfo,
}

/// A context whose time was read by a right clock: what opens a session or takes a mailed link requires it.
#[derive(Debug, Clone)]
pub(in crate::service) struct CheckedContext {
    context: RequestContext,
    checked_at: CheckedTime,
}

impl CheckedContext {
    pub(in crate::service) const fn checked_at(&self) -> CheckedTime {
        self.checked_at
    }
}

impl Deref for CheckedContext {
    type Target = RequestContext;

    fn deref(&self) -> &RequestContext {
        &self.context
    }
}

impl Services {
    /// The context of what `client` does now.
    pub fn context(&self, client: ClientInfo) -> RequestContext {
        RequestContext { at: self.now(), shared_at: self.shared_now(), client }
    }

    /// The same by a right clock. Made immediately before the transaction: the clock may jump while a password is hashed.
    pub(in crate::service) fn checked_context(&self, client: ClientInfo) -> Result<CheckedContext, WrongClock> {
        let checked_at = self.clock.checked_now()?;
        let context = RequestContext { at: checked_at.get(), shared_at: checked_at.into(), client };
        Ok(CheckedContext { context, checked_at })
    }
}

impl RequestContext {
    /// The context of what happens without a request, as in a job, or of what must not show its owner who sent the request, as when
    /// an administrator acts.
    pub fn without_client(at: DateTime<Utc>) -> Self {
        Self { at, shared_at: SharedTime::of(at), client: ClientInfo::default() }
    }

    /// An event of `user`, or of an unknown user.
    pub(super) fn event(&self, user: impl Into<Option<UserId>>, kind: EventKind) -> NewEvent {
        NewEvent {
            user: user.into(),
            kind,
            at: self.at,
            ip_address: self.client.ip_address.clone(),
            user_agent: self.client.user_agent.clone(),
            detail: EventDetail::default(),
        }
    }

    /// Records that `user` has authenticated from the client's network, if that is known.
    pub(super) fn remember_network(&self, connection: &mut AnyConnection, user: UserId) -> QueryResult<()> {
        match self.client.network {
            Some(network) => known_networks::remember(connection, user, &network.to_string(), self.at),
            None => Ok(()),
        }
    }
}

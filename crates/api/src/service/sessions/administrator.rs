//! Acting as an administrator. The role in an access token is as old as the token, so the user's row decides: when the request
//! arrives, and again on the connection that does the work.

use super::refusal::AuthorizationRefusal;
use crate::service::{CurrentUser, Error, Services};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult};
use auth_types::Role;
use chrono::{DateTime, Utc};
use std::convert::Infallible;

/// A caller who is an administrator by the user's row.
#[derive(Debug, Clone, Copy)]
pub struct Administrator(CurrentUser);

impl Administrator {
    /// The caller as an administrator.
    ///
    /// # Errors
    /// [`AuthorizationRefusal::NotAdministrator`], and as [`CurrentUser::read`].
    pub async fn of(services: &Services, caller: CurrentUser) -> Result<Self, Error<Infallible>> {
        let user = caller.read(services, |_, user| Ok(user)).await?;
        must_be_administrator(&user)?;
        Ok(Self(caller))
    }

    /// Who this is.
    pub const fn user(self) -> CurrentUser {
        self.0
    }

    /// As [`CurrentUser::read`], for an administrator only.
    ///
    /// # Errors
    /// [`AuthorizationRefusal::NotAdministrator`], and those of [`CurrentUser::read`].
    pub async fn read<T, R>(
        self,
        services: &Services,
        work: impl FnOnce(&mut AnyConnection, UserRow) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error<R>>
    where
        T: Send + 'static,
    {
        let transaction = self.0.read(services, move |connection, user| match must_be_administrator(&user) {
            Ok(()) => work(connection, user).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        });
        Ok(transaction.await??)
    }

    /// As [`CurrentUser::write`], for an administrator only.
    ///
    /// # Errors
    /// [`AuthorizationRefusal::NotAdministrator`], and those of [`CurrentUser::write`].
    pub async fn write<T, R>(
        self,
        services: &Services,
        work: impl FnOnce(&mut AnyConnection, UserRow, DateTime<Utc>) -> QueryResult<Result<T, Error<R>>> + Send + 'static,
    ) -> Result<T, Error<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let transaction = self.0.write(services, move |connection, user, now| match must_be_administrator(&user) {
            Ok(()) => work(connection, user, now),
            Err(refusal) => Ok(Err(refusal.into())),
        });
        transaction.await
    }
}

fn must_be_administrator(user: &UserRow) -> Result<(), AuthorizationRefusal> {
    if user.role == Role::Admin { Ok(()) } else { Err(AuthorizationRefusal::NotAdministrator) }
}

//! Authorization: may a user act through a session? A protected use case reads and writes as the caller, which checks this on
//! the connection that does the work, and for a write in its transaction; refresh and verify use the same predicate. So no
//! route accepts a token that another one refuses, and none can omit the check.

use super::refusal::AuthorizationRefusal;
use crate::clock::ComparedClock;
use crate::service::{CurrentUser, Error, Services};
use crate::store::sessions::{SessionRow, SessionState};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, sessions, users};
use auth_types::UserId;
use chrono::{DateTime, Utc};

impl CurrentUser {
    /// Reads as the caller, who is authorized on the same connection first.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], and those of the store.
    pub async fn read<T, R>(
        self,
        services: &Services,
        work: impl FnOnce(&mut AnyConnection, UserRow) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Error<R>>
    where
        T: Send + 'static,
    {
        let clock = services.clock.clone();
        let reading = services.store.run(move |connection| match authorize(connection, self, &clock)? {
            Ok(user) => work(connection, user).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        });
        Ok(reading.await??)
    }

    /// Writes as the caller, who is authorized in the same transaction first. The user's row is locked, as by everything that
    /// ends all of a user's sessions (a new password, a deletion), so the authorization stays valid until the transaction's
    /// end. `work` receives the time of the request.
    ///
    /// # Errors
    /// [`Error::NotAuthorized`], those of `work`, and those of the store.
    pub async fn write<T, R>(
        self,
        services: &Services,
        work: impl FnOnce(&mut AnyConnection, UserRow, DateTime<Utc>) -> QueryResult<Result<T, Error<R>>> + Send + 'static,
    ) -> Result<T, Error<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let clock = services.clock.clone();
        let now = services.now();
        let transaction = services.store.write(move |connection| {
            users::lock_credentials(connection, self.id)?;
            match authorize(connection, self, &clock)? {
                Ok(user) => work(connection, user, now),
                Err(refusal) => Ok(Err(refusal.into())),
            }
        });
        transaction.await?
    }
}

/// Returns the caller's row if they may act now, with one statement.
///
/// # Errors
/// When the database does not respond. The inner error is the [`AuthorizationRefusal`].
pub(in crate::service) fn authorize(
    connection: &mut AnyConnection,
    caller: CurrentUser,
    clock: &ComparedClock,
) -> QueryResult<Result<UserRow, AuthorizationRefusal>> {
    let found = sessions::find_with_user(connection, caller.session)?;
    Ok(authorize_session(found.as_ref(), caller.id, clock).map(|(_, user)| user.clone()))
}

/// Whether a token opens the session that it names: `found` is that session with its user, and `user` the user that the token names.
/// The first reason to refuse it counts, in the order of [`AuthorizationRefusal`]'s variants.
pub(in crate::service) fn authorize_session<'a>(
    found: Option<&'a (SessionRow, UserRow)>,
    user: UserId,
    clock: &ComparedClock,
) -> Result<&'a (SessionRow, UserRow), AuthorizationRefusal> {
    let found = found.filter(|(session, _)| session.user_id == user).ok_or(AuthorizationRefusal::Revoked)?;
    let (session, user) = found;
    let reading = clock.expiry_reading();
    match session.state(reading.latest) {
        SessionState::Revoked => Err(AuthorizationRefusal::Revoked),
        SessionState::Expired => Err(reading.unless_wrong(AuthorizationRefusal::Expired)),
        SessionState::Live if !user.is_active => Err(AuthorizationRefusal::UserInactive),
        SessionState::Live => Ok(found),
    }
}

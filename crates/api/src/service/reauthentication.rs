//! Security-changing acts ask a signed-in caller for the password again: a stolen access token is not enough for them.

use super::limits::{Budget, Throttled};
use super::passwords::{self, Verdict};
use super::pool::Busy;
use super::standing::{self, Refusal};
use super::{ClientInfo, CurrentUser, Services, event};
use crate::store::events::EventKind;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, sessions, users};
use chrono::{DateTime, Utc};

/// Why the caller is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticationError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the password is wrong")]
    WrongPassword,
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The caller's row, and the hash that their password was or will be compared with.
#[derive(Clone)]
pub struct Account {
    pub user: UserRow,
    password_hash: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// What is said of a wrong password; Django's words.
pub const WRONG_PASSWORD: &str = "Your password was entered incorrectly. Please enter it again.";

/// The caller's account.
///
/// # Errors
/// [`ReauthenticationError`].
pub async fn find(services: &Services, caller: CurrentUser) -> Result<Account, ReauthenticationError> {
    let now = services.now();
    let found = services.store.run(move |connection| {
        let found = sessions::find_with_user(connection, caller.session)?;
        Ok((found, users::find_password_hash(connection, caller.id)?))
    });
    let (found, password_hash) = found.await?;
    let (_, user) = standing::check(found.as_ref(), now)?;
    Ok(Account { user: user.clone(), password_hash: password_hash.ok_or(Refusal::UserInactive)? })
}

/// Compares the password, as far as the limits let it; a wrong one is recorded.
///
/// # Errors
/// [`ReauthenticationError`].
pub async fn check(
    services: &Services,
    account: &Account,
    password: String,
    client: &ClientInfo,
) -> Result<(), ReauthenticationError> {
    let mut tries = services.limits.tries(client);
    tries.by_name(Budget::ConfirmPassword, &account.user.id.to_string()).await?;
    let (encoded, cost) = (account.password_hash.clone(), services.settings.passwords.bcrypt_cost);
    let compared = services.hashing.run(move || passwords::verify(&password, &encoded, cost)).await;
    if compared == Ok(Verdict::Wrong) {
        let failure = event(account.user.id, EventKind::ReauthenticationFailed, services.now(), client);
        services.store.run(move |connection| events::insert(connection, &failure)).await?;
        return Err(ReauthenticationError::WrongPassword);
    }
    // Only a guess counts: not the right password, and not a server that could not compare.
    tries.give_back().await;
    Ok(compared.map(|_| ())?)
}

/// Whether what was checked still holds, inside the transaction that acts on it: `None` when the password was changed in
/// between. Nobody can change it until the transaction's end.
pub(super) fn still_holds(
    connection: &mut AnyConnection,
    account: &Account,
    caller: CurrentUser,
    now: DateTime<Utc>,
) -> QueryResult<Option<Result<(), Refusal>>> {
    let current = users::lock_credentials(connection, caller.id)?;
    if current.is_some_and(|current| current.password_hash != account.password_hash) {
        return Ok(None);
    }
    let found = sessions::find_with_user(connection, caller.session)?;
    Ok(Some(standing::check(found.as_ref(), now).map(|_| ())))
}

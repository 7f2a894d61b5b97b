//! Security-changing acts ask a signed-in caller for the password again: a stolen access token is not enough for them.

use super::hashing::{self, Verdict};
use crate::gate::Busy;
use crate::service::limits::{Budget, Throttled};
use crate::service::sessions::authorize::{self, Refusal};
use crate::service::{ClientInfo, CurrentUser, Services, event};
use crate::store::events::EventKind;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, users};
use auth_types::Reason;
use chrono::{DateTime, Utc};

/// Why the caller is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticationError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The access token is good for a repetition only, and there is nothing to repeat.
    #[error("the access token is not valid any more")]
    TokenNotValid(Reason),
    #[error("the password is wrong")]
    WrongPassword,
    /// Another request changed the password in between.
    #[error("the password is being changed by another request")]
    Contended,
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
        // The session second: what changed or erased the password in between has ended it.
        let password_hash = users::find_password_hash(connection, caller.id)?;
        Ok((password_hash, authorize::authorize(connection, caller, now)?))
    });
    let (password_hash, user) = found.await?;
    let (user, password_hash) = (user?, password_hash.ok_or(Refusal::UserInactive)?);
    Ok(Account { user, password_hash })
}

/// Compares the password, as far as the limits let it; a wrong one is recorded. Answers the account, which is proven now.
///
/// # Errors
/// [`ReauthenticationError`].
pub async fn check(
    services: &Services,
    account: Account,
    password: String,
    client: &ClientInfo,
) -> Result<Account, ReauthenticationError> {
    let mut tries = services.limits.tries(client);
    tries.by_name(Budget::ConfirmPassword, &account.user.id.to_string()).await?;
    let (encoded, cost) = (account.password_hash.clone(), services.settings.passwords.bcrypt_cost);
    let compared = services.hashing.run(move || hashing::verify(&password, &encoded, cost)).await;
    if compared == Ok(Verdict::Wrong) {
        let failure = event(account.user.id, EventKind::ReauthenticationFailed, services.now(), client);
        services.store.write_statement(move |connection| events::insert(connection, &failure)).await?;
        return Err(ReauthenticationError::WrongPassword);
    }
    // Only a guess counts: not the right password, and not a server that could not compare.
    tries.give_back().await;
    compared?;
    Ok(account)
}

/// Whether what was checked still holds, inside the transaction that acts on it, and the caller's row as it is now. Nobody
/// can change it until the transaction's end.
pub(in crate::service) fn still_holds(
    connection: &mut AnyConnection,
    account: &Account,
    caller: CurrentUser,
    now: DateTime<Utc>,
) -> QueryResult<Result<UserRow, ReauthenticationError>> {
    let current = users::lock_credentials(connection, caller.id)?;
    Ok(match authorize::authorize(connection, caller, now)? {
        Err(refusal) => Err(refusal.into()),
        Ok(_) if current.is_none_or(|current| current.password_hash != account.password_hash) => {
            Err(ReauthenticationError::Contended)
        }
        Ok(user) => Ok(user),
    })
}

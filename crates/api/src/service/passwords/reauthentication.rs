//! Security-sensitive changes require a signed-in caller's password again: a stolen access token is not enough.

use super::hashing::{self, PasswordVerdict};
use crate::service::limits::Budget;
use crate::service::sessions::authorize::authorize;
use crate::service::sessions::refusal::AuthorizationRefusal;
use crate::service::steps::StepTokenNotValid;
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::EventKind;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, events, users};
use chrono::{DateTime, Utc};

/// Why the caller was not reauthenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReauthenticationRefusal {
    #[error(transparent)]
    TokenNotValid(#[from] StepTokenNotValid),
    #[error("the password is wrong")]
    WrongPassword,
    /// Another request changed the password in between.
    #[error("the password is being changed by another request")]
    Contended,
}

/// How reauthentication fails.
pub type ReauthenticationError = Error<ReauthenticationRefusal>;

impl From<StepTokenNotValid> for ReauthenticationError {
    fn from(refusal: StepTokenNotValid) -> Self {
        Self::Refused(refusal.into())
    }
}

/// The caller's row, and the hash that their password is compared with.
#[derive(Clone)]
pub struct CallerAccount {
    pub user: UserRow,
    password_hash: String,
}

impl std::fmt::Debug for CallerAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallerAccount").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// The message for a wrong password, in Django's wording.
pub const WRONG_PASSWORD: &str = "Your password was entered incorrectly. Please enter it again.";

/// The caller's account.
pub async fn find(services: &Services, caller: CurrentUser) -> Result<CallerAccount, ReauthenticationError> {
    let clock = services.clock.clone();
    let lookup = services.store.run(move |connection| {
        // Before the session, which a new password ends: while it is live, this hash is not a later password's.
        let password_hash = users::find_password_hash(connection, caller.id)?;
        Ok(authorize(connection, caller, &clock)?.map(|user| (user, password_hash)))
    });
    let (user, password_hash) = lookup.await??;
    // A deleted account has no hash.
    let password_hash = password_hash.filter(|password_hash| !password_hash.is_empty());
    let password_hash = password_hash.ok_or(AuthorizationRefusal::Revoked)?;
    Ok(CallerAccount { user, password_hash })
}

/// Compares the password, if the limits allow it, and records a wrong one. Returns the account, which is reauthenticated now.
pub async fn check(
    services: &Services,
    account: CallerAccount,
    password: String,
    client: &ClientInfo,
) -> Result<CallerAccount, ReauthenticationError> {
    let mut charges = services.limits.charges(client);
    charges.charge(Budget::ConfirmPassword, &account.user.id.to_string()).await?;
    let encoded = account.password_hash.clone();
    let cost = services.settings.passwords.bcrypt_cost;
    let compared = services.hashing.run(move || hashing::verify(&password, &encoded, cost)).await;
    if compared == Ok(PasswordVerdict::Wrong) {
        let failure = services.context(client.clone()).event(account.user.id, EventKind::ReauthenticationFailed);
        services.store.write_statement(move |connection| events::insert(connection, &failure)).await?;
        return Err(Error::Refused(ReauthenticationRefusal::WrongPassword));
    }
    // Only a wrong guess counts: not the right password, and not a failure of the server.
    charges.refund().await;
    compared?;
    Ok(account)
}

impl CallerAccount {
    /// Writes as the caller, if the password is still the one that was compared. It cannot change until the transaction's end.
    ///
    /// # Errors
    /// As [`CurrentUser::write`], and [`ReauthenticationRefusal::Contended`].
    pub(in crate::service) async fn write<T, R>(
        self,
        services: &Services,
        caller: CurrentUser,
        work: impl FnOnce(&mut AnyConnection, UserRow, DateTime<Utc>) -> QueryResult<Result<T, Error<R>>> + Send + 'static,
    ) -> Result<T, Error<R>>
    where
        T: Send + 'static,
        R: From<ReauthenticationRefusal> + Send + 'static,
    {
        let checked = self.password_hash;
        let transaction = caller.write(services, move |connection, user, now| {
            if users::find_password_hash(connection, user.id)? != Some(checked) {
                return Ok(Err(Error::Refused(ReauthenticationRefusal::Contended.into())));
            }
            work(connection, user, now)
        });
        transaction.await
    }
}

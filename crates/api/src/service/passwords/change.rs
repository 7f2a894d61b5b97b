//! A new password for a caller who knows the old one. All sessions end; the caller goes on with a new one.

use super::hashing::{self, OwnWords};
use super::reauthentication::{self, Account, ReauthenticationError, WRONG_PASSWORD};
use crate::gate::Busy;
use crate::service::limits::Budget;
use crate::service::mail::{self, links};
use crate::service::sessions::grant::{self, SignError};
use crate::service::steps::{Repeatable, RepeatingUser};
use crate::service::{ClientInfo, CurrentUser, Services, event};
use crate::store::events::EventKind;
use crate::store::mail_outbox::MailKind;
use crate::store::sessions::{RevokeReason, SessionRow};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, events, known_networks, mail_outbox, sessions, users};
use auth_types::requests::PasswordChangeRequest;
use auth_types::responses::TokenResponse;
use auth_types::{FieldErrors, SessionId, validation};
use chrono::{DateTime, Utc};

/// Why the password stays.
#[derive(Debug, thiserror::Error)]
pub enum PasswordChangeError {
    /// The current password is wrong, or the new one has the wrong form.
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    /// The new password is too easy to guess.
    #[error("the new password is too weak: {0}")]
    TooWeak(String),
    #[error(transparent)]
    NotProven(ReauthenticationError),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("cannot hash the password")]
    Hash(#[from] bcrypt::BcryptError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReauthenticationError> for PasswordChangeError {
    /// The password has another name here than elsewhere, because there are two.
    fn from(error: ReauthenticationError) -> Self {
        match error {
            ReauthenticationError::WrongPassword => {
                Self::Fields(FieldErrors::from([("current_password".to_owned(), vec![WRONG_PASSWORD.to_owned()])]))
            }
            other => Self::NotProven(other),
        }
    }
}

/// Changes the password and returns a new session; every other one is revoked, and every link is worthless. A repetition
/// gets the tokens of that session again, until they have been used; its caller's own session has ended with the change.
///
/// # Errors
/// [`PasswordChangeError`]; nothing is changed then.
pub async fn change(
    services: &Services,
    caller: RepeatingUser,
    asked: Repeatable<PasswordChangeRequest>,
    client: ClientInfo,
) -> Result<TokenResponse, PasswordChangeError> {
    let step = asked.step.clone();
    let changed = step.once(services, change_once(services, caller, asked, client), |done| {
        let again =
            done.session.map(|(session, user)| grant::token_response(services, &session, &user, services.now()));
        Ok(again.transpose()?)
    });
    changed.await
}

async fn change_once(
    services: &Services,
    caller: RepeatingUser,
    asked: Repeatable<PasswordChangeRequest>,
    client: ClientInfo,
) -> Result<TokenResponse, PasswordChangeError> {
    let caller = caller.proven()?;
    let mut tries = mail::take_request(services, &client).await.map_err(ReauthenticationError::from)?;
    tries.by_client(Budget::PasswordChangeClient).await.map_err(ReauthenticationError::from)?;
    tries.by_name(Budget::PasswordChangeUser, &caller.id.to_string()).await.map_err(ReauthenticationError::from)?;
    let changed = prove_and_change(services, caller, asked, client).await;
    match &changed {
        Ok(_) => {}
        // Its judgement has cost time, and nobody is mailed.
        Err(PasswordChangeError::TooWeak(_)) => tries.give_back_all(|budget| budget == Budget::MailClient).await,
        // Also when the database has failed: then the same request is to be repeated.
        Err(_) => tries.give_back().await,
    }
    changed
}

async fn prove_and_change(
    services: &Services,
    caller: CurrentUser,
    Repeatable { request, step }: Repeatable<PasswordChangeRequest>,
    client: ClientInfo,
) -> Result<TokenResponse, PasswordChangeError> {
    let (account, password_hash) = prove_and_hash(services, caller, request, &client).await?;
    let (now, lifetimes) = (services.now(), services.settings.lifetimes.clone());
    let changed = services.store.write(move |connection| {
        if let Err(error) = reauthentication::still_holds(connection, &account, caller, now)? {
            return Ok(Err(error));
        }
        if let Some(network) = client.network {
            known_networks::remember(connection, caller.id, &network.to_string(), now)?;
        }
        let new_session = grant::new_session(caller.id, &lifetimes, now, &client);
        let ended = sessions::revoke_all(connection, caller.id, RevokeReason::PasswordChange, now)?;
        let user = users::update_password(connection, caller.id, &password_hash, None)?;
        note(connection, &user, now, &client)?;
        let session = sessions::insert(connection, new_session)?;
        step.complete(connection, (Some(session.id), None), now)?;
        Ok(Ok(Changed { session, user, ended }))
    });
    let Changed { session, user, ended } = changed.await??;
    services.feed.insert(ended, now);
    Ok(grant::token_response(services, &session, &user, now)?)
}

/// Compares the current password, then judges and encodes the new one.
async fn prove_and_hash(
    services: &Services,
    caller: CurrentUser,
    request: PasswordChangeRequest,
    client: &ClientInfo,
) -> Result<(Account, String), PasswordChangeError> {
    let account = reauthentication::find(services, caller).await?;
    let user = &account.user;
    let own_words = OwnWords::of(&user.email, user.username.as_deref(), &user.display_name);
    check(services, &own_words, &request).map_err(PasswordChangeError::Fields)?;
    let account = reauthentication::check(services, account, request.current_password, client).await?;
    let cost = services.settings.passwords.bcrypt_cost;
    let encode = move || hashing::judge_and_hash(&request.new_password, &own_words, cost);
    let password_hash = services.hashing.run(encode).await??.map_err(PasswordChangeError::TooWeak)?;
    Ok((account, password_hash))
}

struct Changed {
    session: SessionRow,
    user: UserRow,
    ended: Vec<SessionId>,
}

fn note(connection: &mut AnyConnection, user: &UserRow, now: DateTime<Utc>, client: &ClientInfo) -> QueryResult<()> {
    links::withdraw_all(connection, user.id, now)?;
    events::insert(connection, &event(user.id, EventKind::PasswordChanged, now, client))?;
    mail_outbox::insert(connection, &mail::to_user(MailKind::PasswordChanged, (user.id, &user.email), now, client))
}

fn check(services: &Services, own_words: &OwnWords, request: &PasswordChangeRequest) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    if let Err(message) = validation::given_password(&request.current_password) {
        errors.insert("current_password".to_owned(), vec![message]);
    }
    if let Err(message) = hashing::check_form(&request.new_password, services.settings.passwords.rules, own_words) {
        errors.insert("new_password".to_owned(), vec![message]);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

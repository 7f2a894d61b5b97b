//! Signing in with a name and a password.

use super::grant::{self, SignError};
use super::hashing::Busy;
use super::passwords::{self, Verdict};
use super::{ClientInfo, Services, event, identity};
use crate::store::events::EventKind;
use crate::store::users::Credentials;
use crate::store::{StoreError, events, sessions, users};
use auth_types::requests::LoginRequest;
use auth_types::responses::TokenResponse;
use auth_types::{FieldErrors, UserId, validation};
use secrecy::ExposeSecret;

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    /// Wrong password, unknown user, inactive user: not told apart.
    #[error("no active account with these credentials")]
    NoActiveAccount,
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("cannot hash the password")]
    Hash(#[from] bcrypt::BcryptError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs in: a new session and its first tokens.
///
/// # Errors
/// [`LoginError`].
pub async fn login(
    services: &Services,
    request: LoginRequest,
    client: ClientInfo,
) -> Result<TokenResponse, LoginError> {
    let name = check(&request).map_err(LoginError::Fields)?;
    // A place first: those for whom there is none must not ask the database, either.
    let place = services.hashing.enter()?;
    let found = find(services, name).await?;
    let cost = services.settings.passwords.bcrypt_cost;
    let nobody = services.nobodys_hash.expose_secret();
    let encoded = found.as_ref().map_or_else(|| nobody.to_owned(), |user| user.password_hash.clone());
    let compare = move || {
        let verdict = passwords::verify(&request.password, &encoded, cost);
        let renewed = matches!(verdict, Verdict::RightButOutdated).then(|| passwords::hash(&request.password, cost));
        (verdict, renewed.transpose())
    };
    let (verdict, renewed) = place.run(compare).await?;
    match found {
        Some(user) if verdict != Verdict::Wrong && user.is_active => {
            open_session(services, user, renewed?, client).await
        }
        // A row for an unknown name, too: a failure must cost the same whoever it was.
        found => {
            note_failure(services, found.map(|user| user.id), client).await?;
            Err(LoginError::NoActiveAccount)
        }
    }
}

/// The name to look for; either field may hold either kind.
fn check(request: &LoginRequest) -> Result<String, FieldErrors> {
    let mut errors = FieldErrors::new();
    let given = [&request.email, &request.username].into_iter().flatten().map(|name| name.trim());
    let name = given.filter(|name| !name.is_empty()).map(str::to_owned).next();
    if name.is_none() {
        errors.insert("email".to_owned(), vec![validation::REQUIRED.to_owned()]);
    }
    if let Err(message) = validation::given_password(&request.password) {
        errors.insert("password".to_owned(), vec![message]);
    }
    name.filter(|_| errors.is_empty()).ok_or(errors)
}

async fn find(services: &Services, name: String) -> Result<Option<Credentials>, StoreError> {
    // What is no address at all is looked for among the usernames only, and finds no address.
    let email = identity::canonical_email(&name).unwrap_or_default();
    let username = identity::canonical_username(&name);
    services.store.run(move |connection| users::find_credentials(connection, &email, &username)).await
}

/// Inserts the session, unless the account was changed while the password was being compared.
async fn open_session(
    services: &Services,
    checked: Credentials,
    renewed: Option<String>,
    client: ClientInfo,
) -> Result<TokenResponse, LoginError> {
    let (now, lifetimes) = (services.now(), services.settings.lifetimes.clone());
    let opened = services.store.write(move |connection| {
        let current = users::lock_credentials(connection, checked.id)?;
        if current.is_none_or(|current| !current.is_active || current.password_hash != checked.password_hash) {
            return Ok(None);
        }
        let user = users::update_login(connection, checked.id, now, renewed.as_deref())?;
        let session = sessions::insert(connection, grant::new_session(user.id, &lifetimes, now, &client))?;
        events::insert(connection, &event(user.id, EventKind::LoggedIn, now, &client))?;
        Ok(Some((session, user)))
    });
    let (session, user) = opened.await?.ok_or(LoginError::NoActiveAccount)?;
    Ok(grant::token_response(services, &session, &user, now)?)
}

async fn note_failure(services: &Services, user: Option<UserId>, client: ClientInfo) -> Result<(), StoreError> {
    let failure = event(user, EventKind::LoginFailed, services.now(), &client);
    services.store.run(move |connection| events::insert(connection, &failure)).await
}

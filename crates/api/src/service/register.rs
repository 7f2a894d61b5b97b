//! A new account, signed in at once.

use super::grant::{self, SignError};
use super::hashing::Busy;
use super::limits::{Budget, Throttled};
use super::{ClientInfo, Services, event, identity, passwords};
use crate::store::events::EventKind;
use crate::store::types::At;
use crate::store::users::{NewUser, TakenName};
use crate::store::{StoreError, events, known_networks, sessions, users};
use auth_types::requests::RegisterRequest;
use auth_types::responses::{Registration, TokenResponse};
use auth_types::{FieldErrors, Role, validation};

/// Why no account was made.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("registration is closed")]
    Closed,
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    #[error("another account has this name")]
    Taken(TakenName),
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("cannot hash the password")]
    Hash(#[from] bcrypt::BcryptError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request whose fields are in order.
#[derive(Debug)]
pub struct NewAccount {
    email: String,
    email_canonical: String,
    username: Option<String>,
    username_canonical: Option<String>,
    display_name: String,
    password: secrecy::SecretString,
}

/// Makes an account and its first session.
///
/// # Errors
/// [`RegisterError`]; nothing is kept then.
pub async fn register(
    services: &Services,
    request: &RegisterRequest,
    client: ClientInfo,
) -> Result<TokenResponse, RegisterError> {
    if services.settings.accounts.registration == Registration::Closed {
        return Err(RegisterError::Closed);
    }
    let account = check(services, request).map_err(RegisterError::Fields)?;
    services.limits.tries(&client).by_client(Budget::SignUpClient).await?;
    let user = new_user(services, account, Role::User).await?;
    let (names, now) = ((user.email_canonical.clone(), user.username_canonical.clone()), services.now());
    let lifetimes = services.settings.lifetimes.clone();
    let user = NewUser { created_at: At(now), last_login_at: Some(At(now)), ..user };
    let inserted = services.store.write(move |connection| {
        let user = users::insert(connection, &user)?;
        if let Some(network) = client.network {
            known_networks::remember(connection, user.id, &network.to_string(), now)?;
        }
        let session = sessions::insert(connection, grant::new_session(user.id, &lifetimes, now, &client))?;
        events::insert(connection, &event(user.id, EventKind::Registered, now, &client))?;
        Ok((session, user))
    });
    match inserted.await {
        Ok((session, user)) => Ok(grant::token_response(services, &session, &user, now)?),
        Err(error) => Err(explain(services, error, names).await),
    }
}

/// Makes an account without a session: what an operator does.
///
/// # Errors
/// [`RegisterError`]; nothing is kept then.
pub async fn create(services: &Services, request: &RegisterRequest, role: Role) -> Result<(), RegisterError> {
    let account = check(services, request).map_err(RegisterError::Fields)?;
    let user = new_user(services, account, role).await?;
    let names = (user.email_canonical.clone(), user.username_canonical.clone());
    match services.store.write(move |connection| users::insert(connection, &user).map(|_| ())).await {
        Ok(()) => Ok(()),
        Err(error) => Err(explain(services, error, names).await),
    }
}

/// Checks all fields and tells all that is wrong at once.
fn check(services: &Services, request: &RegisterRequest) -> Result<NewAccount, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut note = |field: &str, message: String| errors.entry(field.to_owned()).or_default().push(message);
    let email = validation::email(&request.email).and_then(|email| Ok((email, identity::canonical_email(email)?)));
    let email = email.map_err(|message| note("email", message)).unwrap_or_default();
    let composed = request.username.as_deref().map(identity::composed);
    let username = composed.as_deref().filter(|name| !name.trim().is_empty()).map(validation::username);
    let username = username.transpose().map_err(|message| note("username", message)).unwrap_or_default();
    let display_name = validation::display_name(request.display_name.as_deref().unwrap_or_default());
    let display_name = display_name.map_err(|message| note("display_name", message)).unwrap_or_default();
    let own_words =
        [email.0, email.0.split('@').next().unwrap_or_default(), username.unwrap_or_default(), display_name];
    let rules = services.settings.passwords.rules;
    if let Err(message) = passwords::check_new(&request.password, rules, &own_words) {
        note("password", message);
    }
    let account = NewAccount {
        email: email.0.to_owned(),
        email_canonical: email.1,
        username: username.map(str::to_owned),
        username_canonical: username.map(identity::canonical_username),
        display_name: display_name.to_owned(),
        password: request.password.as_str().into(),
    };
    if errors.is_empty() { Ok(account) } else { Err(errors) }
}

async fn new_user(services: &Services, account: NewAccount, role: Role) -> Result<NewUser, RegisterError> {
    let cost = services.settings.passwords.bcrypt_cost;
    let password = account.password;
    let hash = move || passwords::hash(secrecy::ExposeSecret::expose_secret(&password), cost);
    Ok(NewUser {
        email: account.email,
        email_canonical: account.email_canonical,
        username: account.username,
        username_canonical: account.username_canonical,
        password_hash: services.hashing.run(hash).await??,
        display_name: account.display_name,
        role: role.as_str(),
        email_verified_at: None,
        created_at: At(services.now()),
        last_login_at: None,
    })
}

/// Both databases refuse a taken name, but only one of them says which: ask.
async fn explain(services: &Services, error: StoreError, names: (String, Option<String>)) -> RegisterError {
    let StoreError::Taken(_) = error else { return error.into() };
    let (email, username) = names;
    let taken = services.store.run(move |connection| users::find_taken(connection, &email, username.as_deref()));
    match taken.await {
        // Taken a moment ago and free again: the email's answer is the one that a retry resolves.
        Ok(taken) => RegisterError::Taken(taken.unwrap_or(TakenName::Email)),
        Err(error) => error.into(),
    }
}

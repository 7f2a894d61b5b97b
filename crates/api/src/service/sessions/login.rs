//! Signing in with a name and a password.

use super::new_session::new_session;
use super::token_pair;
use crate::gate;
use crate::names::Spellings;
use crate::service::accounts::pending;
use crate::service::limits::{Budget, Charges, Network, Throttled};
use crate::service::passwords::hashing::{self, PasswordVerdict};
use crate::service::{ClientInfo, CommonError, Error, Services};
use crate::store::events::EventKind;
use crate::store::sessions::SessionBound;
use crate::store::users::UserCredentials;
use crate::store::{StoreError, events, pending_registrations, sessions, users};
use auth_types::invisible::trimmed;
use auth_types::requests::LoginRequest;
use auth_types::responses::{EmailVerification, TokenResponse};
use auth_types::{FieldErrors, UserId, validation};
use chrono::{DateTime, Duration, Utc};

/// A network seen within this time is not recorded again, hours.
const NETWORK_FRESH_HOURS: i64 = 24;

/// Maximum number of live sessions of an account. Without it, a program that signs in for each run and never signs out would make
/// more and more of them.
pub const MAX_SESSIONS: i64 = 1_000;
/// Maximum number of surplus sessions that one sign-in ends; an account may have many from before there was a maximum.
const SURPLUS_BATCH: i64 = 100;

/// Why a sign-in was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    /// Wrong password, unknown user or inactive user: the response does not distinguish.
    #[error("no active account with these credentials")]
    NoActiveAccount,
    /// Reported only if the password is right.
    #[error("the address is not confirmed")]
    EmailNotVerified,
}

type LoginError = Error<LoginRefusal>;

const fn metric_label(error: &LoginError) -> &'static str {
    match error {
        Error::Refused(_) | Error::NotAuthorized(_) => "refused",
        Error::Common(CommonError::Throttled(_)) => "throttled",
        Error::Common(CommonError::Busy(_)) => "busy",
        Error::Fields(_) => "malformed",
        Error::Common(_) => "failed",
    }
}

/// The forms in which a name may be stored.
#[derive(Clone)]
struct LoginNames {
    email: Spellings,
    username: Spellings,
}

impl LoginNames {
    fn of(name: &str) -> Self {
        Self { email: Spellings::of_email(name), username: Spellings::of_username(name) }
    }

    /// The form that failures are counted by. An input is an address or a username, never both.
    fn counted(&self) -> &str {
        self.email.canonical().or(self.username.canonical()).unwrap_or_default()
    }
}

/// An account whose password was right.
struct AuthenticatedAccount {
    credentials: UserCredentials,
    /// The password hashed again, if the stored hash was out of date.
    rehashed: Option<String>,
    /// When the account was last signed in to from the client's network.
    network_seen_at: Option<DateTime<Utc>>,
}

/// The result of comparing a password.
enum PasswordCheck {
    Right(AuthenticatedAccount),
    Wrong(FailedSignIn),
}

/// A sign-in that is refused, with what to record of it.
#[derive(Default)]
struct FailedSignIn {
    /// `None` for an unknown name.
    user: Option<UserId>,
    /// The pending registration whose password this is. It opens no session, but its link is mailed again.
    pending: Option<i64>,
}

/// A pending registration of the address.
struct PendingCandidate {
    id: i64,
    password_hash: String,
}

/// What a password is compared with.
struct LoginCandidate {
    user: Option<UserCredentials>,
    /// When the account was last signed in to from the client's network.
    network_seen_at: Option<DateTime<Utc>>,
    /// Only if there is no account.
    pending: Option<PendingCandidate>,
}

impl LoginCandidate {
    /// One hash for every name, so that one comparison is made whether the name is known or not.
    fn password_hash(&self) -> &str {
        let of_user = self.user.as_ref().map(|user| user.password_hash.as_str());
        of_user.or(self.pending.as_ref().map(|pending| pending.password_hash.as_str())).unwrap_or(hashing::DUMMY_HASH)
    }

    fn evaluate(self, verdict: PasswordVerdict, rehashed: Option<String>) -> PasswordCheck {
        let is_right = verdict != PasswordVerdict::Wrong;
        match self.user {
            Some(credentials) if is_right && credentials.is_active => PasswordCheck::Right(AuthenticatedAccount {
                credentials,
                rehashed,
                network_seen_at: self.network_seen_at,
            }),
            Some(user) => PasswordCheck::Wrong(FailedSignIn { user: Some(user.id), pending: None }),
            None => PasswordCheck::Wrong(FailedSignIn {
                user: None,
                pending: self.pending.map(|pending| pending.id).filter(|_| is_right),
            }),
        }
    }
}

/// Signs in: a new session and its first tokens.
pub async fn login(
    services: &Services,
    request: LoginRequest,
    client: ClientInfo,
) -> Result<TokenResponse, LoginError> {
    // With a wrong clock the session would already have ended, or not yet begun, for every other process.
    services.clock.check()?;
    let names = LoginNames::of(&validate(&request).map_err(Error::Fields)?);
    let mut outcome = attempt(services, &names, &request.password, &client).await;
    if matches!(outcome, Ok(None)) {
        // Another sign-in may have hashed it again in between: the password may still be right.
        outcome = attempt(services, &names, &request.password, &client).await;
    }
    let outcome = outcome.and_then(|tokens| tokens.ok_or(Error::Refused(LoginRefusal::NoActiveAccount)));
    services.session_metrics.sign_in(outcome.as_ref().map_or_else(metric_label, |_| "succeeded"));
    outcome
}

/// Compares the password and opens the session; `None` if the account was changed in between.
async fn attempt(
    services: &Services,
    names: &LoginNames,
    password: &str,
    client: &ClientInfo,
) -> Result<Option<TokenResponse>, LoginError> {
    let mut charges = services.limits.charges(client);
    let checked = check_password(services, names, password.to_owned(), client, &mut charges).await;
    // A failure and a success each charge their own budget, and a throttled attempt counts as a failure. After any other error
    // everything is refunded.
    match checked {
        Ok(PasswordCheck::Right(_)) => charges.refund_where(|budget| budget != Budget::SuccessfulSignInClient).await,
        Ok(PasswordCheck::Wrong(_)) | Err(Error::Common(CommonError::Throttled(_))) => {
            charges.refund_where(|budget| budget == Budget::SuccessfulSignInClient).await;
        }
        Err(_) => charges.refund().await,
    }
    match checked {
        Ok(PasswordCheck::Right(account)) => {
            if let Err(refusal) = check_email_verified(services, &account.credentials) {
                let failure = FailedSignIn { user: Some(account.credentials.id), pending: None };
                record_failure(services, failure, client).await?;
                return Err(Error::Refused(refusal));
            }
            open_counted_session(services, account, client.clone()).await
        }
        // For an unknown name too, so that every failure costs the same.
        Ok(PasswordCheck::Wrong(failure)) => {
            record_failure(services, failure, client).await?;
            Err(Error::Refused(LoginRefusal::NoActiveAccount))
        }
        Err(error) => Err(error),
    }
}

/// Where confirmation is mandatory, an account with an unconfirmed address opens no session.
fn check_email_verified(services: &Services, user: &UserCredentials) -> Result<(), LoginRefusal> {
    let is_mandatory = services.settings.accounts.email_verification == EmailVerification::Mandatory;
    if is_mandatory && user.email_verified_at.is_none() { Err(LoginRefusal::EmailNotVerified) } else { Ok(()) }
}

/// The name to search for; either field may contain either kind.
fn validate(request: &LoginRequest) -> Result<String, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut given = [&request.email, &request.username].into_iter().flatten();
    let name = given.find(|name| !trimmed(name).is_empty()).cloned();
    if name.is_none() {
        errors.insert("email".to_owned(), vec![validation::REQUIRED.to_owned()]);
    }
    if let Err(message) = validation::given_password(&request.password) {
        errors.insert("password".to_owned(), vec![message]);
    }
    name.filter(|_| errors.is_empty()).ok_or(errors)
}

/// Compares the password, if the limits allow it.
async fn check_password(
    services: &Services,
    names: &LoginNames,
    password: String,
    client: &ClientInfo,
    charges: &mut Charges<'_>,
) -> Result<PasswordCheck, LoginError> {
    charges.charge_client(Budget::FailedSignInClient).await?;
    charges.charge_client(Budget::SuccessfulSignInClient).await?;
    let found = find(services, names, client).await?;
    // A network that the account knows has a budget of its own, which an attacker elsewhere cannot spend, and its own share of
    // the hashing pool.
    let known = charges.network().filter(|_| found.network_seen_at.is_some());
    charge_failed_sign_in(charges, names, known).await?;
    if let (Some(network), Some(user)) = (known, &found.user) {
        // Only a known network may learn this before the password is checked.
        services.limits.check(Budget::SuccessfulSignInUser, &user.id.to_string())?;
        gate::attribute_to(network.requester_id());
    }
    let cost = services.settings.passwords.bcrypt_cost;
    let encoded = found.password_hash().to_owned();
    // Hashed again only for an active user: in a refusal an attacker could measure the extra work.
    let may_rehash = found.user.as_ref().is_some_and(|user| user.is_active);
    let compare = move || {
        let verdict = hashing::verify(&password, &encoded, cost);
        let is_outdated = may_rehash && verdict == PasswordVerdict::RightButOutdated;
        (verdict, is_outdated.then(|| hashing::hash(&password, cost)).transpose())
    };
    let (verdict, rehashed) = services.hashing.run(compare).await?;
    Ok(found.evaluate(verdict, rehashed?))
}

/// Finds the account, when it was last signed in to from the client's network, and the pending registration, with the same
/// statements whether the name is known or not.
async fn find(services: &Services, names: &LoginNames, client: &ClientInfo) -> Result<LoginCandidate, StoreError> {
    let names = names.clone();
    let now = services.now();
    let network = client.network.map(|network| network.to_string()).unwrap_or_default();
    let ip_address = client.ip_address.clone().unwrap_or_default();
    let lookup = services.store.run(move |connection| {
        let user = users::find_credentials(connection, &names.email, &names.username, &network)?;
        let email = names.email.canonical().unwrap_or_default();
        let pending = pending_registrations::find_password_hash(connection, email, &ip_address, now)?;
        let (user, seen_at) = user.unzip();
        let pending =
            pending.filter(|_| user.is_none()).map(|(id, password_hash)| PendingCandidate { id, password_hash });
        Ok(LoginCandidate { user, network_seen_at: seen_at.flatten(), pending })
    });
    lookup.await
}

async fn charge_failed_sign_in(
    charges: &mut Charges<'_>,
    names: &LoginNames,
    known: Option<Network>,
) -> Result<(), Throttled> {
    let name = names.counted();
    if let Some(network) = known {
        let name = format!("{name} {network}");
        charges.charge(Budget::FailedSignInKnownNetwork, &name).await?;
        charges.charge(Budget::FailedSignInKnownNetworkDay, &name).await
    } else {
        charges.charge(Budget::FailedSignInUnknownNetwork, name).await?;
        charges.charge(Budget::FailedSignInUnknownNetworkDay, name).await
    }
}

/// Counts the success and opens the session. The budget of successes does not affect open sessions.
async fn open_counted_session(
    services: &Services,
    account: AuthenticatedAccount,
    client: ClientInfo,
) -> Result<Option<TokenResponse>, LoginError> {
    let user = account.credentials.id.to_string();
    let mut charges = services.limits.charges(&client);
    charges.charge(Budget::SuccessfulSignInUser, &user).await?;
    let opened = insert_session(services, account, client).await;
    if !matches!(opened, Ok(Some(_))) {
        charges.refund().await;
    }
    opened
}

/// Inserts the session, unless the account was changed while the password was being compared.
async fn insert_session(
    services: &Services,
    account: AuthenticatedAccount,
    client: ClientInfo,
) -> Result<Option<TokenResponse>, LoginError> {
    let context = services.checked_context(client)?;
    let lifetimes = services.settings.lifetimes.clone();
    let now = context.at;
    let ended_at = context.shared_at;
    let checked_at = context.checked_at();
    let insertion = services.store.write(move |connection| {
        let AuthenticatedAccount { credentials: checked, rehashed, network_seen_at } = account;
        let current = users::lock_credentials(connection, checked.id)?;
        if current.is_none_or(|current| !current.is_active || current.password_hash != checked.password_hash) {
            return Ok(None);
        }
        let user = users::update_login(connection, checked.id, now, rehashed.as_deref())?;
        let fresh = network_seen_at.is_some_and(|at| (now - at).abs() < Duration::hours(NETWORK_FRESH_HOURS));
        if !fresh {
            context.remember_network(connection, user.id)?;
        }
        let session = sessions::insert(connection, new_session(user.id, &lifetimes, &context))?;
        let bound = SessionBound { max: MAX_SESSIONS, batch: SURPLUS_BATCH };
        let surplus = sessions::revoke_surplus(connection, user.id, bound, ended_at)?;
        events::insert(connection, &context.event(user.id, EventKind::LoggedIn))?;
        Ok(Some((session, user, surplus)))
    });
    let Some((session, user, surplus)) = insertion.await? else { return Ok(None) };
    services.feed.insert(surplus, ended_at);
    Ok(Some(token_pair::token_response(services, &session, &user, checked_at)?))
}

async fn record_failure(services: &Services, failure: FailedSignIn, client: &ClientInfo) -> Result<(), StoreError> {
    let context = services.context(client.clone());
    let recording = services.store.write(move |connection| {
        events::insert(connection, &context.event(failure.user, EventKind::LoginFailed))?;
        pending::mail_again(connection, failure.pending, &context)
    });
    recording.await
}

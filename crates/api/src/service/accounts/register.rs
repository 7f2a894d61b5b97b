//! A sign-up: creates an account that is signed in at once, or a pending registration if the address must be confirmed first.

use super::pending;
use crate::mails::MailKind;
use crate::names::{self, Name, Spellings};
use crate::service::limits::Budget;
use crate::service::opaque_token::OpaqueToken;
use crate::service::passwords::hashing;
use crate::service::passwords::strength::{self, ContextWords};
use crate::service::sessions::new_session::new_session;
use crate::service::sessions::token_pair;
use crate::service::steps::{FingerprintedRequest, RepeatRecord, StepFingerprints, StepResult};
use crate::service::upkeep::clocks::compare_clocks;
use crate::service::{ClientInfo, CommonError, Error, Services, mail};
use crate::store::events::EventKind;
use crate::store::pending_registrations::NewPendingRegistration;
use crate::store::types::At;
use crate::store::users::{NewUser, TakenName, UserRow};
use crate::store::{StoreError, events, mail_outbox, sessions, users};
use auth_types::requests::RegisterRequest;
use auth_types::responses::{EmailVerification, Registration, TokenResponse};
use auth_types::{FieldErrors, Role};
use secrecy::{ExposeSecret, SecretString};

/// Why no account was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterRefusal {
    #[error("registration is closed")]
    Closed,
    #[error("another account has this name")]
    Taken(TakenName),
}

/// How a sign-up fails.
pub type RegisterError = Error<RegisterRefusal>;

/// The fields of a request after their check, and what is wrong with them.
#[derive(Debug)]
struct CheckedFields {
    email: Name,
    username: Option<Name>,
    display_name: String,
    password: SecretString,
    context_words: ContextWords,
    errors: FieldErrors,
}

/// What a sign-up needs besides its fields.
struct SignUpContext<'a> {
    services: &'a Services,
    step: StepFingerprints,
    language: Option<String>,
    client: ClientInfo,
}

/// The result of a sign-up.
#[derive(Debug)]
pub enum RegisterOutcome {
    SignedIn(Box<TokenResponse>),
    /// The address gets a mail: a link that confirms it, or a notice that it already has an account. With the browser secret.
    Pending(SecretString),
}

/// Creates an account and its first session, or a pending registration if the address must be confirmed first. `language`
/// is the browser's.
///
/// # Errors
/// [`Error`]; then nothing is stored.
pub async fn register(
    services: &Services,
    fingerprinted: FingerprintedRequest<RegisterRequest>,
    language: Option<String>,
    client: ClientInfo,
) -> Result<RegisterOutcome, RegisterError> {
    services.clock.check()?; // by a wrong clock the session would have ended already, or not begun yet
    let FingerprintedRequest { request, step } = fingerprinted;
    let context = SignUpContext { services, step: step.clone(), language, client };
    step.once(services, context.register(&request), |done| repeat(services, done)).await
}

/// Returns the tokens again, or the browser secret of a sign-up that waits for its mail. A client that has used the tokens had
/// the response: the same request after that creates no second account, even if the first one was deleted.
fn repeat(services: &Services, done: StepResult) -> Result<Option<RegisterOutcome>, RegisterError> {
    if services.settings.accounts.email_verification == EmailVerification::Mandatory {
        return Ok(Some(RegisterOutcome::Pending(done.browser_secret.token)));
    }
    let (session, user) = done.session.ok_or(Error::Refused(RegisterRefusal::Taken(TakenName::Email)))?;
    let tokens = token_pair::token_response(services, &session, &user, services.clock.checked_now()?)?;
    Ok(Some(RegisterOutcome::SignedIn(Box::new(tokens))))
}

impl SignUpContext<'_> {
    async fn register(self, request: &RegisterRequest) -> Result<RegisterOutcome, RegisterError> {
        let services = self.services;
        if services.settings.accounts.registration == Registration::Closed {
            return Err(Error::Refused(RegisterRefusal::Closed));
        }
        // Charged first, because a sign-up with invalid fields costs time, too.
        let mut charges = services.limits.charges(&self.client);
        charges.charge_client(Budget::SignUpClient).await?;
        let account = CheckedFields::of(request, services);
        let is_valid = account.errors.is_empty();
        let requester = self.client.clone();
        let work = self.hash_and_insert(account);
        let registered = if is_valid { mail::with_mail_charge(services, &requester, work).await } else { work.await };
        if matches!(
            registered,
            Err(Error::Common(CommonError::Busy(_) | CommonError::Store(_) | CommonError::Clock(_)))
        ) {
            // The client repeats the same request.
            charges.refund().await;
        }
        registered
    }

    async fn hash_and_insert(self, account: CheckedFields) -> Result<RegisterOutcome, RegisterError> {
        let user = new_user(self.services, account, Role::User).await?;
        Ok(match self.services.settings.accounts.email_verification {
            EmailVerification::Optional => RegisterOutcome::SignedIn(Box::new(self.insert_signed_in(user).await?)),
            EmailVerification::Mandatory => RegisterOutcome::Pending(self.insert_pending(user).await?),
        })
    }

    async fn insert_signed_in(self, user: NewUser) -> Result<TokenResponse, RegisterError> {
        let Self { services, step, client, .. } = self;
        let context = services.checked_context(client)?;
        let now = context.checked_at();
        let lifetimes = services.settings.lifetimes.clone();
        let user = NewUser { created_at: At(now.get()), last_login_at: Some(At(now.get())), ..user };
        let insertion = services.store.write(move |connection| {
            let user = match users::insert(connection, &user)? {
                Ok(user) => user,
                Err(taken) => return Ok(Err(taken)),
            };
            context.remember_network(connection, user.id)?;
            let session = sessions::insert(connection, new_session(user.id, &lifetimes, &context))?;
            events::insert(connection, &context.event(user.id, EventKind::Registered))?;
            let link = mail::to_address(MailKind::VerifyEmail, &user.email_canonical, &context);
            mail_outbox::insert(connection, &link)?;
            step.complete(connection, RepeatRecord { session: Some(session.id), notice: None }, context.shared_at)?;
            Ok(Ok((session, user)))
        });
        let (session, user) = insertion.await?.map_err(RegisterRefusal::Taken).map_err(Error::Refused)?;
        Ok(token_pair::token_response(services, &session, &user, now)?)
    }

    /// If an address must be confirmed, an attacker learns nothing by signing up with it: a taken one gets the same response
    /// after the same statements, and only the person who reads its mail sees the difference. An account's username is refused
    /// with any address; a pending registration does not reserve its username.
    async fn insert_pending(self, user: NewUser) -> Result<SecretString, RegisterError> {
        let Self { services, step, language, client } = self;
        let context = services.checked_context(client)?;
        let OpaqueToken { token, hash } = step.browser_secret().map_or_else(OpaqueToken::random, Ok)?;
        let pending = NewPendingRegistration {
            expires_at: context.shared_at.get() + pending::LIFETIME,
            user,
            language,
            browser_secret_hash: hash,
            ip_address: context.client.ip_address.clone(),
            user_agent: context.client.user_agent.clone(),
        };
        let insertion = services.store.write(move |connection| {
            if let Some(username) = &pending.user.username_canonical
                && users::is_username_taken(connection, username)?
            {
                return Ok(false);
            }
            step.complete(connection, RepeatRecord::default(), context.shared_at)?;
            pending::insert(connection, &pending, &context).map(|()| true)
        });
        if insertion.await? { Ok(token) } else { Err(Error::Refused(RegisterRefusal::Taken(TakenName::Username))) }
    }
}

/// Compares this process's clock with the database's, which a command has not done before, and creates an account as [`create`]
/// does if they agree. By a wrong clock the user's later actions might be dated before the sign-up.
///
/// # Errors
/// [`Error`]; then nothing is stored.
pub async fn compare_clocks_and_create(
    services: &Services,
    request: &RegisterRequest,
    role: Role,
) -> Result<UserRow, RegisterError> {
    compare_clocks(services).await?;
    services.clock.check()?;
    create(services, request, role).await
}

/// Creates an account without a session and returns it. This is for an operator, who vouches for the address.
///
/// # Errors
/// [`Error`]; then nothing is stored.
pub async fn create(services: &Services, request: &RegisterRequest, role: Role) -> Result<UserRow, RegisterError> {
    let user = new_user(services, CheckedFields::of(request, services), role).await?;
    let user = NewUser { email_verified_at: Some(user.created_at), ..user };
    let inserted = services.store.write(move |connection| users::insert(connection, &user)).await?;
    inserted.map_err(RegisterRefusal::Taken).map_err(Error::Refused)
}

/// Finds the account because of which [`create`] would be refused: the one that the address signs in to.
pub async fn find_existing(services: &Services, email: Spellings) -> Result<Option<UserRow>, StoreError> {
    services.store.run(move |connection| users::find_by_spelling(connection, &email)).await
}

impl CheckedFields {
    /// Checks the form of all fields.
    fn of(request: &RegisterRequest, services: &Services) -> Self {
        let mut errors = FieldErrors::new();
        let mut add_error = |field: &str, message: String| errors.entry(field.to_owned()).or_default().push(message);
        let email = names::new_email(&request.email);
        let email = email.map_err(|message| add_error("email", message)).unwrap_or_default();
        let username = names::new_username(request.username.as_deref().unwrap_or_default());
        let username = username.map_err(|message| add_error("username", message)).unwrap_or_default();
        let display_name = names::display_name(request.display_name.as_deref().unwrap_or_default());
        let display_name = display_name.map_err(|message| add_error("display_name", message)).unwrap_or_default();
        let context_words =
            ContextWords::of(&email.shown, username.as_ref().map(|name| name.shown.as_str()), &display_name);
        let rules = services.settings.passwords.rules;
        if let Err(message) = strength::check_form(&request.password, rules, &context_words) {
            add_error("password", message);
        }
        let password = request.password.as_str().into();
        Self { email, username, display_name, password, context_words, errors }
    }
}

/// Checks the password's strength if its form is valid, so that all errors are reported together, and encodes it if there are
/// none.
async fn new_user(services: &Services, account: CheckedFields, role: Role) -> Result<NewUser, RegisterError> {
    let CheckedFields { email, username, display_name, password, context_words, mut errors } = account;
    if errors.contains_key("password") {
        return Err(Error::Fields(errors));
    }
    let cost = services.settings.passwords.bcrypt_cost;
    let others_are_valid = errors.is_empty();
    let encode = move || {
        let password = password.expose_secret();
        strength::check_strength(password, &context_words)
            .map(|()| others_are_valid.then(|| hashing::hash(password, cost)))
    };
    let password_hash = match services.hashing.run(encode).await? {
        Ok(Some(hash)) => hash?,
        Ok(None) => return Err(Error::Fields(errors)),
        Err(message) => {
            errors.insert("password".to_owned(), vec![message]);
            return Err(Error::Fields(errors));
        }
    };
    Ok(NewUser {
        email: email.shown,
        email_canonical: email.canonical,
        username_canonical: username.as_ref().map(|name| name.canonical.clone()),
        username: username.map(|name| name.shown),
        password_hash,
        display_name,
        role: role.as_str(),
        email_verified_at: None,
        created_at: At(services.clock.checked_now()?.get()),
        last_login_at: None,
    })
}

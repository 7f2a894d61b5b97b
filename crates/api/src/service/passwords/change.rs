//! A new password for a caller who knows the old one. All sessions end, and the caller continues with a new one.

use super::reauthentication::{self, CallerAccount, ReauthenticationError, ReauthenticationRefusal, WRONG_PASSWORD};
use super::strength::{self, ContextWords};
use crate::mails::MailKind;
use crate::service::limits::Budget;
use crate::service::mail::{self, links};
use crate::service::sessions::new_session::new_session;
use crate::service::sessions::token_pair;
use crate::service::steps::{FingerprintedRequest, RepeatRecord, StepCaller, StepFingerprints};
use crate::service::{ClientInfo, CurrentUser, Error, RequestContext, Services};
use crate::store::events::EventKind;
use crate::store::sessions::{RevokeReason, SessionRow};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, events, mail_outbox, sessions, users};
use auth_types::requests::PasswordChangeRequest;
use auth_types::responses::TokenResponse;
use auth_types::{FieldErrors, SessionId, validation};

/// Why the password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordChangeRefusal {
    /// The new password is too easy to guess.
    #[error("the new password is too weak: {0}")]
    TooWeak(String),
    #[error(transparent)]
    NotReauthenticated(#[from] ReauthenticationRefusal),
}

type PasswordChangeError = Error<PasswordChangeRefusal>;

/// The field has another name here than elsewhere, because there are two passwords.
fn not_reauthenticated(error: ReauthenticationError) -> PasswordChangeError {
    error.map(|refusal| match refusal {
        ReauthenticationRefusal::WrongPassword => Error::field("current_password", WRONG_PASSWORD),
        other => Error::Refused(other.into()),
    })
}

/// Changes the password and returns a new session; all other sessions are revoked, and the links that another person may have
/// requested are withdrawn. A repeated request gets the tokens of that session again until they have been used, although its caller's
/// own session ended with the change.
///
/// # Errors
/// [`Error`]; then nothing is changed.
pub async fn change(
    services: &Services,
    caller: StepCaller,
    fingerprinted: FingerprintedRequest<PasswordChangeRequest>,
    client: ClientInfo,
) -> Result<TokenResponse, PasswordChangeError> {
    services.clock.check()?; // the new session would begin and expire at the wrong time
    let FingerprintedRequest { request, step } = fingerprinted;
    let context = ChangeContext { services, step: step.clone(), client };
    let change = step.once(services, context.change(caller, request), |done| {
        let now = services.clock.checked_now()?;
        let again = done.session.map(|(session, user)| token_pair::token_response(services, &session, &user, now));
        Ok(again.transpose()?)
    });
    change.await
}

/// What a change needs besides the caller and the two passwords.
struct ChangeContext<'a> {
    services: &'a Services,
    step: StepFingerprints,
    client: ClientInfo,
}

impl ChangeContext<'_> {
    /// Charges for the mail and for the change, and changes the password. The charge for the mail is refunded unless the password
    /// is changed; that for the change also stays if the new password is too weak, because the check has cost time. After any
    /// other failure, also of the database, the client repeats the same request.
    async fn change(
        self,
        caller: StepCaller,
        request: PasswordChangeRequest,
    ) -> Result<TokenResponse, PasswordChangeError> {
        let caller = caller.require_valid_token().map_err(|refusal| not_reauthenticated(refusal.into()))?;
        let services = self.services;
        let requester = self.client.clone();
        let mut charges = services.limits.charges(&requester);
        let charge_and_change = async {
            charges.charge_client(Budget::PasswordChangeClient).await?;
            charges.charge(Budget::PasswordChangeUser, &caller.id.to_string()).await?;
            self.reauthenticate_and_change(caller, request).await
        };
        let changed = mail::with_mail_charge(services, &requester, charge_and_change).await;
        if !matches!(changed, Ok(_) | Err(Error::Refused(PasswordChangeRefusal::TooWeak(_)))) {
            charges.refund().await;
        }
        changed
    }

    async fn reauthenticate_and_change(
        self,
        caller: CurrentUser,
        request: PasswordChangeRequest,
    ) -> Result<TokenResponse, PasswordChangeError> {
        let (account, password_hash) = self.reauthenticate_and_hash(caller, request).await?;
        let Self { services, step, client } = self;
        let lifetimes = services.settings.lifetimes.clone();
        let context = services.checked_context(client)?;
        let now = context.checked_at();
        let done_at = context.shared_at;
        let change = account.write(services, caller, move |connection, user, _| {
            context.remember_network(connection, user.id)?;
            let new_session = new_session(user.id, &lifetimes, &context);
            let ended = sessions::revoke_all(connection, user.id, RevokeReason::PasswordChange, done_at)?.all;
            let user = users::update_password(connection, user.id, &password_hash, None)?;
            record_and_withdraw_links(connection, &user, &context)?;
            let session = sessions::insert(connection, new_session)?;
            step.complete(connection, RepeatRecord { session: Some(session.id), notice: None }, done_at)?;
            Ok(Ok(Changed { session, user, ended }))
        });
        let Changed { session, user, ended } = change.await?;
        services.feed.insert(ended, done_at);
        Ok(token_pair::token_response(services, &session, &user, now)?)
    }

    /// Compares the current password, then checks and encodes the new one.
    async fn reauthenticate_and_hash(
        &self,
        caller: CurrentUser,
        request: PasswordChangeRequest,
    ) -> Result<(CallerAccount, String), PasswordChangeError> {
        let services = self.services;
        let account = reauthentication::find(services, caller).await.map_err(not_reauthenticated)?;
        let user = &account.user;
        let context_words = ContextWords::of(&user.email, user.username.as_deref(), &user.display_name);
        validate(services, &context_words, &request).map_err(Error::Fields)?;
        let account = reauthentication::check(services, account, request.current_password, &self.client).await;
        let account = account.map_err(not_reauthenticated)?;
        let cost = services.settings.passwords.bcrypt_cost;
        let encode = move || strength::check_and_hash(&request.new_password, &context_words, cost);
        let password_hash = services.hashing.run(encode).await??;
        let password_hash = password_hash.map_err(|words| Error::Refused(PasswordChangeRefusal::TooWeak(words)))?;
        Ok((account, password_hash))
    }
}

struct Changed {
    session: SessionRow,
    user: UserRow,
    ended: Vec<SessionId>,
}

fn record_and_withdraw_links(
    connection: &mut AnyConnection,
    user: &UserRow,
    context: &RequestContext,
) -> QueryResult<()> {
    links::withdraw_takeover_links(connection, user.id, context.shared_at.get())?;
    events::insert(connection, &context.event(user.id, EventKind::PasswordChanged))?;
    mail_outbox::insert(connection, &mail::to_user(MailKind::PasswordChanged, user.id, &user.email, context))
}

fn validate(
    services: &Services,
    context_words: &ContextWords,
    request: &PasswordChangeRequest,
) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    if let Err(message) = validation::given_password(&request.current_password) {
        errors.insert("current_password".to_owned(), vec![message]);
    }
    if let Err(message) = strength::check_form(&request.new_password, services.settings.passwords.rules, context_words)
    {
        errors.insert("new_password".to_owned(), vec![message]);
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

//! Steps that can be repeated: what was done is done once, and whoever lost the response gets it again.
//!
//! A request that carries an `Idempotency-Key` is known by its **mark**: a keyed hash of the route, the caller's session, the
//! key and the whole body. The transaction that does the work inserts the mark. For [`REPEATABLE`] the same request gets the
//! same response, and does nothing; a request that differs in anything has another mark and is an ordinary one. While
//! `SECRET_KEY` is being changed, processes have the same secrets in another order: the mark that is inserted is the current
//! secret's, and those of all of them are looked up.
//!
//! Nothing of a response is stored. Tokens are made again of the session's row, as a refresh does it, and only until they
//! have been used; the secret that a sign-up gives to its browser is a function of the mark.

use super::authorize;
use super::links::LinkToken;
use super::reauthentication::ReauthenticationError;
use super::{CurrentUser, Services};
use crate::config::KeySettings;
use crate::store::completed_steps::{self, CompletedStep};
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, sessions};
use auth_types::responses::VerifyNotice;
use auth_types::{Reason, SessionId};
use aws_lc_rs::hmac;
use chrono::{DateTime, Duration, Utc};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// How long a request gets its response again.
pub const REPEATABLE: Duration = Duration::minutes(10);
/// How far ahead of this clock another process may have noted a step.
const AHEAD: Duration = Duration::minutes(1);
/// Sets the derived key apart from what else the secret signs.
const PURPOSE: &[u8] = b"latchkey completed steps";

/// What is done at most once. The word is part of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum StepKind {
    SignUp,
    EmailVerification,
    EmailChange,
    PasswordReset,
    PasswordChange,
    AccountDeletion,
}

/// Makes the marks: the key of the current secret, then those of the fallbacks.
pub struct StepKeys(Vec<hmac::Key>);

impl StepKeys {
    #[must_use]
    pub fn new(settings: &KeySettings) -> Self {
        let secrets = std::iter::once(&settings.secret_key).chain(&settings.fallbacks);
        Self(secrets.map(|secret| derive(secret.expose_secret())).collect())
    }

    /// A request of `caller`, or of anybody, that came with `key`.
    #[must_use]
    pub fn repeatable<R: Serialize>(
        &self,
        (kind, caller): (StepKind, Option<CurrentUser>),
        key: Option<&[u8]>,
        request: R,
    ) -> Repeatable<R> {
        let caller = caller.map(|caller| (caller.id, caller.session));
        let whole = key.and_then(|key| serde_json::to_vec(&(kind, caller, key, &request)).ok());
        let marks = whole.map(|whole| self.0.iter().map(|key| Mark::of(&whole, key)).collect());
        Repeatable { request, step: Step { marks: marks.unwrap_or_default() } }
    }
}

fn derive(secret: &str) -> hmac::Key {
    let master = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, PURPOSE).as_ref())
}

impl fmt::Debug for StepKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepKeys").finish_non_exhaustive()
    }
}

/// Who asks for a step that ends the session or replaces it: a repetition comes with an access token that is not valid any more.
#[derive(Debug, Clone, Copy)]
pub struct RepeatingUser {
    pub user: CurrentUser,
    /// Why the access token is good for a repetition only, if that is so.
    pub refused: Option<Reason>,
}

impl RepeatingUser {
    /// The caller, for anything but a repetition.
    pub(super) fn proven(self) -> Result<CurrentUser, ReauthenticationError> {
        self.refused.map_or(Ok(self.user), |reason| Err(ReauthenticationError::TokenNotValid(reason)))
    }
}

/// A request, and what its repetition is known by.
pub struct Repeatable<R> {
    pub request: R,
    pub(super) step: Step,
}

impl<R> fmt::Debug for Repeatable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeatable").finish_non_exhaustive()
    }
}

/// What a request is known by, the mark of the current secret first; nothing when it came without a key.
#[derive(Clone)]
pub(super) struct Step {
    marks: Vec<Mark>,
}

#[derive(Clone)]
struct Mark {
    hash: Vec<u8>,
    /// Of what a sign-up gives to its browser.
    registration: Vec<u8>,
}

impl Mark {
    fn of(whole: &[u8], key: &hmac::Key) -> Self {
        let hash = hmac::sign(key, whole).as_ref().to_vec();
        let registration = hmac::sign(key, &[b"registration".as_slice(), &hash].concat()).as_ref().to_vec();
        Self { hash, registration }
    }
}

/// What a request has done.
pub(super) struct Done {
    /// What a sign-up gave to its browser.
    pub registration: LinkToken,
    /// The session that began with it, while its tokens are as they were given: live, and not exchanged yet.
    pub session: Option<(SessionRow, UserRow)>,
    pub notice: Option<VerifyNotice>,
}

/// A step that was found.
struct Found {
    hash: Vec<u8>,
    at: DateTime<Utc>,
    /// `None` when it was too long ago.
    done: Option<Done>,
}

impl Step {
    /// Does `act`, unless the same request has done it: then `repeat` makes the response again. It returns `None` when there is
    /// none any more, and the request is an ordinary one.
    ///
    /// # Errors
    /// Those of `act`, and those of the store.
    pub(super) async fn once<T, E: From<StoreError>>(
        &self,
        services: &Services,
        act: impl Future<Output = Result<T, E>>,
        repeat: impl Fn(Done) -> Result<Option<T>, E>,
    ) -> Result<T, E> {
        if self.marks.is_empty() {
            return act.await;
        }
        if let Some(Found { hash, at, done }) = self.find(services).await? {
            if let Some(response) = done.map_or(Ok(None), &repeat)? {
                return Ok(response);
            }
            services.store.write_statement(move |connection| completed_steps::delete(connection, &hash, at)).await?;
        }
        let failed = match act.await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        // The first request may have been under way still.
        match self.find(services).await {
            Ok(Some(Found { done: Some(done), .. })) => repeat(done)?.ok_or(failed),
            Ok(_) | Err(_) => Err(failed),
        }
    }

    /// Notes that it is done, in the transaction that does it.
    pub(super) fn complete(
        &self,
        connection: &mut AnyConnection,
        (session, notice): (Option<SessionId>, Option<VerifyNotice>),
        at: DateTime<Utc>,
    ) -> QueryResult<()> {
        let Some(mark) = self.marks.first() else { return Ok(()) };
        let notice = notice.and_then(|notice| serde_json::to_value(notice).ok());
        let notice = notice.as_ref().and_then(Value::as_str).map(str::to_owned);
        completed_steps::insert(connection, &mark.hash, &CompletedStep { session, notice, at })
    }

    /// What a sign-up gives to its browser: the same for the same request.
    pub(super) fn registration(&self) -> Option<LinkToken> {
        self.marks.first().map(|mark| LinkToken::of(&mark.registration))
    }

    async fn find(&self, services: &Services) -> Result<Option<Found>, StoreError> {
        let (marks, now) = (self.marks.clone(), services.now());
        services.store.run(move |connection| look_up(connection, &marks, now)).await
    }
}

fn look_up(connection: &mut AnyConnection, marks: &[Mark], now: DateTime<Utc>) -> QueryResult<Option<Found>> {
    let hashes = marks.iter().map(|mark| mark.hash.as_slice());
    let Some((hash, step)) = completed_steps::find(connection, hashes)? else { return Ok(None) };
    let Some(mark) = marks.iter().find(|mark| mark.hash == hash) else { return Ok(None) };
    let age = now - step.at;
    if age >= REPEATABLE || age < -AHEAD {
        return Ok(Some(Found { hash, at: step.at, done: None }));
    }
    let session = match step.session {
        Some(session) => sessions::find_with_user(connection, session)?.filter(|found| is_as_given(found, now)),
        None => None,
    };
    let notice = step.notice.and_then(|notice| serde_json::from_value(Value::String(notice)).ok());
    let registration = LinkToken::of(&mark.registration);
    Ok(Some(Found { hash, at: step.at, done: Some(Done { registration, session, notice }) }))
}

/// Once the refresh token has been exchanged, whoever did it has had the response.
fn is_as_given(found: &(SessionRow, UserRow), now: DateTime<Utc>) -> bool {
    authorize::check(Some(found), found.0.user_id, now).is_ok() && found.0.generation == 1
}

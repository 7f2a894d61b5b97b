//! Doing a step once, and repeating its response.

use super::keys::{Fingerprint, StepFingerprints};
use crate::clock::{ComparedClock, MAX_CLOCK_SKEW, SharedTime, WrongClock};
use crate::service::Services;
use crate::service::opaque_token::OpaqueToken;
use crate::service::sessions::authorize;
use crate::service::sessions::refusal::AuthorizationRefusal;
use crate::store::completed_steps::{self, CompletedStep};
use crate::store::sessions::SessionRow;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, StoreError, sessions};
use auth_types::SessionId;
use auth_types::responses::VerifyNotice;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

/// How long a repeated request gets its response again.
pub const REPEAT_WINDOW: Duration = Duration::minutes(10);

/// What a request has done.
pub(in crate::service) struct StepResult {
    /// A sign-up's browser secret.
    pub browser_secret: OpaqueToken,
    /// The session that it began, while its first tokens are live and not exchanged yet.
    pub session: Option<(SessionRow, UserRow)>,
    pub notice: Option<VerifyNotice>,
}

/// What a repeated request needs for its response, besides the fingerprint.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service) struct RepeatRecord {
    /// The session that the request began.
    pub session: Option<SessionId>,
    pub notice: Option<VerifyNotice>,
}

/// A step that was found.
struct FoundStep {
    hash: Vec<u8>,
    at: DateTime<Utc>,
    state: StepState,
}

/// Whether the response of a step can be repeated.
enum StepState {
    Repeatable(Box<StepResult>),
    /// It was done too long ago.
    Outdated,
    /// Its session cannot be authorized by a wrong clock.
    Undecided,
}

impl StepState {
    fn into_result(self) -> Option<StepResult> {
        match self {
            Self::Repeatable(done) => Some(*done),
            Self::Outdated | Self::Undecided => None,
        }
    }
}

impl StepFingerprints {
    /// Runs `act`, unless the same request was done before: then `repeat` makes the response again. If that returns `None`,
    /// the request is processed normally, but not by a wrong clock, which cannot decide this.
    ///
    /// # Errors
    /// Those of `act`, those of the store, and [`WrongClock`].
    pub(in crate::service) async fn once<T, E: From<StoreError> + From<WrongClock>>(
        &self,
        services: &Services,
        act: impl Future<Output = Result<T, E>>,
        repeat: impl Fn(StepResult) -> Result<Option<T>, E>,
    ) -> Result<T, E> {
        if self.fingerprints.is_empty() {
            return act.await;
        }
        if let Some(FoundStep { hash, at, state }) = self.find(services).await? {
            if let Some(response) = state.into_result().map_or(Ok(None), &repeat)? {
                return Ok(response);
            }
            services.clock.check()?;
            services.store.write_statement(move |connection| completed_steps::delete(connection, &hash, at)).await?;
        }
        let failed = match act.await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        // The first request may still have been in progress.
        match self.find(services).await {
            Ok(Some(FoundStep { state, .. })) => {
                let response = state.into_result().map_or(Ok(None), &repeat)?;
                response.ok_or_else(|| services.clock.unless_wrong(failed))
            }
            Ok(None) | Err(_) => Err(failed),
        }
    }

    /// Records that the step is done, in the transaction that does it.
    pub(in crate::service) fn complete(
        &self,
        connection: &mut AnyConnection,
        record: RepeatRecord,
        at: SharedTime,
    ) -> QueryResult<()> {
        let Some(fingerprint) = self.fingerprints.first() else { return Ok(()) };
        let notice = record.notice.and_then(|notice| serde_json::to_value(notice).ok());
        let notice = notice.as_ref().and_then(Value::as_str).map(str::to_owned);
        completed_steps::insert(
            connection,
            &fingerprint.hash,
            &CompletedStep { session: record.session, notice, at: at.get() },
        )
    }

    /// A sign-up's browser secret: the same for the same request.
    pub(in crate::service) fn browser_secret(&self) -> Option<OpaqueToken> {
        self.fingerprints.first().map(|fingerprint| OpaqueToken::of(&fingerprint.browser_secret))
    }

    async fn find(&self, services: &Services) -> Result<Option<FoundStep>, StoreError> {
        let fingerprints = self.fingerprints.clone();
        let clock = services.clock.clone();
        services.store.run(move |connection| look_up(connection, &fingerprints, &clock)).await
    }
}

fn look_up(
    connection: &mut AnyConnection,
    fingerprints: &[Fingerprint],
    clock: &ComparedClock,
) -> QueryResult<Option<FoundStep>> {
    let hashes = fingerprints.iter().map(|fingerprint| fingerprint.hash.as_slice());
    let Some((hash, step)) = completed_steps::find(connection, hashes)? else { return Ok(None) };
    let Some(fingerprint) = fingerprints.iter().find(|fingerprint| fingerprint.hash == hash) else { return Ok(None) };
    let at = step.at;
    let age = clock.shared_now().get() - at;
    if age >= REPEAT_WINDOW || age < -MAX_CLOCK_SKEW {
        return Ok(Some(FoundStep { hash, at, state: StepState::Outdated }));
    }
    let session = match step.session {
        Some(session) => sessions::find_with_user(connection, session)?,
        None => None,
    };
    let session = match session {
        Some(found) => match authorize::authorize_session(Some(&found), found.0.user_id, clock) {
            // A client that has exchanged the refresh token has received the response.
            Ok((session, _)) => (session.generation == 1).then_some(found),
            Err(AuthorizationRefusal::ClockMismatch) => {
                return Ok(Some(FoundStep { hash, at, state: StepState::Undecided }));
            }
            Err(_) => None,
        },
        None => None,
    };
    let notice = step.notice.and_then(|notice| serde_json::from_value(Value::String(notice)).ok());
    let browser_secret = OpaqueToken::of(&fingerprint.browser_secret);
    let done = Box::new(StepResult { browser_secret, session, notice });
    Ok(Some(FoundStep { hash, at, state: StepState::Repeatable(done) }))
}

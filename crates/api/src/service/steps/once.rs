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

/// How long a repeated request gets its response again.
pub const REPEAT_WINDOW: Duration = Duration::minutes(10);

/// What a request has done.
pub(in crate::service) struct StepResult {
    /// Only a sign-up uses it. It is derived from the fingerprint that was found, which may be that of an earlier secret.
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
    /// `None` if it was done [`REPEAT_WINDOW`] ago or earlier, or its time is in the future by more than clocks may differ.
    done: Option<Box<StepResult>>,
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
        let repeat = |done: Option<Box<StepResult>>| done.map_or(Ok(None), |done| repeat(*done));
        if let Some(FoundStep { hash, at, done }) = self.find(services).await?? {
            if let Some(response) = repeat(done)? {
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
            Ok(Ok(Some(FoundStep { done, .. }))) => repeat(done)?.ok_or_else(|| services.clock.unless_wrong(failed)),
            Ok(Err(wrong)) => Err(wrong.into()),
            Ok(Ok(None)) | Err(_) => Err(failed),
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
        let notice = record.notice.map(|notice| notice.as_str().to_owned());
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

    /// The step that was done with one of the fingerprints.
    ///
    /// # Errors
    /// Those of the store. The inner error means that its session has expired by a clock that was wrong at that moment: even if
    /// the clock is right again, the step can be neither repeated nor done again.
    async fn find(&self, services: &Services) -> Result<Result<Option<FoundStep>, WrongClock>, StoreError> {
        let fingerprints = self.fingerprints.clone();
        let clock = services.clock.clone();
        services.store.run(move |connection| look_up(connection, &fingerprints, &clock)).await
    }
}

fn look_up(
    connection: &mut AnyConnection,
    fingerprints: &[Fingerprint],
    clock: &ComparedClock,
) -> QueryResult<Result<Option<FoundStep>, WrongClock>> {
    let hashes = fingerprints.iter().map(|fingerprint| fingerprint.hash.as_slice());
    let Some((hash, step)) = completed_steps::find(connection, hashes)? else { return Ok(Ok(None)) };
    let Some(fingerprint) = fingerprints.iter().find(|fingerprint| fingerprint.hash == hash) else {
        return Ok(Ok(None));
    };
    let at = step.at;
    let age = clock.shared_now().get() - at;
    if age >= REPEAT_WINDOW || age < -MAX_CLOCK_SKEW {
        return Ok(Ok(Some(FoundStep { hash, at, done: None })));
    }
    let session = match step.session {
        Some(session) => sessions::find_with_user(connection, session)?,
        None => None,
    };
    let session = match session {
        Some(found) => match authorize::authorize_session(Some(&found), found.0.user_id, clock) {
            // A client that has exchanged the refresh token has received the response.
            Ok((session, _)) => (session.generation == 1).then_some(found),
            Err(AuthorizationRefusal::WrongClock(wrong)) => return Ok(Err(wrong)),
            Err(_) => None,
        },
        None => None,
    };
    let notice = step.notice.as_deref().map(VerifyNotice::of);
    let browser_secret = OpaqueToken::of(&fingerprint.browser_secret);
    let done = Some(Box::new(StepResult { browser_secret, session, notice }));
    Ok(Ok(Some(FoundStep { hash, at, done })))
}

//! Doing a step once, and making its response again.

use super::keys::{IdempotentStep, Mark};
use crate::clock::{ComparedClock, SharedTime, WrongClock};
use crate::service::Services;
use crate::service::mail::links::LinkToken;
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

/// How long a request gets its response again.
pub const REPEATABLE: Duration = Duration::minutes(10);
/// How far ahead of this process's time another one may have noted a step.
const AHEAD: Duration = Duration::minutes(1);
/// What a request has done.
pub(in crate::service) struct StepResult {
    /// What a sign-up gave to its browser.
    pub registration: LinkToken,
    /// The session that began with it, while its tokens are as they were given: live, and not exchanged yet.
    pub session: Option<(SessionRow, UserRow)>,
    pub notice: Option<VerifyNotice>,
}

/// A step that was found.
struct FoundStep {
    hash: Vec<u8>,
    at: DateTime<Utc>,
    /// `None` when it was too long ago, or nobody knows because the clock is wrong.
    done: Option<StepResult>,
}

impl IdempotentStep {
    /// Does `act`, unless the same request has done it: then `repeat` makes the response again. It returns `None` when there is
    /// none any more, and the request is an ordinary one; by a wrong clock nobody knows whether there is one.
    ///
    /// # Errors
    /// Those of `act`, those of the store, and [`WrongClock`].
    pub(in crate::service) async fn once<T, E: From<StoreError> + From<WrongClock>>(
        &self,
        services: &Services,
        act: impl Future<Output = Result<T, E>>,
        repeat: impl Fn(StepResult) -> Result<Option<T>, E>,
    ) -> Result<T, E> {
        if self.marks.is_empty() {
            return act.await;
        }
        if let Some(FoundStep { hash, at, done }) = self.find(services).await? {
            if let Some(response) = done.map_or(Ok(None), &repeat)? {
                return Ok(response);
            }
            services.clock.check()?;
            services.store.write_statement(move |connection| completed_steps::delete(connection, &hash, at)).await?;
        }
        let failed = match act.await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        // The first request may have been under way still.
        match self.find(services).await {
            Ok(Some(FoundStep { done: Some(done), .. })) => repeat(done)?.ok_or_else(|| services.clock.refuse(failed)),
            Ok(Some(FoundStep { done: None, .. })) => Err(services.clock.refuse(failed)),
            Ok(None) | Err(_) => Err(failed),
        }
    }

    /// Notes that it is done, in the transaction that does it.
    pub(in crate::service) fn complete(
        &self,
        connection: &mut AnyConnection,
        (session, notice): (Option<SessionId>, Option<VerifyNotice>),
        at: SharedTime,
    ) -> QueryResult<()> {
        let Some(mark) = self.marks.first() else { return Ok(()) };
        let notice = notice.and_then(|notice| serde_json::to_value(notice).ok());
        let notice = notice.as_ref().and_then(Value::as_str).map(str::to_owned);
        completed_steps::insert(connection, &mark.hash, &CompletedStep { session, notice, at: at.0 })
    }

    /// What a sign-up gives to its browser: the same for the same request.
    pub(in crate::service) fn registration(&self) -> Option<LinkToken> {
        self.marks.first().map(|mark| LinkToken::of(&mark.registration))
    }

    async fn find(&self, services: &Services) -> Result<Option<FoundStep>, StoreError> {
        let (marks, clock) = (self.marks.clone(), services.clock.clone());
        services.store.run(move |connection| look_up(connection, &marks, &clock)).await
    }
}

fn look_up(connection: &mut AnyConnection, marks: &[Mark], clock: &ComparedClock) -> QueryResult<Option<FoundStep>> {
    let hashes = marks.iter().map(|mark| mark.hash.as_slice());
    let Some((hash, step)) = completed_steps::find(connection, hashes)? else { return Ok(None) };
    let Some(mark) = marks.iter().find(|mark| mark.hash == hash) else { return Ok(None) };
    let age = clock.shared_now().0 - step.at;
    if age >= REPEATABLE || age < -AHEAD {
        return Ok(Some(FoundStep { hash, at: step.at, done: None }));
    }
    let session = match step.session {
        Some(session) => sessions::find_with_user(connection, session)?,
        None => None,
    };
    let judged = session.as_ref().map(|found| authorize::authorize_session(Some(found), found.0.user_id, clock).err());
    if judged == Some(Some(AuthorizationRefusal::Untimely)) {
        return Ok(Some(FoundStep { hash, at: step.at, done: None }));
    }
    // Once the refresh token has been exchanged, whoever did it has had the response.
    let session = session.filter(|(session, _)| judged == Some(None) && session.generation == 1);
    let notice = step.notice.and_then(|notice| serde_json::from_value(Value::String(notice)).ok());
    let registration = LinkToken::of(&mark.registration);
    Ok(Some(FoundStep { hash, at: step.at, done: Some(StepResult { registration, session, notice }) }))
}

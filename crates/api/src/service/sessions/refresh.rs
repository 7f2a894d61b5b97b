//! Exchanging a refresh token for its successor.
//!
//! One conditional statement rotates the session. If it changes no row, `decide` finds the reason in the row; the rules
//! are the table "Which refreshes succeed" in `docs/reference/sessions.md`.

use super::attribution::attribute_to_owner;
use super::refusal::AuthorizationRefusal;
use super::{authorize, token_pair};
use crate::clock::{ComparedClock, WrongClock};
use crate::mails::MailKind;
use crate::service::digest::{digest_of, same_digest};
use crate::service::limits::Budget;
use crate::service::tokens::{self, TokenError, new_jti};
use crate::service::{CheckedContext, ClientInfo, Error, Services, mail};
use crate::store::events::EventKind;
use crate::store::sessions::{PresentedRefreshToken, RevokeReason, Rotation, SessionRow};
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, Store, StoreError, events, mail_outbox, sessions, users};
use auth_types::SessionId;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use std::sync::Arc;

/// Why a refresh token was not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum RefreshRefusal {
    /// Signature, type or claims are not valid, or it has expired.
    #[error("refresh token is not valid")]
    NotValid(#[source] TokenError),
    /// An older generation came back, so two parties hold it; the session is revoked by the time you see this
    /// (RFC 9700, section 4.14.2).
    #[error("refresh token of session {session} was used again")]
    Reused { session: SessionId },
    /// A generation came that the row has not reached: the database is an older copy. The session is revoked.
    #[error("refresh token of session {session} is ahead of the database")]
    Ahead { session: SessionId },
    /// The row changed between two statements, twice.
    #[error("session {session} is being changed by another request")]
    Contended { session: SessionId },
}

/// What follows for a token that did not rotate the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefreshVerdict {
    /// The session's live tokens again.
    Repeat(Repetition),
    Refused(AuthorizationRefusal),
    /// Revoke the session.
    Revoke(RefreshAnomaly),
    /// The token is live after all: rotate again.
    Again,
}

impl From<WrongClock> for RefreshVerdict {
    fn from(wrong: WrongClock) -> Self {
        Self::Refused(wrong.into())
    }
}

/// Why the live tokens are returned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    /// The response to the rotation with this key was lost.
    SameKey,
    /// Tabs of a client without idempotency keys refreshed at the same moment.
    Leeway,
}

/// What is wrong with a token whose session must be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefreshAnomaly {
    /// A superseded token was presented, so two parties hold the session's tokens.
    Reused,
    /// The database is older than the token.
    Ahead,
}

impl RefreshAnomaly {
    /// The word in the log's line, which alerts may look for.
    const fn logged(self) -> &'static str {
        match self {
            Self::Reused => "Reuse",
            Self::Ahead => "Ahead",
        }
    }
}

/// The result of an exchange.
enum ExchangeOutcome {
    /// The session was rotated.
    Rotated(Box<(SessionRow, UserRow)>),
    /// The live tokens again.
    Repeated(Repetition, Box<(SessionRow, UserRow)>),
    Refused(AuthorizationRefusal),
    Revoked(RefreshAnomaly),
    Contended,
}

impl ExchangeOutcome {
    /// The label in metrics.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Rotated(_) => "rotated",
            Self::Repeated(Repetition::SameKey, _) => "repeated",
            Self::Repeated(Repetition::Leeway, _) => "leeway",
            Self::Refused(_) => "refused",
            Self::Revoked(RefreshAnomaly::Reused) => "reused",
            Self::Revoked(RefreshAnomaly::Ahead) => "ahead",
            Self::Contended => "contended",
        }
    }
}

/// Exchanges a refresh token for its successor. `key` is the `Idempotency-Key` header's value.
///
/// # Errors
/// [`Error`]. A database that does not respond is a failure, never a refusal.
pub async fn refresh(
    services: &Services,
    token: &str,
    key: Option<&[u8]>,
    client: ClientInfo,
) -> Result<TokenResponse, Error<RefreshRefusal>> {
    // The successor's times would be wrong, and the superseded token cannot be restored.
    let context = services.checked_context(client)?;
    let now = context.checked_at();
    let shared_now = context.shared_at;
    let mut charges = services.limits.charges(&context.client);
    let claims = services.tokens.verify_refresh(token).map_err(not_valid)?;
    let user = tokens::user_of(&claims).map_err(not_valid)?;
    attribute_to_owner(user, claims.sid);
    charges.charge(Budget::RequestsSession, &claims.sid.to_string()).await?;
    charges.charge(Budget::RefreshSession, &claims.sid.to_string()).await?;
    let presented = PresentedRefreshToken { session: claims.sid, user, generation: claims.generation, jti: claims.jti };
    let lifetimes = &services.settings.lifetimes;
    let key_hash = key.map(digest_of);
    let client_hash = if key.is_none() { hash_of_client(&context.client) } else { None };
    let rotated_at = services.clock.database_now();
    let rotation = Rotation { jti: new_jti(), key_hash, client_hash, now, rotated_at, lifetime: lifetimes.refresh };
    let session = presented.session;
    let exchange = Arc::new(RefreshExchange {
        presented,
        rotation,
        leeway: lifetimes.leeway,
        clock: services.clock.clone(),
        context: context.clone(),
    });
    // A client that disconnects does not prevent that a reuse is recorded.
    let store = services.store.clone();
    let outcome = Store::run_to_end(async move { exchange.run(&store).await }).await?;
    services.session_metrics.refresh(outcome.as_str());
    match outcome {
        ExchangeOutcome::Rotated(found) | ExchangeOutcome::Repeated(_, found) => {
            Ok(token_pair::token_response(services, &found.0, &found.1, now)?)
        }
        ExchangeOutcome::Refused(refusal) => Err(refusal.into()),
        ExchangeOutcome::Contended => Err(Error::Refused(RefreshRefusal::Contended { session })),
        ExchangeOutcome::Revoked(anomaly) => {
            services.feed.insert([session], shared_now);
            log::warn!("refresh.revoked: session {session}: {}", anomaly.logged());
            if anomaly == RefreshAnomaly::Reused {
                mail::charge_always(services, &context.client).await; // its owner is mailed
            }
            Err(Error::Refused(match anomaly {
                RefreshAnomaly::Reused => RefreshRefusal::Reused { session },
                RefreshAnomaly::Ahead => RefreshRefusal::Ahead { session },
            }))
        }
    }
}

const fn not_valid(error: TokenError) -> Error<RefreshRefusal> {
    Error::Refused(RefreshRefusal::NotValid(error))
}

/// A hash of the request's neighbourhood and user agent; `None` for an unknown client.
fn hash_of_client(client: &ClientInfo) -> Option<Vec<u8>> {
    let neighbourhood = client.network?.neighbourhood();
    let user_agent = client.user_agent.as_deref().unwrap_or_default();
    Some(digest_of(format!("{neighbourhood}\n{user_agent}").as_bytes()))
}

/// One exchange, from the token to the outcome.
struct RefreshExchange {
    presented: PresentedRefreshToken,
    rotation: Rotation,
    leeway: Duration,
    clock: ComparedClock,
    context: CheckedContext,
}

impl RefreshExchange {
    async fn run(self: &Arc<Self>, store: &Store) -> Result<ExchangeOutcome, StoreError> {
        // A second round is needed only if the row changes between the statement and the read.
        for _ in 0..2 {
            let exchange = Arc::clone(self);
            let rotate =
                move |connection: &mut _| sessions::rotate(connection, &exchange.presented, &exchange.rotation);
            if let Some(rotated) = store.write_statement(rotate).await? {
                return Ok(ExchangeOutcome::Rotated(Box::new(rotated)));
            }
            let session = self.presented.session;
            let found = store.run(move |connection| sessions::find_with_user(connection, session)).await?;
            let Some(found) = found else { return Ok(ExchangeOutcome::Refused(AuthorizationRefusal::Revoked)) };
            match self.decide(&found) {
                RefreshVerdict::Again => {}
                RefreshVerdict::Repeat(why) => return Ok(ExchangeOutcome::Repeated(why, Box::new(found))),
                RefreshVerdict::Refused(refusal) => return Ok(ExchangeOutcome::Refused(refusal)),
                RefreshVerdict::Revoke(_) => {
                    let exchange = Arc::clone(self);
                    if let Some(anomaly) = store.write(move |connection| exchange.revoke(connection)).await? {
                        return Ok(ExchangeOutcome::Revoked(anomaly));
                    }
                }
            }
        }
        Ok(ExchangeOutcome::Contended)
    }

    /// Decides what follows when the `UPDATE` has changed no row.
    fn decide(&self, found: &(SessionRow, UserRow)) -> RefreshVerdict {
        let (session, _) = match authorize::authorize_session(Some(found), self.presented.user, &self.clock) {
            Ok(found) => found,
            Err(refusal) => return RefreshVerdict::Refused(refusal),
        };
        let presented = self.presented.generation;
        if presented > session.generation {
            RefreshVerdict::Revoke(RefreshAnomaly::Ahead)
        } else if presented == session.generation {
            // The row's own generation has another `jti`: the row was restored from an older copy and rotated again since.
            if self.presented.jti == session.jti {
                RefreshVerdict::Again
            } else {
                RefreshVerdict::Revoke(RefreshAnomaly::Reused)
            }
        } else if self.repeats_the_rotation(session) {
            RefreshVerdict::Repeat(Repetition::SameKey)
        } else {
            self.decide_superseded(session)
        }
    }

    /// Whether the response was lost: the same key, with the generation that the latest rotation superseded. That is not a reuse.
    fn repeats_the_rotation(&self, session: &SessionRow) -> bool {
        let same_key = match (&self.rotation.key_hash, &session.rotation_key_hash) {
            (Some(sent), Some(kept)) => same_digest(sent, kept),
            _ => false,
        };
        same_key && self.presented.generation + 1 == session.generation
    }

    /// Tabs of a client without idempotency keys may race: the token was superseded a moment ago, from the same
    /// neighbourhood and user agent, and no rotation since had a key. The row records its last two rotations. Everything else is a reuse.
    fn decide_superseded(&self, session: &SessionRow) -> RefreshVerdict {
        let (client_hash, superseded_at) = match session.generation - self.presented.generation {
            1 => (&session.rotation_client_hash, Some(session.rotated_at)),
            2 => (&session.previous_rotation_client_hash, session.previous_rotated_at),
            _ => (&None, None),
        };
        // A request with a key or from an unknown client has no such hash, and neither has its rotation.
        let same_client = self.rotation.client_hash.is_some() && *client_hash == self.rotation.client_hash;
        let has_leeway = self.leeway > Duration::zero() && session.rotation_key_hash.is_none() && same_client;
        let Some(superseded_at) = superseded_at.filter(|_| has_leeway) else {
            return RefreshVerdict::Revoke(RefreshAnomaly::Reused);
        };
        // Read after the row: a rotation that this request has waited for must not be in its future. The database's clock is
        // used because another process may have made the rotation.
        let ago = self.clock.database_now() - superseded_at;
        if (-self.clock.uncertainty()..=self.leeway).contains(&ago) {
            RefreshVerdict::Repeat(Repetition::Leeway)
        } else {
            self.clock.unless_wrong(RefreshVerdict::Revoke(RefreshAnomaly::Reused))
        }
    }

    /// Revokes the session, records that and, after a reuse, mails the owner, in one transaction. Returns `None` if another
    /// request has revoked it in the meantime.
    ///
    /// It takes the user's lock, as everything that changes a user does: the mail goes to the account's current address, and
    /// nothing is written after a deletion.
    fn revoke(&self, connection: &mut AnyConnection) -> QueryResult<Option<RefreshAnomaly>> {
        users::lock_credentials(connection, self.presented.user)?;
        let Some(found) = sessions::find_with_user(connection, self.presented.session)? else { return Ok(None) };
        let RefreshVerdict::Revoke(anomaly) = self.decide(&found) else { return Ok(None) };
        let (_, user) = found;
        let (reason, kind) = match anomaly {
            RefreshAnomaly::Reused => (RevokeReason::Reuse, EventKind::RefreshReused),
            RefreshAnomaly::Ahead => (RevokeReason::Ahead, EventKind::GenerationAhead),
        };
        if !sessions::revoke(connection, self.presented.session, reason, self.context.shared_at)? {
            return Ok(None);
        }
        let mut event = self.context.event(user.id, kind);
        event.detail.session = Some(self.presented.session);
        event.detail.generation = Some(self.presented.generation);
        events::insert(connection, &event)?;
        if anomaly == RefreshAnomaly::Reused {
            let mail = mail::to_user(MailKind::RefreshReused, user.id, &user.email, &self.context);
            mail_outbox::insert(connection, &mail)?;
        }
        Ok(Some(anomaly))
    }
}

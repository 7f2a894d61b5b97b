//! Checks the life of a session's tokens: refresh, repetition, reuse, logout, expiry. Each check opens a session of its own.

use super::context::MAX_ACCESS_LIFETIME;
use super::context::{Smoke, learnt};
use super::response::{CheckFailure, CheckResult};
use auth_types::Reason;
use auth_types::paths;
use secrecy::SecretString;
use std::time::Duration;

/// How soon every process refuses what one has revoked.
const REVOKED_EVERYWHERE: Duration = Duration::from_secs(2);
/// After this many, even an API with leeway considers the first token stolen: it remembers the last two rotations.
const ROTATIONS: usize = 3;
/// Repeated, so that a load balancer uses more than one process.
const REQUESTS: usize = 4;
/// The longest lifetime that is waited for without `--wait`.
const SHORT_LIFE_SECONDS: i64 = 30;

pub(super) async fn refresh(smoke: &Smoke) -> CheckResult {
    let first = smoke.new_session().await?;
    let second = smoke.rotate(&first, Some("smoke-refresh")).await?;
    if second.has_refresh_token_of(&first) {
        return Err(CheckFailure::failed("the same refresh token came back"));
    }
    smoke.ask_as(&second.access, paths::ME).await?.with_status(200)?;
    Ok("a new pair, whose access token opens the account".to_owned())
}

/// A client whose response was lost repeats its request.
pub(super) async fn repeat(smoke: &Smoke) -> CheckResult {
    let first = smoke.new_session().await?;
    let second = smoke.rotate(&first, Some("smoke-repeat")).await?;
    let again = smoke.rotate(&first, Some("smoke-repeat")).await?;
    if !again.has_refresh_token_of(&second) {
        return Err(CheckFailure::failed("the same Idempotency-Key got another refresh token"));
    }
    Ok("the same Idempotency-Key, the same refresh token".to_owned())
}

pub(super) async fn reuse(smoke: &Smoke) -> CheckResult {
    let first = smoke.new_session().await?;
    let mut latest = first.clone();
    for _ in 0..ROTATIONS {
        latest = smoke.rotate(&latest, None).await?;
    }
    smoke.present(&first, None).await?.refused(401, Reason::RefreshReused)?;
    smoke.present(&latest, None).await?.refused(401, Reason::SessionRevoked)?;
    smoke.ended.get_or_init(|| latest.access);
    Ok("an old refresh token ends the session, for whoever holds it".to_owned())
}

pub(super) async fn revocation(smoke: &Smoke) -> CheckResult {
    is_dead(smoke, learnt(&smoke.ended)?).await?;
    Ok(format!("the ended session's access token is refused after {} s", REVOKED_EVERYWHERE.as_secs()))
}

async fn is_dead(smoke: &Smoke, access: &SecretString) -> Result<(), CheckFailure> {
    tokio::time::sleep(REVOKED_EVERYWHERE).await;
    for _ in 0..REQUESTS {
        smoke.ask_as(access, paths::ME).await?.refused(401, Reason::SessionRevoked)?;
    }
    Ok(())
}

pub(super) async fn logout(smoke: &Smoke) -> CheckResult {
    let session = smoke.new_session().await?;
    smoke.sign_out(&session).await?.with_status(200)?;
    smoke.present(&session, None).await?.refused(401, Reason::SessionRevoked)?;
    is_dead(smoke, &session.access).await?;
    Ok("both tokens are refused".to_owned())
}

pub(super) async fn expiry(smoke: &Smoke) -> CheckResult {
    let session = smoke.new_session().await?;
    let lifetime = session.access_expires_in;
    if lifetime > MAX_ACCESS_LIFETIME.as_secs().cast_signed() {
        return Err(CheckFailure::Failed(format!("access tokens live {lifetime} s, which is more than a day")));
    }
    if lifetime > SHORT_LIFE_SECONDS && !smoke.plan.wait {
        return Err(CheckFailure::Skipped(format!("access tokens live {lifetime} s; --wait waits for one to expire")));
    }
    tokio::time::sleep(Duration::from_secs(lifetime.unsigned_abs() + 1)).await;
    smoke.ask_as(&session.access, paths::ME).await?.refused(401, Reason::TokenExpired)?;
    let next = smoke.rotate(&session, None).await?;
    smoke.ask_as(&next.access, paths::ME).await?.with_status(200)?;
    Ok(format!("refused after {lifetime} s; a refresh gives the next"))
}

//! Telling whether a token is valid.

use super::authorize::{self, Refusal};
use crate::service::limits::{Budget, Throttled};
use crate::service::tokens::TokenError;
use crate::service::{ClientInfo, Services, tokens};
use crate::store::{StoreError, sessions};
use auth_types::{AccessClaims, RefreshClaims};

/// Why a token is not valid.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("token is not valid")]
    NotValid(#[source] TokenError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Throttled(#[from] Throttled),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies an access token with what this process has in memory.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_access(services: &Services, token: &str) -> Result<AccessClaims, VerifyError> {
    let claims = services.tokens.verify_access(token, services.now()).map_err(VerifyError::NotValid)?;
    if services.feed.is_revoked(claims.sid) { Err(Refusal::Revoked.into()) } else { Ok(claims) }
}

/// Verifies a token of either type; a refresh token's session is read. Changes nothing.
///
/// # Errors
/// [`VerifyError`].
pub async fn verify(services: &Services, token: &str, client: &ClientInfo) -> Result<(), VerifyError> {
    match services.tokens.verify_refresh(token, services.now()) {
        Ok(claims) => {
            // From here on it is its account's share.
            tokens::owner_of(&claims).map_err(VerifyError::NotValid)?;
            services.limits.tries(client).by_name(Budget::RequestsSession, &claims.sid.to_string()).await?;
            verify_refresh(services, claims).await
        }
        Err(error @ (TokenError::Expired | TokenError::Early | TokenError::KeyUnknown)) => {
            Err(VerifyError::NotValid(error))
        }
        Err(TokenError::Malformed) => verify_access(services, token).map(|_| ()),
    }
}

async fn verify_refresh(services: &Services, claims: RefreshClaims) -> Result<(), VerifyError> {
    let (id, user) = (claims.sid, tokens::owner_of(&claims).map_err(VerifyError::NotValid)?);
    let found = services.store.run(move |connection| sessions::find_with_user(connection, id)).await?;
    let (session, _) = authorize::check(found.as_ref(), user, services.now())?;
    let live = session.generation == claims.generation && session.jti == claims.jti;
    // Superseded looks like revoked: whoever has stolen a token must not learn when its owner refreshes.
    if live { Ok(()) } else { Err(Refusal::Revoked.into()) }
}

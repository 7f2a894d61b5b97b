//! Verifying tokens.

use super::attribution::attribute_to_owner;
use super::authorize;
use super::refusal::AuthorizationRefusal;
use crate::service::limits::Budget;
use crate::service::tokens::{TokenError, VerifiedToken};
use crate::service::{ClientInfo, Error, Services, tokens};
use crate::store::sessions;
use auth_types::{AccessClaims, RefreshClaims, UserId};

/// Verifies an access token from memory, without the database.
pub fn verify_access(services: &Services, token: &str) -> Result<AccessClaims, Error<TokenError>> {
    let claims = services.tokens.verify_access(token).map_err(Error::Refused)?;
    check_revocation(services, &claims)?;
    Ok(claims)
}

fn check_revocation(services: &Services, claims: &AccessClaims) -> Result<(), AuthorizationRefusal> {
    if services.feed.is_revoked(claims.sid) { Err(AuthorizationRefusal::Revoked) } else { Ok(()) }
}

/// Verifies a token of either type; a refresh token's session is read. Changes nothing.
pub async fn verify(services: &Services, token: &str, client: &ClientInfo) -> Result<(), Error<TokenError>> {
    match services.tokens.verify(token).map_err(Error::Refused)? {
        VerifiedToken::Access(claims) => Ok(check_revocation(services, &claims)?),
        VerifiedToken::Refresh(claims) => {
            // From here on the request counts as one of its account.
            let user = tokens::user_of(&claims).map_err(Error::Refused)?;
            attribute_to_owner(user, claims.sid);
            services.limits.charges(client).charge(Budget::RequestsSession, &claims.sid.to_string()).await?;
            verify_refresh(services, claims, user).await
        }
    }
}

async fn verify_refresh(services: &Services, claims: RefreshClaims, user: UserId) -> Result<(), Error<TokenError>> {
    let id = claims.sid;
    let found = services.store.run(move |connection| sessions::find_with_user(connection, id)).await?;
    let (session, _) = authorize::authorize_session(found.as_ref(), user, &services.clock)?;
    let live = session.generation == claims.generation && session.jti == claims.jti;
    // A superseded token looks revoked: a thief must not learn when the owner refreshes.
    if live { Ok(()) } else { Err(AuthorizationRefusal::Revoked.into()) }
}

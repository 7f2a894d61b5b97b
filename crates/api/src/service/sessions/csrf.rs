//! CSRF protection of the cookie transport: any page can make a browser send a cookie, but only our own client can set the
//! header. The token is a keyed hash of its session, so it needs no row, outlives rotations, and is not valid with the cookie
//! of another session: an attacker who plants cookies from a sibling host cannot make a pair (signed double submit).

use crate::service::Services;
use crate::service::digest::same_digest;
use crate::service::tokens::{TokenError, began_later, parse_user_id};
use auth_types::{RefreshClaims, UserId};
use std::fmt;

/// Maximum number of refresh tokens of one request that are verified. A request head can hold a hundred, and each costs a
/// signature check; a browser sends one, and one more for each name and `SESSION_COOKIE_DOMAIN` that was used before.
const MAX_COOKIES: usize = 8;

/// Why a cookie is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrfError {
    #[error("there is no refresh token")]
    NoRefreshToken,
    /// The header is missing or differs from the cookie.
    #[error("header and cookie differ")]
    DoubleSubmitFailed,
    /// Both are equal, but the token belongs to none of the sessions that the refresh tokens name.
    #[error("the token belongs to another session")]
    OfAnotherSession,
}

/// The cookies and the header of a request. One name may have several cookies: of an old `SESSION_COOKIE_DOMAIN`, or planted.
pub struct SubmittedTokens<'a> {
    pub refresh_cookies: Vec<&'a str>,
    pub csrf_cookies: Vec<&'a str>,
    pub csrf_header: Option<&'a str>,
}

impl fmt::Debug for SubmittedTokens<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmittedTokens").field("refresh_cookies", &self.refresh_cookies.len()).finish_non_exhaustive()
    }
}

/// Returns the refresh token that the request may use: the newest one of the session that the CSRF token belongs to, among
/// the first few. If none is one of our tokens there is nothing to protect, and the first one is returned for verification.
///
/// # Errors
/// [`CsrfError`]; then no token of the request may be used.
pub fn authenticate<'a>(services: &Services, submitted: &SubmittedTokens<'a>) -> Result<&'a str, CsrfError> {
    let first = *submitted.refresh_cookies.first().ok_or(CsrfError::NoRefreshToken)?;
    let csrf = submitted.csrf_header.ok_or(CsrfError::DoubleSubmitFailed)?;
    if !submitted.csrf_cookies.iter().any(|cookie| same_digest(cookie.as_bytes(), csrf.as_bytes())) {
        return Err(CsrfError::DoubleSubmitFailed);
    }
    let claims = |token: &&'a str| services.tokens.verify_refresh_of_any_age(token).ok();
    let tokens = submitted.refresh_cookies.iter().take(MAX_COOKIES);
    let verified: Vec<_> = tokens.filter_map(|token| claims(token).map(|claims| (*token, claims))).collect();
    if verified.is_empty() {
        return Ok(first);
    }
    let of_session = verified.iter().filter(|(_, claims)| services.csrf.verify(csrf, claims.sid));
    let newest = of_session.max_by_key(|(_, claims)| claims.generation);
    newest.map(|(token, _)| *token).ok_or(CsrfError::OfAnotherSession)
}

/// Whether the cookies belong to another user than `user`, who has signed in in this browser. A planted or stale cookie next
/// to the user's own is ignored.
pub fn belongs_to_another_user(services: &Services, submitted: &SubmittedTokens<'_>, user: UserId) -> bool {
    let owners: Vec<_> = claims_of(services, submitted).map(|claims| parse_user_id(&claims.user_id)).collect();
    !owners.is_empty() && !owners.contains(&Some(user))
}

/// The same, if the other user's session began after that of the refresh token `given`.
pub fn belongs_to_later_user(services: &Services, submitted: &SubmittedTokens<'_>, given: &str) -> bool {
    let Ok(given) = services.tokens.verify_refresh_of_any_age(given) else { return false };
    parse_user_id(&given.user_id).is_some_and(|user| belongs_to_another_user(services, submitted, user))
        && claims_of(services, submitted).any(|claims| began_later(claims.sid, given.sid))
}

fn claims_of(services: &Services, submitted: &SubmittedTokens<'_>) -> impl Iterator<Item = RefreshClaims> {
    let tokens = submitted.refresh_cookies.iter().take(MAX_COOKIES);
    tokens.filter_map(|token| services.tokens.verify_refresh_of_any_age(token).ok())
}

/// The CSRF token that belongs to one of our refresh tokens.
///
/// # Errors
/// When it is not one of our tokens.
pub fn token_of(services: &Services, refresh: &str) -> Result<String, TokenError> {
    let claims = services.tokens.verify_refresh_of_any_age(refresh)?;
    Ok(services.csrf.token(claims.sid))
}

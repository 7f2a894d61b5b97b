//! The second secret of the cookie transport: a browser sends a cookie whoever made it ask, a header only our own client
//! can write. The token is a keyed hash of its session, so it needs no row, outlives rotations, and is worth nothing
//! beside the cookie of another session: whoever plants cookies from a sibling host cannot make a pair (signed double
//! submit).

use crate::service::Services;
use crate::service::passwords::hashing::same_digest;
use crate::service::tokens::{TokenError, began_later, parse_user_id};
use auth_types::{RefreshClaims, UserId};
use std::fmt;

/// So many refresh tokens of one request are looked at. A head has room for a hundred, and each costs a signature; a browser
/// sends one, and one more for each name and `SESSION_COOKIE_DOMAIN` that was used before.
const MOST_COOKIES: usize = 8;

/// Why a cookie does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrfError {
    #[error("there is no refresh token")]
    NoRefreshToken,
    /// The header is missing, or says another thing than the cookie.
    #[error("header and cookie do not say the same")]
    NotSubmittedTwice,
    /// Both say the same, but it belongs to none of the sessions that the refresh tokens name.
    #[error("the token is another session's")]
    OfAnotherSession,
}

/// What a browser sent. There may be several cookies of one name: of an old `SESSION_COOKIE_DOMAIN`, or planted.
pub struct Submitted<'a> {
    pub refresh_cookies: Vec<&'a str>,
    pub csrf_cookies: Vec<&'a str>,
    pub csrf_header: Option<&'a str>,
}

impl fmt::Debug for Submitted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitted").field("refresh_cookies", &self.refresh_cookies.len()).finish_non_exhaustive()
    }
}

/// The refresh token that the request may use: the newest one of the session that the CSRF token belongs to, among the
/// first few. When none
/// is a token of ours there is nothing to protect, and the first one is judged like any other text.
///
/// # Errors
/// [`CsrfError`]; the token must not be looked at further then.
pub fn authenticate<'a>(services: &Services, submitted: &Submitted<'a>) -> Result<&'a str, CsrfError> {
    let first = *submitted.refresh_cookies.first().ok_or(CsrfError::NoRefreshToken)?;
    let csrf = submitted.csrf_header.ok_or(CsrfError::NotSubmittedTwice)?;
    if !submitted.csrf_cookies.iter().any(|cookie| same_digest(cookie.as_bytes(), csrf.as_bytes())) {
        return Err(CsrfError::NotSubmittedTwice);
    }
    let claims = |token: &&'a str| services.tokens.verify_refresh_of_any_age(token).ok();
    let tokens = submitted.refresh_cookies.iter().take(MOST_COOKIES);
    let ours: Vec<_> = tokens.filter_map(|token| claims(token).map(|claims| (*token, claims))).collect();
    if ours.is_empty() {
        return Ok(first);
    }
    let of_session = ours.iter().filter(|(_, claims)| services.csrf.verify(csrf, claims.sid));
    let newest = of_session.max_by_key(|(_, claims)| claims.generation);
    newest.map(|(token, _)| *token).ok_or(CsrfError::OfAnotherSession)
}

/// Whether the cookies are those of somebody else than `user`, who has signed in in this browser. One that is planted next
/// to the user's own, or left behind there, does not count.
pub fn is_anothers(services: &Services, submitted: &Submitted<'_>, user: UserId) -> bool {
    let owners: Vec<_> = claims_of(services, submitted).map(|claims| parse_user_id(&claims.user_id)).collect();
    !owners.is_empty() && !owners.contains(&Some(user))
}

/// The same, when the other person's session began after that of the refresh token `given`.
pub fn is_later_persons(services: &Services, submitted: &Submitted<'_>, given: &str) -> bool {
    let Ok(given) = services.tokens.verify_refresh_of_any_age(given) else { return false };
    parse_user_id(&given.user_id).is_some_and(|user| is_anothers(services, submitted, user))
        && claims_of(services, submitted).any(|claims| began_later(claims.sid, given.sid))
}

fn claims_of(services: &Services, submitted: &Submitted<'_>) -> impl Iterator<Item = RefreshClaims> {
    let tokens = submitted.refresh_cookies.iter().take(MOST_COOKIES);
    tokens.filter_map(|token| services.tokens.verify_refresh_of_any_age(token).ok())
}

/// The CSRF token that goes with a refresh token of ours.
///
/// # Errors
/// When it is not one of ours.
pub fn token_of(services: &Services, refresh: &str) -> Result<String, TokenError> {
    let claims = services.tokens.verify_refresh_of_any_age(refresh)?;
    Ok(services.csrf.token(claims.sid))
}

//! The rules for the claims of both types of token (RFC 8725, section 3).

use super::error::TokenError;
use super::ids::parse_user_id;
use crate::clock::MAX_CLOCK_SKEW;
use auth_types::{AccessClaims, RefreshClaims, TokenType};
use chrono::{DateTime, Duration, Utc};
use serde::de::DeserializeOwned;

/// Longest `jti`, characters.
const JTI_MAX_LENGTH: usize = 64;

/// The claims that both types of token share.
pub(super) trait Claims: DeserializeOwned {
    const TYPE: TokenType;
    fn token_type(&self) -> TokenType;
    fn times(&self) -> TimeClaims;
    fn identity(&self) -> IdentityClaims<'_>;
}

/// When a token is valid.
#[derive(Clone, Copy)]
pub(super) struct TimeClaims {
    iat: i64,
    exp: i64,
    nbf: Option<i64>,
}

/// Whom and what a token identifies: itself, its user, its issuer and its audience.
pub(super) struct IdentityClaims<'a> {
    jti: &'a str,
    user_id: &'a str,
    sub: &'a str,
    iss: Option<&'a str>,
    aud: Option<&'a str>,
}

macro_rules! claims {
    ($claims:ident, $type:ident) => {
        impl Claims for $claims {
            const TYPE: TokenType = TokenType::$type;
            fn token_type(&self) -> TokenType {
                self.token_type
            }
            fn times(&self) -> TimeClaims {
                TimeClaims { iat: self.iat, exp: self.exp, nbf: self.nbf }
            }
            fn identity(&self) -> IdentityClaims<'_> {
                IdentityClaims {
                    jti: &self.jti,
                    user_id: &self.user_id,
                    sub: &self.sub,
                    iss: self.iss.as_deref(),
                    aud: self.aud.as_deref(),
                }
            }
        }
    };
}
claims!(AccessClaims, Access);
claims!(RefreshClaims, Refresh);

impl IdentityClaims<'_> {
    /// `issuer` and `audience` are required when they are given.
    pub(super) fn are_valid(&self, issuer: Option<&str>, audience: Option<&str>) -> bool {
        (1..=JTI_MAX_LENGTH).contains(&self.jti.chars().count())
            && self.user_id == self.sub
            && parse_user_id(self.user_id).is_some()
            && issuer.is_none_or(|issuer| self.iss == Some(issuer))
            && audience.is_none_or(|audience| self.aud == Some(audience))
    }
}

impl TimeClaims {
    /// # Errors
    /// [`TokenError::Malformed`] for times that none of our tokens has; [`TokenError::ClockMismatch`] before it was issued, by more than
    /// clocks may differ; [`TokenError::Expired`] if `exp` is at or before `latest`, as
    /// [`ExpiryReading`](crate::clock::ExpiryReading) describes it.
    pub(super) fn check(self, now: DateTime<Utc>, latest: DateTime<Utc>, longest: Duration) -> Result<(), TokenError> {
        let lifetime = self.exp.checked_sub(self.iat).ok_or(TokenError::Malformed)?;
        let latest_issue = now.timestamp() + MAX_CLOCK_SKEW.num_seconds();
        if lifetime <= 0 || lifetime > longest.num_seconds() {
            Err(TokenError::Malformed)
        } else if self.iat > latest_issue || self.nbf.is_some_and(|nbf| nbf > latest_issue) {
            Err(TokenError::ClockMismatch)
        } else if self.exp <= latest.timestamp() {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}

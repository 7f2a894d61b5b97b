//! Signing and verifying tokens.

use super::claims::{Claims, TimeClaims};
use super::error::TokenError;
use super::ids::new_jti;
use super::jwks;
use super::jws::Jws;
use super::keys::Keys;
use crate::clock::{CheckedTime, ComparedClock, ExpiryReading};
use crate::config::{KeySettings, Lifetimes};
use crate::store::sessions::SessionRow;
use auth_types::{AccessClaims, JsonWebKeySet, RefreshClaims, Role, TokenType};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use std::fmt;

/// Signs and verifies tokens.
pub struct TokenAuthority {
    keys: Keys,
    key_set: JsonWebKeySet,
    issuer: Option<String>,
    audience: Option<String>,
    lifetimes: Lifetimes,
    clock: ComparedClock,
}

impl fmt::Debug for TokenAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAuthority").field("lifetimes", &self.lifetimes).finish_non_exhaustive()
    }
}

/// An access token and its expiry.
#[derive(Clone)]
pub struct SignedAccess {
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for SignedAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedAccess").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The claims of a token of either type.
#[derive(Debug)]
pub enum VerifiedToken {
    Access(AccessClaims),
    Refresh(RefreshClaims),
}

/// The claim that says of which type a token is.
#[derive(Deserialize)]
struct TypeClaim {
    token_type: TokenType,
}

impl TokenAuthority {
    pub fn new(keys: &KeySettings, lifetimes: &Lifetimes, clock: ComparedClock) -> Self {
        Self {
            keys: Keys::new(keys),
            key_set: jwks::key_set(&keys.ring.public),
            issuer: keys.issuer.clone(),
            audience: keys.audience.clone(),
            lifetimes: lifetimes.clone(),
            clock,
        }
    }

    /// The published keys that verify our tokens.
    pub const fn key_set(&self) -> &JsonWebKeySet {
        &self.key_set
    }

    /// Signs an access token of a session for `role`. It is valid from `now` for its lifetime, but never past the session's idle
    /// or absolute end.
    pub fn sign_access(
        &self,
        session: &SessionRow,
        role: Role,
        now: CheckedTime,
    ) -> Result<SignedAccess, jsonwebtoken::errors::Error> {
        let now = now.get();
        let expires_at = (now + self.lifetimes.access).min(session.expires_at);
        let user_id = session.user_id.to_string();
        let claims = AccessClaims {
            token_type: TokenType::Access,
            exp: expires_at.timestamp(),
            iat: now.timestamp(),
            jti: new_jti(),
            sub: user_id.clone(),
            user_id,
            sid: session.id,
            role,
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            nbf: None,
        };
        Ok(SignedAccess { token: self.keys.sign(&claims)?, expires_at })
    }

    /// Signs the session's live refresh token. It depends on the row only: the same row gives the same claims, and the same bytes
    /// except with ES256, whose signatures are random.
    pub fn sign_refresh(&self, session: &SessionRow) -> Result<String, jsonwebtoken::errors::Error> {
        let user_id = session.user_id.to_string();
        let claims = RefreshClaims {
            token_type: TokenType::Refresh,
            exp: session.expires_at.timestamp(),
            iat: session.rotated_at.timestamp(),
            jti: session.jti.clone(),
            sub: user_id.clone(),
            user_id,
            sid: session.id,
            generation: session.generation,
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            nbf: None,
        };
        self.keys.sign(&claims)
    }

    /// Verifies an access token.
    pub fn verify_access(&self, token: &str) -> Result<AccessClaims, TokenError> {
        let claims: AccessClaims = self.claims(&self.parse(token)?)?;
        self.check(claims.times())?;
        Ok(claims)
    }

    /// Verifies an access token that may have expired less than `grace` ago: enough to repeat a request with.
    pub fn verify_access_within_grace(&self, token: &str, grace: Duration) -> Result<AccessClaims, TokenError> {
        let claims: AccessClaims = self.claims(&self.parse(token)?)?;
        let reading = self.clock.expiry_reading();
        match self.check_by(reading, claims.times()) {
            Err(TokenError::Expired) if claims.exp > (reading.now - grace).timestamp() => Ok(claims),
            checked => checked.map(|()| claims),
        }
    }

    /// Verifies a refresh token, without checking its session.
    pub fn verify_refresh(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let claims = self.decode_refresh(token)?;
        self.check(claims.times())?;
        Ok(claims)
    }

    /// Verifies a token of either type, without checking its session.
    pub fn verify(&self, token: &str) -> Result<VerifiedToken, TokenError> {
        let token = self.parse(token)?;
        let verified = match token.payload().map(|TypeClaim { token_type }| token_type) {
            Some(TokenType::Access) => VerifiedToken::Access(self.claims(&token)?),
            Some(TokenType::Refresh) => VerifiedToken::Refresh(self.refresh_claims(&token)?),
            None => return Err(TokenError::Malformed),
        };
        self.check(match &verified {
            VerifiedToken::Access(claims) => claims.times(),
            VerifiedToken::Refresh(claims) => claims.times(),
        })?;
        Ok(verified)
    }

    /// Verifies a refresh token that may have expired, or not be valid yet by this clock: enough to sign out with.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] or [`TokenError::KeyUnknown`].
    pub fn verify_refresh_of_any_age(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let claims = self.decode_refresh(token)?;
        match self.check(claims.times()) {
            Ok(()) | Err(TokenError::Expired | TokenError::ClockMismatch) => Ok(claims),
            Err(error @ (TokenError::Malformed | TokenError::KeyUnknown)) => Err(error),
        }
    }

    fn check(&self, times: TimeClaims) -> Result<(), TokenError> {
        self.check_by(self.clock.expiry_reading(), times)
    }

    fn check_by(&self, reading: ExpiryReading, times: TimeClaims) -> Result<(), TokenError> {
        times.check(reading.now, reading.latest, self.lifetimes.session).map_err(|error| match error {
            TokenError::Expired => reading.unless_wrong(error),
            TokenError::Malformed | TokenError::ClockMismatch | TokenError::KeyUnknown => error,
        })
    }

    fn decode_refresh(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        self.refresh_claims(&self.parse(token)?)
    }

    /// Checks form and signature.
    fn parse<'a>(&self, token: &'a str) -> Result<Jws<'a>, TokenError> {
        let token = Jws::parse(token).ok_or(TokenError::Malformed)?;
        self.keys.verify(&token)?;
        Ok(token)
    }

    fn refresh_claims(&self, token: &Jws<'_>) -> Result<RefreshClaims, TokenError> {
        let claims: RefreshClaims = self.claims(token)?;
        if claims.generation < 1 { Err(TokenError::Malformed) } else { Ok(claims) }
    }

    /// Checks type and identity claims of a token whose signature is valid, but not the times.
    fn claims<C: Claims>(&self, token: &Jws<'_>) -> Result<C, TokenError> {
        let claims: C = token.payload().ok_or(TokenError::Malformed)?;
        let identity = claims.identity();
        let is_valid =
            claims.token_type() == C::TYPE && identity.are_valid(self.issuer.as_deref(), self.audience.as_deref());
        if is_valid { Ok(claims) } else { Err(TokenError::Malformed) }
    }
}

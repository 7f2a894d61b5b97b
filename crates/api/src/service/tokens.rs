//! JSON Web Tokens: made from a session's row, verified without mercy (RFC 8725).

use crate::config::{KeySettings, Lifetimes};
use crate::store::sessions::SessionRow;
use auth_types::limits::TOKEN_MAX_BYTES;
use auth_types::{AccessClaims, Reason, RefreshClaims, Role, SessionId, TokenType, UserId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt;
use uuid::Uuid;

/// How far ahead of this clock a token may have been issued: another process's clock may differ.
const IAT_AHEAD_SECONDS: i64 = 60;
/// Longest `jti`, characters.
const JTI_MAX_LENGTH: usize = 64;

/// Why a text is not a token to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Form, signature, type or claims do not hold.
    #[error("not a token of ours")]
    Malformed,
    /// It was one until its `exp`.
    #[error("token is expired")]
    Expired,
}

impl TokenError {
    /// What a client is told.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Malformed => Reason::TokenMalformed,
            Self::Expired => Reason::TokenExpired,
        }
    }
}

/// Signs and verifies.
pub struct Tokens {
    signing: EncodingKey,
    /// The current key and the fallbacks. They have no names, so a token that names one (`kid`) is none of ours.
    verifying: Vec<DecodingKey>,
    issuer: Option<String>,
    audience: Option<String>,
    lifetimes: Lifetimes,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("lifetimes", &self.lifetimes).finish_non_exhaustive()
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

/// A claim set of either type, as far as the rules that both share go.
trait Claims: DeserializeOwned {
    const TYPE: TokenType;
    fn token_type(&self) -> TokenType;
    fn times(&self) -> Times;
    fn names(&self) -> Names<'_>;
}

struct Times {
    iat: i64,
    exp: i64,
    nbf: Option<i64>,
}

struct Names<'a> {
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
            fn times(&self) -> Times {
                Times { iat: self.iat, exp: self.exp, nbf: self.nbf }
            }
            fn names(&self) -> Names<'_> {
                let (iss, aud) = (self.iss.as_deref(), self.aud.as_deref());
                Names { jti: &self.jti, user_id: &self.user_id, sub: &self.sub, iss, aud }
            }
        }
    };
}
claims!(AccessClaims, Access);
claims!(RefreshClaims, Refresh);

/// The header members that our tokens have; any other makes a token foreign.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
}

impl Tokens {
    #[must_use]
    pub fn new(keys: &KeySettings, lifetimes: &Lifetimes) -> Self {
        let verifying = std::iter::once(&keys.secret_key).chain(&keys.fallbacks);
        Self {
            signing: EncodingKey::from_secret(keys.secret_key.expose_secret().as_bytes()),
            verifying: verifying.map(|key| DecodingKey::from_secret(key.expose_secret().as_bytes())).collect(),
            issuer: keys.issuer.clone(),
            audience: keys.audience.clone(),
            lifetimes: lifetimes.clone(),
        }
    }

    /// The access token of a session for `role`, from `now` for its lifetime, but never past the session's absolute end.
    ///
    /// # Errors
    /// When signing fails, which is a defect.
    pub fn sign_access(
        &self,
        session: &SessionRow,
        role: Role,
        now: DateTime<Utc>,
    ) -> Result<SignedAccess, jsonwebtoken::errors::Error> {
        let expires_at = (now + self.lifetimes.access).min(session.absolute_expires_at);
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
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)?;
        Ok(SignedAccess { token, expires_at })
    }

    /// The session's live refresh token. A function of the row: the same row gives the same bytes.
    ///
    /// # Errors
    /// When signing fails, which is a defect.
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
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// Verifies an access token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify_access(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenError> {
        let claims: AccessClaims = self.decode(token)?;
        self.check_times(&claims.times(), now)?;
        Ok(claims)
    }

    /// Verifies a refresh token. What its session says of it is another question.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify_refresh(&self, token: &str, now: DateTime<Utc>) -> Result<RefreshClaims, TokenError> {
        let claims = self.decode_refresh(token)?;
        self.check_times(&claims.times(), now)?;
        Ok(claims)
    }

    /// A refresh token of ours whose time may be over: enough to sign out with.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn verify_refresh_of_any_age(&self, token: &str, now: DateTime<Utc>) -> Result<RefreshClaims, TokenError> {
        let claims = self.decode_refresh(token)?;
        match self.check_times(&claims.times(), now) {
            Ok(()) | Err(TokenError::Expired) => Ok(claims),
            Err(TokenError::Malformed) => Err(TokenError::Malformed),
        }
    }

    fn decode_refresh(&self, token: &str) -> Result<RefreshClaims, TokenError> {
        let claims: RefreshClaims = self.decode(token)?;
        if claims.generation < 1 { Err(TokenError::Malformed) } else { Ok(claims) }
    }

    /// Form, signature, type and names; not the times.
    fn decode<C: Claims>(&self, token: &str) -> Result<C, TokenError> {
        check_form(token)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // The library reads the system's clock; ours is passed in, so times are checked below.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded = self.verifying.iter().find_map(|key| jsonwebtoken::decode::<C>(token, key, &validation).ok());
        let claims = decoded.ok_or(TokenError::Malformed)?.claims;
        let names = claims.names();
        let holds = claims.token_type() == C::TYPE
            && (1..=JTI_MAX_LENGTH).contains(&names.jti.chars().count())
            && names.user_id == names.sub
            && parse_user_id(names.user_id).is_some()
            && self.issuer.as_deref().is_none_or(|issuer| names.iss == Some(issuer))
            && self.audience.as_deref().is_none_or(|audience| names.aud == Some(audience));
        if holds { Ok(claims) } else { Err(TokenError::Malformed) }
    }

    fn check_times(&self, times: &Times, now: DateTime<Utc>) -> Result<(), TokenError> {
        let now = now.timestamp();
        let lifetime = times.exp.checked_sub(times.iat).ok_or(TokenError::Malformed)?;
        let early = times.iat > now + IAT_AHEAD_SECONDS || times.nbf.is_some_and(|nbf| nbf > now);
        if early || lifetime <= 0 || lifetime > self.lifetimes.session.num_seconds() {
            Err(TokenError::Malformed)
        } else if times.exp <= now {
            Err(TokenError::Expired)
        } else {
            Ok(())
        }
    }
}

/// Looks at a token before anything of it is trusted: size, three parts in canonical base64url, header members.
fn check_form(token: &str) -> Result<(), TokenError> {
    if token.len() > TOKEN_MAX_BYTES {
        return Err(TokenError::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Malformed);
    };
    let decoded = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.decode(part).ok().filter(|b| !b.is_empty()));
    let [Some(header), Some(payload), Some(_)] = decoded else { return Err(TokenError::Malformed) };
    // The claims' own types skip members that they don't know, unread: neither UTF-8 nor depth would count there.
    serde_json::from_slice::<serde_json::Value>(&payload).map_err(|_| TokenError::Malformed)?;
    let header: StrictHeader = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
    let known = header.alg == "HS256" && header.typ.is_none_or(|typ| typ == "JWT");
    if known { Ok(()) } else { Err(TokenError::Malformed) }
}

/// A decimal string as the issuer writes it: no sign, no leading zero, within the column's range.
#[must_use]
pub fn parse_user_id(text: &str) -> Option<UserId> {
    let id: i64 = text.parse().ok()?;
    (id > 0 && id.to_string() == text).then_some(UserId(id))
}

/// A new token id: 122 random bits, written as simplejwt writes them.
#[must_use]
pub fn new_jti() -> String {
    Uuid::new_v4().simple().to_string()
}

/// A new session id; in the order of time, so that new rows are neighbours in the index.
#[must_use]
pub fn new_session_id(now: DateTime<Utc>) -> SessionId {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    SessionId(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos())))
}

/// Whole seconds from `now` until `then`, at least 0: for the wire.
#[must_use]
pub fn seconds_until(then: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    (then.timestamp() - now.timestamp()).max(0)
}

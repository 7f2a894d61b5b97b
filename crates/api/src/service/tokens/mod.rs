//! JSON Web Tokens: made from a session's row, verified strictly (RFC 8725).

mod authority;
mod claims;
mod error;
mod ids;
mod jwks;
mod jws;
mod keys;

pub use authority::{SignedAccess, TokenAuthority, VerifiedToken};
pub use error::TokenError;
pub use ids::{began_later, new_jti, new_session_id, parse_user_id, user_of};

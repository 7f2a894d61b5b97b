//! What a password must be, as far as a client can tell.

use auth_types::limits::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH};
use auth_types::responses::PasswordRules;

/// The least that any server asks; whether a password is easy to guess only the server tells.
pub const PASSWORD_RULES: PasswordRules =
    PasswordRules { min_length: PASSWORD_MIN_LENGTH, max_length: PASSWORD_MAX_LENGTH };

//! The rules for passwords that a client can check.

use auth_types::limits::{PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH};
use auth_types::responses::PasswordRules;

/// The minimum that every server requires. Only the server checks whether a password is easy to guess.
pub const PASSWORD_RULES: PasswordRules =
    PasswordRules { min_length: PASSWORD_MIN_LENGTH, max_length: PASSWORD_MAX_LENGTH };

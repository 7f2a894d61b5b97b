//! Users as they see themselves: in responses, and in the export of their data.

use super::avatar_key;
use crate::store::users::UserRow;
use auth_types::export::ExportedUser;
use auth_types::responses::UserResponse;

pub(in crate::service) fn response(user: &UserRow) -> UserResponse {
    UserResponse {
        id: user.id,
        email: user.email.clone(),
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        role: user.role,
        email_verified: user.email_verified_at.is_some(),
        avatar_url: user.avatar_key.as_deref().map(avatar_key::url),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}

/// Without the password's hash and the canonical names.
pub(in crate::service) fn exported(user: UserRow) -> ExportedUser {
    ExportedUser {
        id: user.id,
        email: user.email,
        username: user.username,
        display_name: user.display_name,
        role: user.role,
        is_active: user.is_active,
        email_verified_at: user.email_verified_at,
        avatar_key: user.avatar_key,
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}

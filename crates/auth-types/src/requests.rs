//! Request bodies. All fields are strings, so that a missing or wrongly typed one can be reported by name. Their lengths in the
//! OpenAPI document are those of `limits`, or the smallest that can be configured.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `POST /api/auth/register/`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisterRequest {
    /// The address; it is also the name to sign in with.
    #[cfg_attr(feature = "openapi", schema(format = "email", max_length = 254))]
    pub email: String,
    /// The password, taken exactly as sent.
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 256))]
    pub password: String,
    /// A second name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 2, max_length = 150))]
    pub username: Option<String>,
    /// What to call this person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 100))]
    pub display_name: Option<String>,
}

/// `POST /api/auth/login/`. Either name field may contain either name.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginRequest {
    /// Email or username.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub email: Option<String>,
    /// Email or username, for clients written for simplejwt.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub username: Option<String>,
    /// The password, taken exactly as sent.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub password: String,
}

/// `POST /api/auth/refresh/` and `POST /api/auth/logout/`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshRequest {
    /// The refresh token.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub refresh: String,
}

/// `POST /api/auth/refresh/` and `POST /api/auth/logout/` with `TOKEN_TRANSPORT=cookie`: `{}`, because the cookie has the token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CookieRefreshRequest {}

/// `POST /api/auth/verify/`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VerifyRequest {
    /// An access or a refresh token.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub token: String,
}

/// `POST /api/auth/password/change/`. The caller authenticates again with the password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChangeRequest {
    /// The current password, taken exactly as sent.
    pub current_password: String,
    /// The new password, taken exactly as sent.
    pub new_password: String,
}

/// `POST /api/auth/password/reset/`: asks for a mail with a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordResetRequest {
    /// The account's address.
    pub email: String,
}

/// `POST /api/auth/password/reset/confirm/`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordResetConfirmRequest {
    /// The mailed link's token, the part after `#token=`.
    pub token: String,
    /// The new password, taken exactly as sent.
    pub new_password: String,
}

/// `POST /api/auth/email/verify/`: confirms the account's address, a new one, or a pending registration.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailVerifyRequest {
    /// The mailed link's token, the part after `#token=`.
    pub token: String,
    /// The value that the sign-up returned. The browser that sends it is signed in. A wrong value is ignored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub registration: Option<String>,
    /// `true`: the owner of the address did not request this. A pending registration, or an account that was never confirmed, is
    /// deleted; a change of address is cancelled.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reject: Option<bool>,
}

/// `POST /api/auth/email/resend/`: asks for the mail that confirms an address again.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailResendRequest {
    /// The account's address.
    pub email: String,
    /// The value that the sign-up returned: its link is mailed, not that of a newer sign-up with the same address. A wrong value
    /// is ignored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub registration: Option<String>,
}

/// `POST /api/auth/email/change/`. The caller authenticates again with the password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EmailChangeRequest {
    /// The new address, which takes effect when it is confirmed.
    pub new_email: String,
    /// The password, taken exactly as sent.
    pub password: String,
}

/// `PATCH /api/auth/me/`. An absent field stays; `null` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateMeRequest {
    /// What to call this person; empty or `null` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub display_name: Option<Option<String>>,
    /// A second name to sign in with; `null` for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub username: Option<Option<String>>,
}

/// `DELETE /api/auth/me/`. The caller authenticates again with the password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteMeRequest {
    /// The password, taken exactly as sent.
    pub password: String,
}

/// For `deserialize_with`, next to `default`: distinguishes a field that is `null` (`Some(None)`) from one that is absent (`None`).
pub fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Prints only the name of a type: these bodies contain passwords and tokens.
macro_rules! debug_prints_no_secret {
    ($($body:ident),+) => {$(
        impl fmt::Debug for $body {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($body)).finish_non_exhaustive()
            }
        }
    )+};
}
debug_prints_no_secret!(
    RegisterRequest,
    LoginRequest,
    RefreshRequest,
    VerifyRequest,
    PasswordChangeRequest,
    PasswordResetConfirmRequest,
    EmailVerifyRequest,
    EmailResendRequest,
    EmailChangeRequest,
    DeleteMeRequest
);

//! Limits that the server enforces and a form can check beforehand.

/// Shortest password, in Unicode code points, unless `PASSWORD_MIN_LENGTH` says otherwise.
pub const PASSWORD_MIN_LENGTH: usize = 8;
/// Longest password, in Unicode code points.
pub const PASSWORD_MAX_LENGTH: usize = 256;
/// Longest email address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX_LENGTH: usize = 254;
/// Shortest username, in code points.
pub const USERNAME_MIN_LENGTH: usize = 2;
/// Longest username, in code points; Django's own limit.
pub const USERNAME_MAX_LENGTH: usize = 150;
/// Longest display name, in code points.
pub const DISPLAY_NAME_MAX_LENGTH: usize = 100;
/// Longest token that is parsed, in bytes.
pub const TOKEN_MAX_BYTES: usize = 4096;
/// Largest JSON body, in bytes.
pub const BODY_MAX_BYTES: usize = 64 * 1024;
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;
/// Largest file of a picture, in bytes.
pub const AVATAR_MAX_BYTES: u32 = 2 * 1024 * 1024;
/// Most pixels of a picture that is sent.
pub const AVATAR_MAX_PIXELS: u64 = 16_000_000;
/// Length of the token in a mailed link: 256 random bits in base64url (RFC 4648, section 5), without padding.
pub const LINK_TOKEN_LENGTH: usize = 43;

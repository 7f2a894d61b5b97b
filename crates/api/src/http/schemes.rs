//! The security schemes of the OpenAPI document.

/// The name of the security scheme: an access token in `Authorization`.
pub(super) const BEARER: &str = "bearer";

/// The same for `METRICS_TOKEN`.
pub(super) const OPERATOR: &str = "operator";

/// The name of the security scheme: the refresh token in its cookie.
pub(super) const REFRESH_COOKIE: &str = "refresh_cookie";

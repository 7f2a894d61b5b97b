//! The table of Latchkey's own endpoints.

use super::bounds::{by_caller, by_client, by_token, uncounted};
use super::endpoint::Endpoint;
use super::{account, auth, avatar, docs, email, ops, password, sessions};
use auth_types::JsonWebKeySet;
use auth_types::events::EventsResponse;
use auth_types::export::ExportResponse;
use auth_types::paths;
use auth_types::requests::{
    DeleteMeRequest, EmailChangeRequest, EmailResendRequest, EmailVerifyRequest, LoginRequest, PasswordChangeRequest,
    PasswordResetConfirmRequest, PasswordResetRequest, RegisterRequest, UpdateMeRequest, VerifyRequest,
};
use auth_types::responses::{
    AvatarResponse, ConfigResponse, EmailVerifyResponse, EmptyResponse, HealthResponse, PendingRegistrationResponse,
    RevokedResponse, SessionResponse, TokenTransport, UserResponse,
};

/// Every route of Latchkey itself; `openapi` generates the OpenAPI document from the same list. The handlers' docs say who may call
/// them.
#[expect(clippy::too_many_lines, reason = "a table: all endpoints in one place")]
pub(super) fn endpoints(transport: TokenTransport) -> Vec<Endpoint> {
    use crate::gate::Resource::{Database, Hashing, Pictures};
    use crate::service::limits::Budget::{
        AvatarUser, ConfirmPassword, ExportUser, FailedSignInClient, FailedSignInKnownNetwork,
        FailedSignInKnownNetworkDay, FailedSignInUnknownNetwork, FailedSignInUnknownNetworkDay, MailClient,
        PasswordChangeClient, PasswordChangeUser, RefreshSession, SignUpClient, SuccessfulSignInClient,
        SuccessfulSignInUser,
    };
    vec![
        Endpoint::post(
            paths::REGISTER,
            by_caller(&[Database, Hashing]).with_budgets(&[SignUpClient, MailClient]),
            auth::register,
        )
        .about("register", "Create an account and sign in; where confirmation is mandatory, mail a link first")
        .takes::<RegisterRequest>()
        .idempotent()
        .gives_tokens(201, transport)
        .gives::<PendingRegistrationResponse>(202)
        .refuses(&[409]),
        Endpoint::post(
            paths::LOGIN,
            by_caller(&[Database, Hashing]).with_budgets(&[
                FailedSignInClient,
                SuccessfulSignInClient,
                SuccessfulSignInUser,
                FailedSignInUnknownNetwork,
                FailedSignInUnknownNetworkDay,
                FailedSignInKnownNetwork,
                FailedSignInKnownNetworkDay,
            ]),
            auth::login,
        )
        .about("login", "Sign in with an email address or username and a password")
        .takes::<LoginRequest>()
        .gives_tokens(200, transport)
        .refuses(&[401]),
        Endpoint::post(
            paths::REFRESH,
            by_token(&[Database]).with_budgets(&[RefreshSession, MailClient]),
            auth::refresh,
        )
        .about("refreshTokens", "Exchange a refresh token for its successor")
        .takes_refresh_token(transport)
        .idempotent()
        .gives_tokens(200, transport),
        Endpoint::post(paths::VERIFY, by_token(&[Database]), auth::verify)
            .about("verifyToken", "Check whether a token is valid")
            .takes::<VerifyRequest>()
            .gives::<EmptyResponse>(200)
            .refuses(&[401]),
        Endpoint::post(paths::LOGOUT, by_token(&[Database]), auth::logout)
            .about("logout", "Sign out: end the session of a refresh token")
            .takes_refresh_token(transport)
            .gives::<EmptyResponse>(200),
        Endpoint::post(paths::LOGOUT_ALL, by_caller(&[Database]), auth::logout_all)
            .about("logoutAll", "Sign out everywhere: end all of the caller's sessions")
            .protected()
            .gives::<RevokedResponse>(200),
        Endpoint::post(
            paths::PASSWORD_CHANGE,
            by_caller(&[Database, Hashing]).with_budgets(&[
                MailClient,
                PasswordChangeClient,
                PasswordChangeUser,
                ConfirmPassword,
            ]),
            password::change,
        )
        .about("changePassword", "Change the caller's password; all sessions end and a new one is returned")
        .protected()
        .takes::<PasswordChangeRequest>()
        .idempotent()
        .gives_tokens(200, transport),
        Endpoint::post(paths::PASSWORD_RESET, by_caller(&[Database]).with_budgets(&[MailClient]), password::reset)
            .about(
                "requestPasswordReset",
                "Mail a link to choose a new password; the response is the same for every address",
            )
            .takes::<PasswordResetRequest>()
            .gives::<EmptyResponse>(202),
        Endpoint::post(
            paths::PASSWORD_RESET_CONFIRM,
            by_caller(&[Database, Hashing]).with_budgets(&[MailClient]),
            password::confirm_reset,
        )
        .about("resetPassword", "Set a new password with a mailed link; all sessions end")
        .takes::<PasswordResetConfirmRequest>()
        .idempotent()
        .gives::<EmptyResponse>(200),
        Endpoint::post(paths::EMAIL_VERIFY, by_caller(&[Database]).with_budgets(&[MailClient]), email::verify)
            .about("verifyEmail", "Confirm an email address with a mailed link, or reject the registration or change")
            .takes::<EmailVerifyRequest>()
            .idempotent()
            .gives::<EmailVerifyResponse>(200)
            .gives_tokens(201, transport)
            .refuses(&[409]),
        Endpoint::post(paths::EMAIL_RESEND, by_caller(&[Database]).with_budgets(&[MailClient]), email::resend)
            .about("resendEmail", "Mail the confirmation link again; the response is the same for every address")
            .takes::<EmailResendRequest>()
            .gives::<EmptyResponse>(202),
        Endpoint::post(
            paths::EMAIL_CHANGE,
            by_caller(&[Database, Hashing]).with_budgets(&[MailClient, ConfirmPassword]),
            email::change,
        )
        .about("changeEmail", "Mail a confirmation link to the caller's new email address")
        .protected()
        .takes::<EmailChangeRequest>()
        .idempotent()
        .gives::<EmptyResponse>(202),
        Endpoint::get(paths::ME, by_caller(&[Database]), account::show)
            .about("getMe", "Get the caller's profile")
            .protected()
            .gives::<UserResponse>(200),
        Endpoint::patch(paths::ME, by_caller(&[Database]), account::update)
            .about("updateMe", "Update the caller's profile")
            .protected()
            .takes::<UpdateMeRequest>()
            .gives::<UserResponse>(200)
            .refuses(&[409]),
        Endpoint::delete(
            paths::ME,
            by_caller(&[Database, Hashing]).with_budgets(&[MailClient, ConfirmPassword]),
            account::delete,
        )
        .about("deleteMe", "Delete the caller's account: all sessions end and all personal data is erased")
        .protected()
        .takes::<DeleteMeRequest>()
        .idempotent()
        .gives_nothing(),
        Endpoint::get(paths::ME_EXPORT, by_caller(&[Database]).with_budgets(&[ExportUser]), account::export)
            .about("exportMe", "Get everything that is stored about the caller, as a file")
            .protected()
            .gives::<ExportResponse>(200),
        Endpoint::get(paths::EVENTS, by_caller(&[Database]), account::events)
            .about("listEvents", "List the security events of the caller's account, newest first")
            .protected()
            .paged()
            .gives::<EventsResponse>(200),
        Endpoint::put(paths::ME_AVATAR, by_caller(&[Pictures, Database]).with_budgets(&[AvatarUser]), avatar::save)
            .about("setAvatar", "Set the caller's picture, cropped to a square of at most 512 pixels a side")
            .protected()
            .takes_picture()
            .gives::<AvatarResponse>(200),
        Endpoint::delete(paths::ME_AVATAR, by_caller(&[Database]), avatar::remove)
            .about("removeAvatar", "Remove the caller's picture")
            .protected()
            .gives::<AvatarResponse>(200),
        Endpoint::get(paths::AVATAR, by_client(), avatar::show)
            .about("getAvatar", "Get a picture by its key")
            .gives_picture()
            .refuses(&[404, 503]),
        Endpoint::get(paths::SESSIONS, by_caller(&[Database]), sessions::list)
            .about("listSessions", "List the caller's live sessions")
            .protected()
            .gives::<Vec<SessionResponse>>(200),
        Endpoint::delete(paths::SESSION, by_caller(&[Database]), sessions::revoke)
            .about("revokeSession", "End one of the caller's sessions")
            .protected()
            .gives_nothing()
            .refuses(&[404]),
        Endpoint::get(paths::CONFIG, uncounted(), ops::config)
            .about("getConfig", "Get the settings that a client needs before sign-in")
            .gives::<ConfigResponse>(200),
        Endpoint::get(paths::KEY_SET, uncounted(), ops::key_set)
            .about("getKeySet", "Get the public keys that verify tokens; empty with a symmetric key")
            .gives::<JsonWebKeySet>(200),
        Endpoint::get(paths::HEALTH, uncounted(), ops::healthz)
            .about("getHealth", "Liveness: the process is running")
            .gives::<HealthResponse>(200),
        Endpoint::get(paths::READINESS, uncounted(), ops::readyz)
            .about("getReadiness", "Readiness: database, migrations, clock, revocation feed")
            .gives::<HealthResponse>(200)
            .gives::<HealthResponse>(503),
        Endpoint::get(paths::METRICS, uncounted(), ops::metrics)
            .about("getMetrics", "Metrics for Prometheus")
            .gives_metrics(),
        Endpoint::get(paths::OPENAPI, uncounted(), docs::openapi)
            .about("getOpenapi", "This document")
            .gives::<serde_json::Value>(200),
        Endpoint::get(paths::DOCS, uncounted(), docs::page)
            .about("getDocs", "A page to try the API")
            .gives_file("text/html"),
    ]
}

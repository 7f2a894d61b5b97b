//! The table of endpoints.

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

/// Every route of the API; `openapi` makes the OpenAPI document of the same list. The handlers' docs say who may call them.
#[expect(clippy::too_many_lines, reason = "a table: the whole surface in one place")]
pub(super) fn endpoints(transport: TokenTransport) -> Vec<Endpoint> {
    use crate::gate::Resource::{Database, Hashing, Pictures};
    use crate::service::limits::Budget::{
        AvatarUser, ConfirmPassword, ExportUser, MailClient, PasswordChangeClient, PasswordChangeUser, RefreshSession,
        SignInClient, SignInKnown, SignInKnownDay, SignInStranger, SignInStrangerDay, SignUpClient, SignedInClient,
        SignedInUser,
    };
    vec![
        Endpoint::post(paths::REGISTER, by_caller(&[SignUpClient, MailClient], &[Database, Hashing]), auth::register)
            .about("register", "Create an account and sign in, or confirm the address first where that is mandatory")
            .takes::<RegisterRequest>()
            .idempotent()
            .gives_tokens(201, transport)
            .gives::<PendingRegistrationResponse>(202)
            .refuses(&[409]),
        Endpoint::post(
            paths::LOGIN,
            by_caller(
                &[
                    SignInClient,
                    SignedInClient,
                    SignedInUser,
                    SignInStranger,
                    SignInStrangerDay,
                    SignInKnown,
                    SignInKnownDay,
                ],
                &[Database, Hashing],
            ),
            auth::login,
        )
        .about("login", "Sign in with email or username and password")
        .takes::<LoginRequest>()
        .gives_tokens(200, transport)
        .refuses(&[401]),
        Endpoint::post(paths::REFRESH, by_token(&[RefreshSession, MailClient], &[Database]), auth::refresh)
            .about("refreshTokens", "Trade a refresh token for its successor")
            .takes_refresh_token(transport)
            .idempotent()
            .gives_tokens(200, transport),
        Endpoint::post(paths::VERIFY, by_token(&[], &[Database]), auth::verify)
            .about("verifyToken", "Tell whether a token is valid")
            .takes::<VerifyRequest>()
            .gives::<EmptyResponse>(200)
            .refuses(&[401]),
        Endpoint::post(paths::LOGOUT, by_token(&[], &[Database]), auth::logout)
            .about("logout", "Sign out: end the session of a refresh token")
            .takes_refresh_token(transport)
            .gives::<EmptyResponse>(200),
        Endpoint::post(paths::LOGOUT_ALL, by_caller(&[], &[Database]), auth::logout_all)
            .about("logoutAll", "Sign out everywhere: end all of the caller's sessions")
            .protected()
            .gives::<RevokedResponse>(200),
        Endpoint::post(
            paths::PASSWORD_CHANGE,
            by_caller(&[MailClient, PasswordChangeClient, PasswordChangeUser, ConfirmPassword], &[Database, Hashing]),
            password::change,
        )
        .about("changePassword", "Change the caller's password; every other session ends and a new one is answered")
        .protected()
        .takes::<PasswordChangeRequest>()
        .idempotent()
        .gives_tokens(200, transport),
        Endpoint::post(paths::PASSWORD_RESET, by_caller(&[MailClient], &[Database]), password::reset)
            .about("requestPasswordReset", "Mail a link to choose a new password; the same answer for every address")
            .takes::<PasswordResetRequest>()
            .gives::<EmptyResponse>(202),
        Endpoint::post(
            paths::PASSWORD_RESET_CONFIRM,
            by_caller(&[MailClient], &[Database, Hashing]),
            password::confirm_reset,
        )
        .about("resetPassword", "Set a new password by a mailed link; every session ends")
        .takes::<PasswordResetConfirmRequest>()
        .idempotent()
        .gives::<EmptyResponse>(200),
        Endpoint::post(paths::EMAIL_VERIFY, by_caller(&[MailClient], &[Database]), email::verify)
            .about("verifyEmail", "Confirm an address by a mailed link, or reject what was done with it")
            .takes::<EmailVerifyRequest>()
            .idempotent()
            .gives::<EmailVerifyResponse>(200)
            .gives_tokens(201, transport)
            .refuses(&[409]),
        Endpoint::post(paths::EMAIL_RESEND, by_caller(&[MailClient], &[Database]), email::resend)
            .about("resendEmail", "Mail the link that confirms an address again; the same answer for every address")
            .takes::<EmailResendRequest>()
            .gives::<EmptyResponse>(202),
        Endpoint::post(
            paths::EMAIL_CHANGE,
            by_caller(&[MailClient, ConfirmPassword], &[Database, Hashing]),
            email::change,
        )
        .about("changeEmail", "Mail a link to the address that the caller wants")
        .protected()
        .takes::<EmailChangeRequest>()
        .idempotent()
        .gives::<EmptyResponse>(202),
        Endpoint::get(paths::ME, by_caller(&[], &[Database]), account::show)
            .about("getMe", "The caller")
            .protected()
            .gives::<UserResponse>(200),
        Endpoint::patch(paths::ME, by_caller(&[], &[Database]), account::update)
            .about("updateMe", "Change what the caller may change about themselves")
            .protected()
            .takes::<UpdateMeRequest>()
            .gives::<UserResponse>(200)
            .refuses(&[409]),
        Endpoint::delete(paths::ME, by_caller(&[MailClient, ConfirmPassword], &[Database, Hashing]), account::delete)
            .about("deleteMe", "Delete the caller's account: every session ends and nothing about the person stays")
            .protected()
            .takes::<DeleteMeRequest>()
            .idempotent()
            .gives_nothing(),
        Endpoint::get(paths::ME_EXPORT, by_caller(&[ExportUser], &[Database]), account::export)
            .about("exportMe", "Everything that is stored about the caller, as a file")
            .protected()
            .gives::<ExportResponse>(200),
        Endpoint::get(paths::EVENTS, by_caller(&[], &[Database]), account::events)
            .about("listEvents", "What happened to the caller's account, newest first")
            .protected()
            .paged()
            .gives::<EventsResponse>(200),
        Endpoint::put(paths::ME_AVATAR, by_caller(&[AvatarUser], &[Pictures, Database]), avatar::save)
            .about("setAvatar", "Give the caller a picture: its middle, as a square of at most 512 pixels a side")
            .protected()
            .takes_picture()
            .gives::<AvatarResponse>(200),
        Endpoint::delete(paths::ME_AVATAR, by_caller(&[], &[Database]), avatar::remove)
            .about("removeAvatar", "Take the caller's picture away")
            .protected()
            .gives::<AvatarResponse>(200),
        Endpoint::get(paths::AVATAR, by_client(), avatar::show)
            .about("getAvatar", "A picture, to whoever knows its key")
            .gives_picture()
            .refuses(&[404, 503]),
        Endpoint::get(paths::SESSIONS, by_caller(&[], &[Database]), sessions::list)
            .about("listSessions", "The caller's live sessions")
            .protected()
            .gives::<Vec<SessionResponse>>(200),
        Endpoint::delete(paths::SESSION, by_caller(&[], &[Database]), sessions::revoke)
            .about("revokeSession", "End one of the caller's sessions")
            .protected()
            .gives_nothing()
            .refuses(&[404]),
        Endpoint::get(paths::CONFIG, uncounted(), ops::config)
            .about("getConfig", "What a client needs to know before anyone signs in")
            .gives::<ConfigResponse>(200),
        Endpoint::get(paths::KEY_SET, uncounted(), ops::key_set)
            .about("getKeySet", "The public keys that verify tokens; none where a secret does")
            .gives::<JsonWebKeySet>(200),
        Endpoint::get(paths::HEALTH, uncounted(), ops::healthz)
            .about("getHealth", "Liveness: the process answers")
            .gives::<HealthResponse>(200),
        Endpoint::get(paths::READINESS, uncounted(), ops::readyz)
            .about("getReadiness", "Readiness: database, migrations, clock, revocation feed")
            .gives::<HealthResponse>(200)
            .gives::<HealthResponse>(503),
        Endpoint::get(paths::METRICS, uncounted(), ops::metrics)
            .about("getMetrics", "What Prometheus collects")
            .gives_metrics(),
        Endpoint::get(paths::OPENAPI, uncounted(), docs::openapi)
            .about("getOpenapi", "This document")
            .gives::<serde_json::Value>(200),
        Endpoint::get(paths::DOCS, uncounted(), docs::page).about("getDocs", "A page to try the API").gives_page(),
    ]
}

//! All checks, in the order of a run. `docs/operations/smoke.md` has a row for each, and a test compares the two.

use super::context::Smoke;
use super::response::CheckResult;
use super::{access, account, clear, cookies, cors, files, headers, page, policy, service, sign_in, tokens};
use futures_util::future::LocalBoxFuture;
use std::fmt;
use std::future::ready;

/// A check. Its id is stable, because scripts search for it.
pub struct SmokeCheck {
    pub id: &'static str,
    /// The checks that must have passed before; otherwise this one is skipped.
    pub needs: &'static [&'static str],
    /// What to do if it failed.
    pub fix: &'static str,
    pub(super) look: for<'a> fn(&'a Smoke) -> LocalBoxFuture<'a, CheckResult>,
}

impl fmt::Debug for SmokeCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// A check that `asks` the sites, or one that `judges` what earlier checks have received.
macro_rules! check {
    (asks $look:expr, $id:literal $needs:expr, $fix:literal) => {
        SmokeCheck { id: $id, needs: $needs, fix: $fix, look: |smoke| Box::pin($look(smoke)) }
    };
    (judges $look:expr, $id:literal $needs:expr, $fix:literal) => {
        SmokeCheck { id: $id, needs: $needs, fix: $fix, look: |smoke| Box::pin(ready($look(smoke))) }
    };
}

macro_rules! checks {
    ($($id:literal [$($need:literal)*] $how:ident $look:expr, $fix:literal;)+) => {
        pub(super) static ALL: &[SmokeCheck] = &[$(check!($how $look, $id &[$($need),*], $fix)),+];
    };
}

checks! {
    "api.reached" [] asks service::reached,
        "Check the address, that the service runs, and its certificate; put a private certificate authority into SSL_CERT_FILE.";
    "api.alive" ["api.reached"] asks service::alive,
        "See that --api is the API's address and not another service's; read the service's log.";
    "api.ready" ["api.reached"] asks service::ready,
        "Fix what the API names: DATABASE_URL or the database itself, `api migrate`, the machine's clock.";
    "api.config" ["api.reached"] asks service::config,
        "See that --api is the API's address, without a path that its proxy does not strip.";
    "api.redirect" ["api.reached"] asks clear::api_redirects,
        "Set APP_ENV=production, and let the proxy set X-Forwarded-Proto.";
    "api.clear" ["api.reached"] asks clear::api_refuses,
        "Set APP_ENV=production, and let the proxy set X-Forwarded-Proto: a client that sends tokens in plaintext must notice.";
    "api.headers" ["api.reached"] asks headers::of_api,
        "Set APP_ENV=production, and see that no proxy removes headers.";
    "api.docs" ["api.reached"] asks service::docs,
        "Set APP_ENV=production and remove API_DOCS.";
    "api.metrics" ["api.reached"] asks service::metrics,
        "See that the proxy passes /metrics on to the API, which asks for METRICS_TOKEN.";

    "cors.preflight" ["api.config"] asks cors::preflight,
        "Set CORS_ALLOWED_ORIGINS to exactly the origin of --web, and see that no proxy responds to OPTIONS itself.";
    "cors.answers" ["api.config"] asks cors::responses,
        "Set CORS_ALLOWED_ORIGINS to exactly the origin of --web, and see that no proxy adds CORS headers of its own.";
    "cors.strangers" ["api.reached"] asks cors::other_origins,
        "Remove every origin but the front end's from CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS.";

    "web.reached" [] asks page::reached,
        "Check the address, that the site is deployed, and its certificate; put a private certificate authority into SSL_CERT_FILE.";
    "web.redirect" ["web.reached"] asks clear::web_redirects,
        "Let the static host redirect plain HTTP to HTTPS, permanently.";
    "web.page" ["web.reached"] judges page::page,
        "Publish the folder that `trunk build --release` fills, dist/.";
    "web.deep_links" ["web.page"] asks page::deep_links,
        "Let the static host rewrite every path that is not a file to /index.html, with status 200.";
    "web.headers" ["web.reached"] judges headers::of_web,
        "Let the static host send the headers of crates/client/headers.json.";
    "web.files" ["web.page"] asks files::files,
        "Publish all files of one build together, with their types, and see that no proxy changes them.";
    "web.caching" ["web.files"] asks files::caching,
        "Let the static host send the Cache-Control headers of crates/client/headers.json.";
    "web.api" ["web.files"] judges files::built_for,
        "Rebuild the client with API_BASE_URL set to --api.";
    "web.policy" ["web.page"] judges policy::policy,
        "Send the policy of crates/client/headers.json, and build the client with API_BASE_URL set to --api.";

    "auth.account" ["api.config" "api.ready"] asks account::account,
        "Open the registration, wait, or name an account: --email ADDRESS --password-stdin.";
    "auth.sign_in" ["auth.account"] asks sign_in::sign_in,
        "Check the address and the password that were given; otherwise read the API's log.";
    "auth.clock" ["auth.sign_in"] judges sign_in::clock,
        "Set the API's clock by NTP, or this machine's.";
    "auth.wrong_password" ["auth.account"] asks sign_in::wrong_password,
        "See that no proxy changes the API's responses.";
    "auth.address" ["auth.sign_in"] asks access::client_address,
        "Set TRUSTED_PROXIES to the networks of all proxies in front of the API; on Render remove it, and TRUSTED_PROXY_HOPS.";
    "auth.cookies" ["auth.sign_in"] asks cookies::cookies,
        "Put front end and API under one domain of your own, set APP_ENV=production, and see `api check --deploy`.";
    "auth.protected" ["auth.sign_in"] asks access::protected,
        "Give all processes of the API one SECRET_KEY and one database, and see that the proxy passes Authorization on.";
    "auth.unauthorized" ["api.reached"] asks access::unauthorized,
        "See that the proxy passes the API's refusals on unchanged.";
    "auth.refresh" ["auth.sign_in"] asks tokens::refresh,
        "Give all processes of the API one SECRET_KEY and one database.";
    "auth.repeat" ["auth.refresh"] asks tokens::repeat,
        "See that the proxy passes Idempotency-Key on.";
    "auth.reuse" ["auth.refresh"] asks tokens::reuse,
        "See that every process of the API runs this release on one database.";
    "auth.revocation" ["auth.reuse"] asks tokens::revocation,
        "Check the age of the revocation feed at /metrics: a process that cannot reach its database is not ready.";
    "auth.logout" ["auth.refresh"] asks tokens::logout,
        "See that every process of the API runs this release on one database.";
    "auth.expiry" ["auth.refresh"] asks tokens::expiry,
        "Set ACCESS_TOKEN_LIFETIME to an hour or less, and the clocks of all processes by NTP.";
}

/// The clean-up, which runs last whatever happened before.
pub(super) static TIDIED: SmokeCheck =
    check!(asks Smoke::tidy, "auth.tidied" &[], "Delete the account, or sign it out, by hand.");

/// All checks and the clean-up.
pub fn all() -> impl Iterator<Item = &'static SmokeCheck> {
    ALL.iter().chain([&TIDIED])
}

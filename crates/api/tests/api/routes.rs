//! Every route with every kind of credentials: driven by the OpenAPI document, so that no route can be forgotten.

use crate::support::surface::{fill_path, is_own, required_query};
use crate::support::{Database, ONE_SECOND, TestApp, TestResponse, forge, on_both_databases, send};
use auth_types::Reason;
use auth_types::responses::{AvatarResponse, TokenResponse, UserResponse};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

on_both_databases![
    a_protected_route_requires_an_access_token,
    a_token_opens_only_its_own_users_data,
    a_revoked_session_opens_nothing_and_changes_nothing,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// Routes that anyone may call. A new one is put here on purpose, or it must be protected.
const PUBLIC: [&str; 16] = [
    "GET /.well-known/jwks.json",
    "GET /api/auth/config/",
    "GET /api/avatars/{key}",
    "GET /api/docs/",
    "GET /api/openapi.json",
    "GET /healthz",
    "GET /readyz",
    "POST /api/auth/email/resend/",
    "POST /api/auth/email/verify/",
    "POST /api/auth/login/",
    "POST /api/auth/logout/",
    "POST /api/auth/password/reset/",
    "POST /api/auth/password/reset/confirm/",
    "POST /api/auth/refresh/",
    "POST /api/auth/register/",
    "POST /api/auth/verify/",
];

/// Routes that `METRICS_TOKEN` opens, and no token of a user.
const OPERATORS: [&str; 1] = ["GET /metrics"];

struct Route {
    method: Method,
    path: String,
    query: String,
    protected: bool,
    takes_json: bool,
    /// Whether its path has a parameter, so that it returns 404 unless the parameter names something.
    names_something: bool,
}

impl Route {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with its parameters filled in.
    fn with_id(&self, id: &str) -> String {
        fill_path(&self.path, id)
    }
}

async fn routes(app: &TestApp) -> Vec<Route> {
    let document: Value = app.get("/api/openapi.json").await.json();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let security = &operation["security"][0];
            let route = Route {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                query: required_query(&document, operation),
                protected: security["bearer"].is_array(),
                takes_json: operation["requestBody"].is_object(),
                names_something: path.contains('{'),
            };
            assert_eq!(OPERATORS.contains(&route.name().as_str()), security["operator"].is_array(), "{}", route.name());
            if !security["operator"].is_array() {
                routes.push(route);
            }
        }
    }
    assert!(routes.len() >= 14, "the document lost its routes");
    routes
}

/// The id of a session that does not exist.
const UNKNOWN_SESSION: &str = "0198a2b4-7c1e-7000-8000-000000000001";

async fn call(app: &TestApp, route: &Route, path: &str, access: Option<&str>) -> TestResponse {
    let mut request = app.request(route.method.clone(), &format!("{path}{}", route.query));
    if let Some(access) = access {
        request = request.bearer_auth(access);
    }
    if route.takes_json {
        request = request.json(&json!({}));
    }
    send(request).await
}

async fn two_users(database: Database) -> (TestApp, TokenResponse, TokenResponse) {
    let app = TestApp::builder(database).with_features().user(ADA).user(EVE).start().await;
    let (ada, eve) = (app.login(ADA).await, app.login(EVE).await);
    (app, ada, eve)
}

fn session_of(tokens: &TokenResponse) -> String {
    forge::claims(&tokens.access)["sid"].as_str().unwrap().to_owned()
}

async fn a_protected_route_requires_an_access_token(database: Database) {
    let (app, ada, _) = two_users(database).await;
    let mut expired = forge::claims_with(&ada.access, "exp", json!(ada.server_time));
    expired["iat"] = json!(ada.server_time - 3600);
    let expired = forge::sign_claims(&expired);
    let bad = ada.access.replace('.', "x.");
    let before = app.db().content();
    for route in routes(&app).await.iter().filter(|route| route.protected) {
        let path = route.with_id(&session_of(&ada));
        let refusals = [
            (None, Reason::CredentialsMissing),
            (Some(bad.as_str()), Reason::TokenMalformed),
            (Some(ada.refresh.as_str()), Reason::TokenMalformed),
            (Some(expired.as_str()), Reason::TokenExpired),
        ];
        for (token, reason) in refusals {
            for path in [path.trim_end_matches('/'), &path] {
                call(&app, route, path, token).await.unauthorized(reason);
            }
        }
    }
    assert_eq!(app.db().content(), before);
}

async fn a_revoked_session_opens_nothing_and_changes_nothing(database: Database) {
    let (app, ada, _) = two_users(database).await;
    app.logout(&ada).await.done();
    let before = app.db().content();
    for route in routes(&app).await.iter().filter(|route| route.protected) {
        let path = route.with_id(&session_of(&ada));
        call(&app, route, &path, Some(&ada.access)).await.unauthorized(Reason::SessionRevoked);
    }
    assert_eq!(app.db().content(), before);
}

/// Eve's token, where the path or the response could be Ada's.
async fn a_token_opens_only_its_own_users_data(database: Database) {
    let (app, ada, _) = two_users(database).await;
    let id = session_of(&ada);
    for route in routes(&app).await.iter().filter(|route| route.protected) {
        let eve = app.login(EVE).await; // again, because `logout/all` ends the session
        let response = call(&app, route, &route.with_id(&id), Some(&eve.access)).await;
        let text = response.text();
        match route.name().as_str() {
            "GET /api/auth/me/" | "PATCH /api/auth/me/" => assert_eq!(response.json::<UserResponse>().email, EVE),
            "GET /api/auth/sessions/" => assert!(text.contains(&session_of(&eve)), "{text}"),
            "GET /api/auth/me/export/" => {
                assert_eq!(response.json::<Value>()["user"]["email"], EVE);
            }
            "GET /api/auth/events/" => assert!(text.contains("logged_in"), "{text}"),
            "DELETE /api/auth/sessions/{id}/" => {
                response.problem_of(404, Reason::NotFound);
            }
            "PUT /api/auth/me/avatar/" => {
                response.problem_of(415, Reason::ContentTypeUnsupported);
            }
            "DELETE /api/auth/me/avatar/" => assert_eq!(response.json::<AvatarResponse>().avatar_url, None),
            // All of them ask for Eve's own password first.
            "POST /api/auth/password/change/" | "POST /api/auth/email/change/" | "DELETE /api/auth/me/" => {
                response.has_status(400);
            }
            "POST /api/auth/logout/all/" => {
                response.done();
                app.me(&eve).await.unauthorized(Reason::SessionRevoked);
            }
            other => assert!(!other.contains("/api/auth/"), "what may another user's token do at {other}?"),
        }
        assert!(!text.contains(&id) && !text.contains(ADA), "{} shows Ada's data to Eve: {text}", route.name());
        app.me(&ada).await.done();
    }
    app.refresh(&ada).await.tokens();
}

#[actix_web::test]
async fn only_the_listed_routes_are_public() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let mut public: Vec<_> = routes(&app).await.iter().filter(|route| !route.protected).map(Route::name).collect();
    public.sort();
    assert_eq!(public, PUBLIC);
}

#[actix_web::test]
async fn a_public_route_needs_no_token_and_ignores_one() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    for route in routes(&app).await.iter().filter(|route| !route.protected && route.path != "/readyz") {
        let (without, with) =
            (call(&app, route, &route.path, None).await, call(&app, route, &route.path, Some("rubbish")).await);
        let expected = match route {
            Route { takes_json: true, .. } => 400,
            Route { names_something: true, .. } => 404,
            _ => 200,
        };
        without.has_status(expected);
        with.has_status(expected);
    }
}

#[actix_web::test]
async fn each_route_responds_with_its_trailing_slash_and_without() {
    let (app, _, _) = two_users(Database::Sqlite).await;
    for route in routes(&app).await {
        let path = route.with_id(UNKNOWN_SESSION);
        let bare = path.trim_end_matches('/').to_owned();
        for access in [None, Some(app.login(ADA).await.access)] {
            let with_slash = call(&app, &route, &format!("{bare}/"), access.as_deref()).await;
            // `logout/all` ends the session that the second spelling needs.
            let access = if access.is_some() { Some(app.login(ADA).await.access) } else { None };
            let without = call(&app, &route, &bare, access.as_deref()).await;
            assert_eq!(with_slash.status, without.status, "{}", route.name());
            assert_ne!(with_slash.status, 307, "{} redirects", route.name());
        }
    }
}

#[actix_web::test]
async fn a_wrong_method_gets_the_allowed_ones() {
    let app = TestApp::builder(Database::Sqlite).start().await;
    let mut by_path = BTreeMap::<String, Vec<Method>>::new();
    for route in routes(&app).await {
        by_path.entry(route.with_id(UNKNOWN_SESSION)).or_default().push(route.method);
    }
    for (path, mut right) in by_path {
        if right.contains(&Method::GET) {
            right.push(Method::HEAD);
        }
        right.sort_by_key(ToString::to_string);
        let all = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE];
        for wrong in all.iter().filter(|method| !right.contains(method)) {
            let response = send(app.request(wrong.clone(), &path)).await;
            let mut allowed: Vec<_> = response.header("allow").split(", ").map(str::to_owned).collect();
            allowed.sort();
            assert_eq!(allowed, right.iter().map(ToString::to_string).collect::<Vec<_>>(), "{wrong} {path}");
            if *wrong == Method::HEAD {
                response.has_status(405);
            } else {
                response.problem_of(405, Reason::MethodNotAllowed);
            }
        }
    }
}

#[actix_web::test]
async fn a_head_request_gets_the_headers_of_the_get_and_no_body() {
    let app = TestApp::builder(Database::Sqlite).with_features().administrator(ADA).start().await;
    let ada = app.login(ADA).await;
    let succeeds = |route: &&Route| route.method == Method::GET && route.path != "/readyz" && !route.names_something;
    for route in routes(&app).await.iter().filter(succeeds) {
        let address = format!("{}{}", route.path, route.query);
        let get = send(app.request_as(&ada, Method::GET, &address)).await;
        let head = send(app.request_as(&ada, Method::HEAD, &address)).await;
        // A feature's row may have to be created first.
        let is_empty_feature = !is_own(&route.name()) && get.status == 404;
        assert!(get.status == 200 || is_empty_feature, "{}: {}", route.name(), get.text());
        assert_eq!(head.status, get.status, "{}", route.name());
        assert!(head.body.is_empty());
        // The export contains the event of the request before it.
        let grows = route.path == "/api/auth/me/export/";
        let names = ["content-type", "cache-control"].into_iter().chain((!grows).then_some("content-length"));
        for name in names {
            assert_eq!(head.header(name), get.header(name), "{name} of {}", route.name());
        }
    }
}

#[actix_web::test]
async fn an_unknown_path_is_a_404() {
    let (app, ada, _) = two_users(Database::Sqlite).await;
    let paths = [
        "/",
        "/api",
        "/api/",
        "/api/auth",
        "/api/auth/",
        "/api/auth/login/x",
        "/api/auth/login//",
        "//api/auth/me/",
        "/API/AUTH/ME/",
        "/api/auth/sessions/a/b/",
        "/.git/HEAD",
        "/target/",
        "/admin/",
        "/api/auth/me%2F",
        "/api/auth/%6de%00/",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let response = send(app.request_as(&ada, method.clone(), path)).await;
            assert_eq!(response.status, 404, "{method} {path}");
            response.problem_of(404, Reason::NotFound);
        }
    }
    for id in ["not-an-id", "1", "%00", "' OR 1=1--", "..", "{id}"] {
        let response = send(app.request_as(&ada, Method::DELETE, &format!("/api/auth/sessions/{id}/"))).await;
        assert!(matches!(response.status.as_u16(), 404 | 405), "{id} {}", response.status); // `..` is the list
    }
    app.me(&ada).await.done();
}

#[actix_web::test]
async fn credentials_come_before_content_type_and_content_type_before_the_body() {
    let (app, ada, _) = two_users(Database::Sqlite).await;
    let patch = || app.request(Method::PATCH, "/api/auth/me/").header("Content-Type", "text/plain").body("{");
    send(patch()).await.unauthorized(Reason::CredentialsMissing);
    send(patch().bearer_auth("rubbish")).await.unauthorized(Reason::TokenMalformed);
    send(patch().bearer_auth(&ada.access)).await.problem_of(415, Reason::ContentTypeUnsupported);
    let json = app.request_as(&ada, Method::PATCH, "/api/auth/me/").header("Content-Type", "application/json");
    send(json.body("{")).await.problem_of(400, Reason::BodyMalformed);
}

#[actix_web::test]
async fn an_access_token_expires_to_the_second() {
    let (app, ada, _) = two_users(Database::Sqlite).await;
    app.clock().advance(app.settings().lifetimes.access - ONE_SECOND);
    app.me(&ada).await.done();
    app.clock().advance(ONE_SECOND);
    app.me(&ada).await.unauthorized(Reason::TokenExpired);
}

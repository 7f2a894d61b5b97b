//! A caller without authority is refused everywhere: every protected route of the OpenAPI document is called with each kind
//! of token that must be refused. A new route is covered without being listed.

use crate::support::surface::{HINT, SampleRequest, fill_path, is_own, json_body, required_query, sample};
use crate::support::{Database, PASSWORD, TestApp, TestDb, TestResponse, forge, on_both_databases, pictures, send};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use std::sync::Arc;

on_both_databases![
    every_protected_route_admits_an_authorized_caller,
    routes_for_administrators_refuse_other_users,
    a_deleted_user_may_do_nothing_at_another_process,
    a_deactivated_user_may_do_nothing,
    a_session_revoked_elsewhere_may_do_nothing,
    an_expired_session_may_do_nothing,
    an_access_token_with_another_users_session_may_do_nothing,
    a_refresh_token_with_another_users_session_is_refused,
];

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// A protected operation of the document.
#[derive(Debug, Clone)]
struct Route {
    name: String,
    method: Method,
    path: String,
    query: String,
    body: Body,
    is_own: bool,
    is_for_administrators: bool,
}

#[derive(Debug, Clone)]
enum Body {
    Nothing,
    Json(Value),
    Picture,
}

/// A valid value for a field of one of Latchkey's own bodies, so that the request has an effect.
fn value_of(field: &str) -> Value {
    match field {
        "password" | "current_password" => json!(PASSWORD),
        "new_password" => json!("amber lighthouse window 17"),
        "new_email" => json!("countess@example.org"),
        "display_name" => json!("Countess"),
        "username" => json!("lovelace"),
        _ => panic!("{field}: no value is defined for it"),
    }
}

impl Route {
    /// All operations that the document marks as protected.
    async fn all(app: &TestApp) -> Vec<Self> {
        let document: Value = app.get("/api/openapi.json").await.json();
        let mut routes = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                if operation["security"][0]["bearer"].is_array() {
                    routes.push(Self::of(&document, path, method, operation));
                }
            }
        }
        assert!(routes.len() >= 12, "{routes:?}");
        routes
    }

    fn of(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let content = &operation["requestBody"]["content"];
        let is_own = is_own(&format!("{} {path}", method.to_uppercase()));
        let body = match json_body(document, operation) {
            Some(schema) if is_own => {
                let fields = schema["properties"].as_object().unwrap();
                Body::Json(fields.keys().map(|field| (field.clone(), value_of(field))).collect::<Map<_, _>>().into())
            }
            Some(schema) => Body::Json(sample(document, schema)),
            None if content["image/png"].is_object() => Body::Picture,
            None => {
                assert!(content.is_null(), "{method} {path}: no body is defined for {content}");
                Body::Nothing
            }
        };
        let query = required_query(document, operation);
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let is_for_administrators = operation["security"][0]["bearer"] == json!(["admin"]);
        Self {
            name: format!("{method} {path}"),
            method,
            path: path.to_owned(),
            query,
            body,
            is_own,
            is_for_administrators,
        }
    }

    /// The request with this access token; an id in a path of Latchkey's own is a session's.
    fn request(&self, app: &TestApp, access: &str, session: &str) -> RequestBuilder {
        let path = fill_path(&self.path, if self.is_own { session } else { "1" }) + &self.query;
        let request = app.request(self.method.clone(), &path).bearer_auth(access);
        match &self.body {
            Body::Nothing => request,
            Body::Json(body) => request.json(body),
            Body::Picture => request.header("Content-Type", "image/png").body(pictures::png(&pictures::photo(8, 8))),
        }
    }

    async fn send(&self, app: &TestApp, access: &str, session: &str) -> TestResponse {
        send(self.request(app, access, session)).await
    }
}

fn session_of(tokens: &TokenResponse) -> String {
    forge::claims(&tokens.access)["sid"].as_str().unwrap().to_owned()
}

/// Two processes on one database; Ada is signed in twice, Eve once.
struct Scene {
    app: TestApp,
    /// Its feed has not polled the revocations that happen at `app`.
    other: TestApp,
    ada: TokenResponse,
    laptop: TokenResponse,
    eve: TokenResponse,
}

impl Scene {
    async fn new(database: Database) -> Self {
        let db = Arc::new(TestDb::migrated(database));
        let app = TestApp::builder_on(Arc::clone(&db)).with_features().user(ADA).user(EVE).start().await;
        let other = TestApp::builder_on(db).with_features().clock(app.clock()).start().await;
        let (ada, laptop, eve) = (app.login(ADA).await, app.login(ADA).await, app.login(EVE).await);
        Self { app, other, ada, laptop, eve }
    }

    /// Calls every route at the other process; each refuses, and nothing is changed.
    async fn refuses(&self, access: &str, reason: Reason) {
        let before = self.app.db().content();
        for route in Route::all(&self.other).await {
            let named =
                if route.path.contains('{') { vec![&self.ada, &self.laptop, &self.eve] } else { vec![&self.ada] };
            for session in named.into_iter().map(session_of) {
                let response = route.send(&self.other, access, &session).await;
                assert_eq!(response.status.as_u16(), 401, "{}: {}", route.name, response.text());
                response.unauthorized(reason);
            }
        }
        assert_eq!(self.app.db().content(), before, "a route has changed something");
    }
}

/// Without this, a refusal would prove nothing.
async fn every_protected_route_admits_an_authorized_caller(database: Database) {
    let app = TestApp::builder(database).with_features().start().await;
    let document: Value = app.get("/api/openapi.json").await.json();
    for route in Route::all(&app).await {
        let app = TestApp::builder(database).with_features().administrator(ADA).start().await;
        let (tokens, laptop) = (app.login(ADA).await, app.login(ADA).await);
        let response = if route.is_own {
            route.send(&app, &tokens.access, &session_of(&laptop)).await
        } else {
            let ask = |method, path: &str| app.request_as(&tokens, method, path);
            let method = route.method.as_str().to_lowercase();
            send(SampleRequest::new(&document, &route.path, &method, &ask).await.request(ask)).await
        };
        // What a feature's path names may not exist, and nothing creates it.
        let is_missing = !route.is_own && response.status == 404;
        assert!(response.status.is_success() || is_missing, "{}: {}; {HINT}", route.name, response.text());
    }
}

async fn routes_for_administrators_refuse_other_users(database: Database) {
    let app = TestApp::builder(database).with_features().user(ADA).start().await;
    let tokens = app.login(ADA).await;
    let before = app.db().content();
    let routes: Vec<_> = Route::all(&app).await.into_iter().filter(|route| route.is_for_administrators).collect();
    assert!(routes.len() >= 2, "the document lost its routes");
    for route in routes {
        route.send(&app, &tokens.access, "1").await.problem_of(403, Reason::PermissionDenied);
    }
    assert_eq!(app.db().content(), before, "a route has changed something");
}

async fn a_deleted_user_may_do_nothing_at_another_process(database: Database) {
    let scene = Scene::new(database).await;
    let delete = scene.app.request_as(&scene.laptop, Method::DELETE, "/api/auth/me/");
    send(delete.json(&json!({"password": PASSWORD}))).await.has_status(204);
    // The token was signed before the poll; the session's row is checked first.
    scene.refuses(&scene.ada.access, Reason::SessionRevoked).await;
    // Even if a session were still live.
    scene.app.db().execute("UPDATE sessions SET revoked_at = NULL, revoke_reason = NULL");
    scene.refuses(&scene.ada.access, Reason::UserInactive).await;
}

async fn a_deactivated_user_may_do_nothing(database: Database) {
    let scene = Scene::new(database).await;
    scene.app.db().execute(&format!("UPDATE users SET is_active = false WHERE email = '{ADA}'"));
    scene.refuses(&scene.ada.access, Reason::UserInactive).await;
}

async fn a_session_revoked_elsewhere_may_do_nothing(database: Database) {
    let scene = Scene::new(database).await;
    scene.app.logout(&scene.ada).await.done();
    scene.refuses(&scene.ada.access, Reason::SessionRevoked).await;
    // Without a row in the database, a session counts as revoked.
    scene.app.db().execute(&format!("DELETE FROM sessions WHERE id = '{}'", session_of(&scene.ada)));
    scene.refuses(&scene.ada.access, Reason::SessionRevoked).await;
}

async fn an_expired_session_may_do_nothing(database: Database) {
    for column in ["expires_at", "absolute_expires_at"] {
        let scene = Scene::new(database).await;
        let session = session_of(&scene.ada);
        scene.app.db().execute(&format!("UPDATE sessions SET {column} = created_at WHERE id = '{session}'"));
        scene.refuses(&scene.ada.access, Reason::SessionExpired).await;
    }
}

/// Signed with the right key: an id was assigned twice after an older copy of the database was restored.
fn mixed(token: &str, user: &TokenResponse) -> String {
    let id = json!(user.user.id.to_string());
    let mut claims = forge::claims_with(token, "user_id", id.clone());
    claims["sub"] = id;
    forge::sign_claims(&claims)
}

async fn an_access_token_with_another_users_session_may_do_nothing(database: Database) {
    let scene = Scene::new(database).await;
    scene.refuses(&mixed(&scene.eve.access, &scene.ada), Reason::SessionRevoked).await;
    scene.refuses(&mixed(&scene.ada.access, &scene.eve), Reason::SessionRevoked).await;
}

async fn a_refresh_token_with_another_users_session_is_refused(database: Database) {
    let scene = Scene::new(database).await;
    let mixed = mixed(&scene.eve.refresh, &scene.ada);
    let before = scene.app.db().content();
    scene.app.verify(&mixed).await.unauthorized(Reason::SessionRevoked);
    scene.app.refresh(&mixed).await.unauthorized(Reason::SessionRevoked);
    scene.app.refresh_with_key(&mixed, "any").await.unauthorized(Reason::SessionRevoked);
    // As for every session that does not exist.
    scene.app.logout(&mixed).await.done();
    assert_eq!(scene.app.db().content(), before);
    scene.app.refresh(&scene.eve).await.tokens();
}

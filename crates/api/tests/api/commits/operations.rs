//! Each operation: what it needs, its request, and how to see that it is done.

use super::feature_routes::{FeatureRoute, authorized};
use crate::support::surface::SampleRequest;
use crate::support::{Database, PASSWORD, Process, TestDb, TestResponse, forge, is_own_table, pictures, send};
use api::service::digest::digest_of;
use auth_types::responses::{AvatarResponse, TokenResponse, UserResponse};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const NEW_PASSWORD: &str = "amber glacier whistle 58";
const NEW_NAME: &str = "Ada King";

/// An operation that may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Register,
    Login,
    Refresh,
    Verify,
    Logout,
    LogoutAll,
    ChangeProfile,
    DeleteAccount,
    PutAvatar,
    DeleteAvatar,
    ChangePassword,
    RequestReset,
    ResetPassword,
    ConfirmEmail,
    RequestLink,
    ChangeEmail,
    EndSession,
    /// A feature's route, whose effect is any change in the feature's tables.
    OfFeature(&'static FeatureRoute),
}

/// An account for which an operation is possible.
#[derive(Debug)]
pub struct Account {
    email: String,
    /// `None` before a registration.
    tokens: Option<TokenResponse>,
    /// The request to a feature's route.
    request: Option<SampleRequest>,
    /// The content of the features' tables before the operation.
    before: Vec<String>,
}

impl Account {
    pub fn tokens(&self) -> &TokenResponse {
        self.tokens.as_ref().unwrap()
    }

    /// The token of the account's mailed link.
    fn link(&self) -> String {
        format!("the link of {}", self.email)
    }

    fn new_email(&self) -> String {
        format!("new-{}", self.email)
    }
}

impl Operation {
    /// The operation of one of Latchkey's routes in the OpenAPI document.
    pub fn named(operation: &str) -> Option<Self> {
        Some(match operation {
            "POST /api/auth/register/" => Self::Register,
            "POST /api/auth/login/" => Self::Login,
            "POST /api/auth/refresh/" => Self::Refresh,
            "POST /api/auth/verify/" => Self::Verify,
            "POST /api/auth/logout/" => Self::Logout,
            "POST /api/auth/logout/all/" => Self::LogoutAll,
            "PATCH /api/auth/me/" => Self::ChangeProfile,
            "DELETE /api/auth/me/" => Self::DeleteAccount,
            "PUT /api/auth/me/avatar/" => Self::PutAvatar,
            "DELETE /api/auth/me/avatar/" => Self::DeleteAvatar,
            "POST /api/auth/password/change/" => Self::ChangePassword,
            "POST /api/auth/password/reset/" => Self::RequestReset,
            "POST /api/auth/password/reset/confirm/" => Self::ResetPassword,
            "POST /api/auth/email/verify/" => Self::ConfirmEmail,
            "POST /api/auth/email/resend/" => Self::RequestLink,
            "POST /api/auth/email/change/" => Self::ChangeEmail,
            "DELETE /api/auth/sessions/{id}/" => Self::EndSession,
            _ => return None,
        })
    }

    /// Whether it leaves the database unchanged.
    pub fn changes_nothing(self) -> bool {
        match self {
            Self::Verify => true,
            Self::OfFeature(route) => !route.changes_something,
            _ => false,
        }
    }

    /// Creates an account for which this is possible; `number` makes it unique.
    pub async fn prepare(self, db: &TestDb, process: &Process, number: u32) -> Account {
        let name = match self {
            Self::OfFeature(route) => route.operation.clone(),
            _ => format!("{self:?}"),
        };
        let email = format!("{name}{number}@example.com").to_lowercase();
        let mut account = Account { email, tokens: None, request: None, before: Vec::new() };
        if self == Self::Register {
            return account;
        }
        account.tokens = Some(process.register(&account.email).await.created());
        match self {
            Self::OfFeature(route) => {
                db.execute(&format!("UPDATE users SET role = 'admin' WHERE email = '{}'", account.email));
                account.request = Some(route.fill(process, account.tokens()).await);
                account.before = feature_content(db);
            }
            Self::ResetPassword => insert_link(db, &account, "reset_password"),
            Self::ConfirmEmail => insert_link(db, &account, "verify_email"),
            Self::DeleteAvatar => send(put_picture(process, &account)).await.done(),
            _ => {}
        }
        // The mail of the registration itself is not the expected one.
        db.execute(&format!("DELETE FROM mail_outbox WHERE recipient = '{}'", account.email));
        account
    }

    pub async fn send(self, process: &Process, account: &Account) -> TestResponse {
        let email = &account.email;
        let post = |path: &str| process.request(Method::POST, path);
        let own = |method: Method, path: &str| process.request(method, path).bearer_auth(&account.tokens().access);
        let request = match self {
            Self::Register | Self::Login => {
                let path = if self == Self::Login { "/api/auth/login/" } else { "/api/auth/register/" };
                post(path).json(&json!({"email": email, "password": PASSWORD}))
            }
            Self::Refresh => post("/api/auth/refresh/")
                .header("Idempotency-Key", "attempt-1")
                .json(&json!({"refresh": account.tokens().refresh})),
            Self::Verify => post("/api/auth/verify/").json(&json!({"token": account.tokens().refresh})),
            Self::Logout => post("/api/auth/logout/").json(&json!({"refresh": account.tokens().refresh})),
            Self::LogoutAll => own(Method::POST, "/api/auth/logout/all/"),
            Self::ChangeProfile => own(Method::PATCH, "/api/auth/me/").json(&json!({"display_name": NEW_NAME})),
            Self::DeleteAccount => own(Method::DELETE, "/api/auth/me/").json(&json!({"password": PASSWORD})),
            Self::PutAvatar => put_picture(process, account),
            Self::DeleteAvatar => own(Method::DELETE, "/api/auth/me/avatar/"),
            Self::ChangePassword => own(Method::POST, "/api/auth/password/change/")
                .json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})),
            Self::RequestReset => post("/api/auth/password/reset/").json(&json!({"email": email})),
            Self::ResetPassword => post("/api/auth/password/reset/confirm/")
                .json(&json!({"token": account.link(), "new_password": NEW_PASSWORD})),
            Self::ConfirmEmail => post("/api/auth/email/verify/").json(&json!({"token": account.link()})),
            Self::RequestLink => post("/api/auth/email/resend/").json(&json!({"email": email})),
            Self::ChangeEmail => own(Method::POST, "/api/auth/email/change/")
                .json(&json!({"new_email": account.new_email(), "password": PASSWORD})),
            Self::EndSession => own(Method::DELETE, &format!("/api/auth/sessions/{}/", session_of(account))),
            Self::OfFeature(_) => account.request.as_ref().unwrap().request(authorized(process, account.tokens())),
        };
        send(request).await
    }

    /// Asserts that a successful response is true: the operation is done, and each token in the response works.
    pub async fn check(self, db: &TestDb, process: &Process, account: &Account, response: &TestResponse) {
        assert!(
            self.is_done(db, process, account).await,
            "{self:?} for {}: {}, but it is not done",
            account.email,
            response.status
        );
        match self {
            Self::Register | Self::Login | Self::Refresh | Self::ChangePassword => {
                let tokens: TokenResponse = response.json();
                process.me(&tokens).await.done();
                let successor = process.refresh(&tokens, None).await.tokens();
                process.refresh(&successor, None).await.tokens();
            }
            Self::PutAvatar => {
                let avatar: AvatarResponse = response.json();
                assert_eq!(avatar.avatar_url, shown(process, account).await.avatar_url);
            }
            _ => {}
        }
    }

    /// Whether any attempt has completed the operation.
    pub async fn is_done(self, db: &TestDb, process: &Process, account: &Account) -> bool {
        match self {
            Self::Register => signs_in(process, account, PASSWORD).await,
            Self::Login => db.number(&format!("SELECT count(*) FROM sessions WHERE {}", is_of(account))) >= 2,
            Self::Refresh => db.number(&format!("SELECT generation FROM sessions WHERE {}", is_of(account))) >= 2,
            Self::Verify => true,
            Self::Logout | Self::LogoutAll | Self::EndSession => {
                process.refresh(account.tokens(), None).await.status == 401
            }
            Self::ChangeProfile => shown(process, account).await.display_name == NEW_NAME,
            Self::DeleteAccount => !signs_in(process, account, PASSWORD).await,
            Self::PutAvatar => shown(process, account).await.avatar_url.is_some(),
            Self::DeleteAvatar => shown(process, account).await.avatar_url.is_none(),
            Self::ChangePassword | Self::ResetPassword => signs_in(process, account, NEW_PASSWORD).await,
            Self::RequestReset => is_mailed(db, "reset_password", &account.email),
            Self::ConfirmEmail => shown(process, account).await.email_verified,
            Self::RequestLink => is_mailed(db, "verify_email", &account.email),
            Self::ChangeEmail => is_mailed(db, "change_email", &account.new_email()),
            Self::OfFeature(route) => !route.changes_something || feature_content(db) != account.before,
        }
    }
}

/// The content of the features' tables.
pub fn feature_content(db: &TestDb) -> Vec<String> {
    db.content_of(db.tables().into_iter().filter(|table| !is_own_table(table)))
}

fn put_picture(process: &Process, account: &Account) -> RequestBuilder {
    process
        .request(Method::PUT, "/api/auth/me/avatar/")
        .bearer_auth(&account.tokens().access)
        .header("Content-Type", "image/png")
        .body(pictures::png(&pictures::photo(16, 16)))
}

/// Inserts a mailed link that is valid for an hour.
fn insert_link(db: &TestDb, account: &Account, purpose: &str) {
    let hash =
        digest_of(account.link().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let (hash, in_an_hour) = match db.database() {
        Database::Sqlite => (format!("x'{hash}'"), "strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 hour')"),
        Database::Postgres => (format!("decode('{hash}', 'hex')"), "now() + interval '1 hour'"),
    };
    db.execute(&format!(
        "INSERT INTO one_time_tokens (hash, purpose, user_id, email, expires_at)
         SELECT {hash}, '{purpose}', id, email, {in_an_hour} FROM users WHERE email = '{}'",
        account.email
    ));
}

fn session_of(account: &Account) -> String {
    forge::claims(&account.tokens().access)["sid"].as_str().unwrap().to_owned()
}

fn is_of(account: &Account) -> String {
    format!("user_id = (SELECT id FROM users WHERE email = '{}')", account.email)
}

fn is_mailed(db: &TestDb, kind: &str, address: &str) -> bool {
    db.number(&format!("SELECT count(*) FROM mail_outbox WHERE kind = '{kind}' AND recipient = '{address}'")) > 0
}

async fn shown(process: &Process, account: &Account) -> UserResponse {
    process.me(account.tokens()).await.json()
}

async fn signs_in(process: &Process, account: &Account, password: &str) -> bool {
    let body = json!({"email": account.email, "password": password});
    send(process.request(Method::POST, "/api/auth/login/").json(&body)).await.status.is_success()
}

//! What each route does, how to ask for it, and how to see that it is done.

use super::feature_routes::{FeatureRoute, asking};
use crate::support::surface::SampleRequest;
use crate::support::{Database, PASSWORD, Process, TestDb, TestResponse, forge, is_own_table, pictures, send};
use api::service::passwords::hashing::digest_of;
use auth_types::responses::{AvatarResponse, TokenResponse, UserResponse};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const NEW_PASSWORD: &str = "amber glacier whistle 58";
const NEW_NAME: &str = "Ada King";

/// An operation that may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
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
    AskForReset,
    ResetPassword,
    ConfirmEmail,
    AskForLink,
    ChangeEmail,
    EndSession,
    /// What a feature's route does: whatever shows in the feature's tables.
    OfFeature(&'static FeatureRoute),
}

/// Somebody for whom an act is possible.
#[derive(Debug)]
pub struct Person {
    email: String,
    /// Nobody's yet where the act is the sign-up.
    tokens: Option<TokenResponse>,
    /// What they ask of a feature's route.
    filled: Option<SampleRequest>,
    /// What stood in the tables of features when they were about to act.
    before: Vec<String>,
}

impl Person {
    pub fn tokens(&self) -> &TokenResponse {
        self.tokens.as_ref().unwrap()
    }

    /// What a mailed link would hold.
    fn link(&self) -> String {
        format!("the link of {}", self.email)
    }

    fn new_email(&self) -> String {
        format!("new-{}", self.email)
    }
}

impl Act {
    /// The act of an operation of Latchkey's in the OpenAPI document.
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
            "POST /api/auth/password/reset/" => Self::AskForReset,
            "POST /api/auth/password/reset/confirm/" => Self::ResetPassword,
            "POST /api/auth/email/verify/" => Self::ConfirmEmail,
            "POST /api/auth/email/resend/" => Self::AskForLink,
            "POST /api/auth/email/change/" => Self::ChangeEmail,
            "DELETE /api/auth/sessions/{id}/" => Self::EndSession,
            _ => return None,
        })
    }

    /// Whether the database is the same afterwards.
    pub fn changes_nothing(self) -> bool {
        match self {
            Self::Verify => true,
            Self::OfFeature(route) => !route.changes_something,
            _ => false,
        }
    }

    /// Makes somebody for whom this is possible, one of many.
    pub async fn prepare(self, db: &TestDb, process: &Process, number: u32) -> Person {
        let name = match self {
            Self::OfFeature(route) => route.operation.clone(),
            _ => format!("{self:?}"),
        };
        let email = format!("{name}{number}@example.com").to_lowercase();
        let mut person = Person { email, tokens: None, filled: None, before: Vec::new() };
        if self == Self::Register {
            return person;
        }
        person.tokens = Some(process.register(&person.email).await.created());
        match self {
            Self::OfFeature(route) => {
                db.execute(&format!("UPDATE users SET role = 'admin' WHERE email = '{}'", person.email));
                person.filled = Some(route.fill(process, person.tokens()).await);
                person.before = of_features(db);
            }
            Self::ResetPassword => insert_link(db, &person, "reset_password"),
            Self::ConfirmEmail => insert_link(db, &person, "verify_email"),
            Self::DeleteAvatar => send(put_picture(process, &person)).await.done(),
            _ => {}
        }
        // The sign-up's own mail is not what is looked for.
        db.execute(&format!("DELETE FROM mail_outbox WHERE recipient = '{}'", person.email));
        person
    }

    pub async fn send(self, process: &Process, person: &Person) -> TestResponse {
        let email = &person.email;
        let post = |path: &str| process.request(Method::POST, path);
        let own = |method: Method, path: &str| process.request(method, path).bearer_auth(&person.tokens().access);
        let request = match self {
            Self::Register | Self::Login => {
                let path = if self == Self::Login { "/api/auth/login/" } else { "/api/auth/register/" };
                post(path).json(&json!({"email": email, "password": PASSWORD}))
            }
            Self::Refresh => post("/api/auth/refresh/")
                .header("Idempotency-Key", "attempt-1")
                .json(&json!({"refresh": person.tokens().refresh})),
            Self::Verify => post("/api/auth/verify/").json(&json!({"token": person.tokens().refresh})),
            Self::Logout => post("/api/auth/logout/").json(&json!({"refresh": person.tokens().refresh})),
            Self::LogoutAll => own(Method::POST, "/api/auth/logout/all/"),
            Self::ChangeProfile => own(Method::PATCH, "/api/auth/me/").json(&json!({"display_name": NEW_NAME})),
            Self::DeleteAccount => own(Method::DELETE, "/api/auth/me/").json(&json!({"password": PASSWORD})),
            Self::PutAvatar => put_picture(process, person),
            Self::DeleteAvatar => own(Method::DELETE, "/api/auth/me/avatar/"),
            Self::ChangePassword => own(Method::POST, "/api/auth/password/change/")
                .json(&json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD})),
            Self::AskForReset => post("/api/auth/password/reset/").json(&json!({"email": email})),
            Self::ResetPassword => post("/api/auth/password/reset/confirm/")
                .json(&json!({"token": person.link(), "new_password": NEW_PASSWORD})),
            Self::ConfirmEmail => post("/api/auth/email/verify/").json(&json!({"token": person.link()})),
            Self::AskForLink => post("/api/auth/email/resend/").json(&json!({"email": email})),
            Self::ChangeEmail => own(Method::POST, "/api/auth/email/change/")
                .json(&json!({"new_email": person.new_email(), "password": PASSWORD})),
            Self::EndSession => own(Method::DELETE, &format!("/api/auth/sessions/{}/", session_of(person))),
            Self::OfFeature(_) => person.filled.as_ref().unwrap().request(asking(process, person.tokens())),
        };
        send(request).await
    }

    /// That an answer of success tells the truth; each token in it is used.
    pub async fn check(self, db: &TestDb, process: &Process, person: &Person, answer: &TestResponse) {
        assert!(
            self.is_done(db, process, person).await,
            "{self:?} for {}: {} is not there",
            person.email,
            answer.status
        );
        match self {
            Self::Register | Self::Login | Self::Refresh | Self::ChangePassword => {
                let tokens: TokenResponse = answer.json();
                process.me(&tokens).await.done();
                let successor = process.refresh(&tokens, None).await.ok();
                process.refresh(&successor, None).await.ok();
            }
            Self::PutAvatar => {
                let avatar: AvatarResponse = answer.json();
                assert_eq!(avatar.avatar_url, shown(process, person).await.avatar_url);
            }
            _ => {}
        }
    }

    /// Whether the act was done, by whichever attempt.
    pub async fn is_done(self, db: &TestDb, process: &Process, person: &Person) -> bool {
        match self {
            Self::Register => signs_in(process, person, PASSWORD).await,
            Self::Login => db.number(&format!("SELECT count(*) FROM sessions WHERE {}", is_of(person))) >= 2,
            Self::Refresh => db.number(&format!("SELECT generation FROM sessions WHERE {}", is_of(person))) >= 2,
            Self::Verify => true,
            Self::Logout | Self::LogoutAll | Self::EndSession => {
                process.refresh(person.tokens(), None).await.status == 401
            }
            Self::ChangeProfile => shown(process, person).await.display_name == NEW_NAME,
            Self::DeleteAccount => !signs_in(process, person, PASSWORD).await,
            Self::PutAvatar => shown(process, person).await.avatar_url.is_some(),
            Self::DeleteAvatar => shown(process, person).await.avatar_url.is_none(),
            Self::ChangePassword | Self::ResetPassword => signs_in(process, person, NEW_PASSWORD).await,
            Self::AskForReset => is_mailed(db, "reset_password", &person.email),
            Self::ConfirmEmail => shown(process, person).await.email_verified,
            Self::AskForLink => is_mailed(db, "verify_email", &person.email),
            Self::ChangeEmail => is_mailed(db, "change_email", &person.new_email()),
            Self::OfFeature(route) => !route.changes_something || of_features(db) != person.before,
        }
    }
}

/// What stands in the tables of features.
pub fn of_features(db: &TestDb) -> Vec<String> {
    db.content_of(db.tables().into_iter().filter(|table| !is_own_table(table)))
}

fn put_picture(process: &Process, person: &Person) -> RequestBuilder {
    process
        .request(Method::PUT, "/api/auth/me/avatar/")
        .bearer_auth(&person.tokens().access)
        .header("Content-Type", "image/png")
        .body(pictures::png(&pictures::photo(16, 16)))
}

/// A link that was mailed, and has an hour left.
fn insert_link(db: &TestDb, person: &Person, purpose: &str) {
    let hash =
        digest_of(person.link().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let (hash, in_an_hour) = match db.database() {
        Database::Sqlite => (format!("x'{hash}'"), "strftime('%Y-%m-%d %H:%M:%f000', 'now', '+1 hour')"),
        Database::Postgres => (format!("decode('{hash}', 'hex')"), "now() + interval '1 hour'"),
    };
    db.execute(&format!(
        "INSERT INTO one_time_tokens (hash, purpose, user_id, email, expires_at)
         SELECT {hash}, '{purpose}', id, email, {in_an_hour} FROM users WHERE email = '{}'",
        person.email
    ));
}

fn session_of(person: &Person) -> String {
    forge::claims(&person.tokens().access)["sid"].as_str().unwrap().to_owned()
}

fn is_of(person: &Person) -> String {
    format!("user_id = (SELECT id FROM users WHERE email = '{}')", person.email)
}

fn is_mailed(db: &TestDb, kind: &str, address: &str) -> bool {
    db.number(&format!("SELECT count(*) FROM mail_outbox WHERE kind = '{kind}' AND recipient = '{address}'")) > 0
}

async fn shown(process: &Process, person: &Person) -> UserResponse {
    process.me(person.tokens()).await.json()
}

async fn signs_in(process: &Process, person: &Person, password: &str) -> bool {
    let body = json!({"email": person.email, "password": password});
    send(process.request(Method::POST, "/api/auth/login/").json(&body)).await.status.is_success()
}

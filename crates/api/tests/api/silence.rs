//! What a stranger does after the same start must look the same, whoever an address belongs to.
//!
//! Each state that must look like another one gets a database and a process of its own. A stranger then plays every route
//! of the OpenAPI document, several times, because what one request leaves behind may show in the answer to another. Status,
//! headers, body, budgets, statements, hashing and mail are compared. The routes and their fields come from the document,
//! so that a new route takes part without being listed.

use crate::enumeration::{Observed, without_workers};
use crate::support::{Answer, Database, PASSWORD, TestDb, create_user, on_both_databases, send};
use reqwest::Method;
use serde_json::{Map, Value, json};

on_both_databases![
    where_confirmation_is_mandatory_no_route_tells_whose_an_address_is,
    where_confirmation_is_optional_no_route_tells_what_an_account_is_like,
    the_play_reaches_every_route_and_sees_a_difference,
];

/// The address that the stranger is curious about, and the username of its account where it has one.
const SUBJECT: &str = "subject@example.com";
const SUBJECT_NAME: &str = "subject";
/// The stranger's own addresses end so.
const STRANGERS: &str = "@example.org";
/// As many accounts of the stranger's as there are protected requests: some end the account.
const ACCOUNTS: usize = 150;

/// What the stranger fills in.
struct Round {
    address: &'static str,
    username: &'static str,
    /// Sent as the username by the stranger's signed-in requests.
    own_username: &'static str,
}

const ROUNDS: [Round; 5] = [
    Round { address: SUBJECT, username: "newcomer", own_username: "first-name" },
    // A username that was sent with the address: does it claim anything?
    Round { address: "other@example.org", username: "newcomer", own_username: "second-name" },
    // Once more: what has the first round left?
    Round { address: SUBJECT, username: "newcomer", own_username: "newcomer" },
    Round { address: SUBJECT_NAME, username: "latecomer", own_username: "third-name" },
    Round { address: SUBJECT, username: "latecomer", own_username: "fourth-name" },
];

/// Whose the address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Nobody,
    /// Somebody else signed up with it.
    Pending,
    /// The stranger signed up with it, while a lower cost was configured.
    PendingOfStranger,
    /// Somebody else did, more than a day ago.
    Expired,
    /// It had an account, which is deleted.
    Deleted,
    Confirmed,
    /// In use, and never confirmed.
    Unconfirmed,
    /// Neither used nor confirmed: of a release without pending registrations.
    NeverUsed,
    Inactive,
    /// The same, and the stranger knows the password, which is stored at a lower cost than is configured.
    InactiveKnown,
    /// A confirmed account whose password is stored at a lower cost than is configured.
    Cheap,
    /// A confirmed account whose password another program has stored.
    Hash(&'static str),
}

/// What is configured.
const COST: u32 = 5;
/// Django's older algorithm, and what it writes where there is no password.
const PBKDF2: &str = "pbkdf2_sha256$24000$seasalt$GwkSVbk/ZS7UxlrtRxpU1fgAMjWPldtSxVDgVodtavc=";
const UNUSABLE: &str = "!FfRt0zTsdPYJeCQpsFgGF0vzDqQVVPC7pTHRfBvf";

impl State {
    fn make(self, db: &TestDb) {
        match self {
            Self::Nobody => return,
            Self::Pending => return insert_pending(db, &hash_of_another(COST), "2100"),
            Self::PendingOfStranger => return insert_pending(db, &hash_of(PASSWORD, COST - 1), "2100"),
            Self::Expired => return insert_pending(db, &hash_of_another(COST), "2026"),
            _ => create_user(db, SUBJECT),
        }
        let change = match self {
            Self::Unconfirmed => "email_verified_at = NULL, last_login_at = created_at".to_owned(),
            Self::NeverUsed => "email_verified_at = NULL".to_owned(),
            Self::Inactive | Self::InactiveKnown => "is_active = false".to_owned(),
            Self::Deleted => {
                "email = '', email_canonical = 'deleted', is_active = false, deleted_at = created_at".to_owned()
            }
            Self::Hash(hash) => format!("password_hash = '{hash}'"),
            _ => "display_name = 'Somebody'".to_owned(),
        };
        let of_subject = format!("WHERE email = '{SUBJECT}'");
        db.execute(&format!("UPDATE users SET {change} {of_subject}"));
        let names = format!("username = '{SUBJECT_NAME}', username_canonical = '{SUBJECT_NAME}'");
        db.execute(&format!("UPDATE users SET {names}, password_hash = {} {of_subject}", self.password_hash()));
    }

    /// Not the stranger's password.
    fn password_hash(self) -> String {
        match self {
            Self::Hash(hash) => format!("'{hash}'"),
            Self::Cheap => hash_of_another(COST - 1),
            Self::InactiveKnown => hash_of(PASSWORD, COST - 1),
            _ => hash_of_another(COST),
        }
    }
}

fn hash_of_another(cost: u32) -> String {
    hash_of("copper window thistle 77", cost)
}

fn hash_of(password: &str, cost: u32) -> String {
    format!("'{}'", api::service::passwords::hash(password, cost).unwrap())
}

fn insert_pending(db: &TestDb, hash: &str, expires_in: &str) {
    let bytes = if db.database() == Database::Sqlite { "x'00'" } else { "'\\x00'" };
    db.execute(&format!(
        "INSERT INTO pending_registrations (email, email_canonical, username, username_canonical, password_hash,
         registration_hash, created_at, expires_at) VALUES ('{SUBJECT}', '{SUBJECT}', '{SUBJECT_NAME}', '{SUBJECT_NAME}',
         {hash}, {bytes}, '2026-01-01 00:00:00.000000', '{expires_in}-01-01 00:00:00.000001')"
    ));
}

/// The stranger's accounts, all with the same password.
fn insert_strangers(db: &TestDb) {
    let hash = api::service::passwords::hash(PASSWORD, COST).unwrap();
    let at = "'2026-01-01 00:00:00.000000'";
    let rows: Vec<_> =
        (0..ACCOUNTS).map(|n| format!("('s{n}{STRANGERS}', 's{n}{STRANGERS}', '{hash}', {at}, {at})")).collect();
    let columns = "email, email_canonical, password_hash, created_at, email_verified_at";
    db.execute(&format!("INSERT INTO users ({columns}) VALUES {}", rows.join(", ")));
}

/// One request and all that can be seen of it.
#[derive(Debug, PartialEq, Eq)]
struct Played {
    request: String,
    status: u16,
    headers: Vec<String>,
    body: Value,
    work: Vec<String>,
}

/// An operation of the document.
struct Operation {
    method: Method,
    path: String,
    is_protected: bool,
    /// Name → type of the JSON body's members.
    fields: Vec<(String, String)>,
    media_type: Option<String>,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object();
            let media_type = content.and_then(|content| content.keys().next().cloned());
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                is_protected: operation["security"].to_string().contains("bearer"),
                fields: fields(document, schema),
                media_type,
            });
        }
    }
    operations
}

fn fields(document: &Value, schema: &Value) -> Vec<(String, String)> {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let schema = pointer.map_or(schema, |pointer| document.pointer(pointer).unwrap());
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties.iter().map(|(name, property)| (name.clone(), property["type"].to_string())).collect()
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The place of a path's parameter gets something that nobody has.
    fn url(&self) -> String {
        let parts: Vec<_> = self.path.split(['{', '}']).collect();
        let fill = |(place, part): (usize, &&str)| {
            if place % 2 == 0 { (*part).to_owned() } else { "018f0000-0000-7000-8000-000000000000".to_owned() }
        };
        parts.iter().enumerate().map(fill).collect()
    }

    fn body(&self, round: &Round) -> Value {
        let username = if self.is_protected { round.own_username } else { round.username };
        let value = |(name, kind): &(String, String)| {
            let value = match name.as_str() {
                _ if kind.contains("boolean") => json!(true),
                _ if name.contains("email") => json!(round.address),
                _ if name.contains("username") => json!(username),
                _ if name.contains("password") => json!(PASSWORD),
                _ => json!("something"),
            };
            (name.clone(), value)
        };
        self.fields.iter().map(value).collect::<Map<_, _>>().into()
    }
}

/// A world in which the address is in one state, and the stranger in it.
struct World {
    state: State,
    db: TestDb,
    api: Observed,
    accounts: usize,
    played: Vec<Played>,
}

impl World {
    async fn new(database: Database, state: State, verification: &str) -> Self {
        let db = TestDb::migrated(database);
        insert_strangers(&db);
        state.make(&db);
        without_workers(&db);
        let cost = COST.to_string();
        let limited = [
            ("RATE_LIMITS", "on"),
            ("TRUSTED_PROXY_HOPS", "1"),
            ("BCRYPT_COST", cost.as_str()),
            ("EMAIL_VERIFICATION", verification),
        ];
        let api = Observed::start(&db, &limited).await;
        Self { state, db, api, accounts: 0, played: Vec::new() }
    }

    async fn play(mut self) -> Self {
        let document: Value = send(self.api.process.request(Method::GET, "/api/openapi.json")).await.json();
        self.api.work().await;
        for round in &ROUNDS {
            for operation in operations(&document) {
                self.request(&operation, round).await;
            }
        }
        let mails = format!(
            "SELECT kind || ' ' || recipient AS value FROM mail_outbox WHERE recipient LIKE '%{STRANGERS}' ORDER BY 1"
        );
        self.note("mail to the stranger".to_owned(), None, self.db.texts(&mails));
        self
    }

    async fn request(&mut self, operation: &Operation, round: &Round) {
        let mut request = self.api.process.request(operation.method.clone(), &operation.url());
        request = request.header("X-Forwarded-For", "203.0.113.5").header("User-Agent", "a stranger");
        if operation.is_protected {
            request = request.bearer_auth(self.sign_in().await);
        }
        request = match operation.media_type.as_deref() {
            Some("application/json") => request.json(&operation.body(round)),
            Some(other) => request.header("Content-Type", other).body("something"),
            None => request,
        };
        let answer = send(request).await;
        let work = self.api.work().await;
        self.note(format!("{} of {}", operation.name(), round.address), Some(&answer), work);
    }

    /// A session of an account of the stranger's that no request has used yet, from a place of its own: the budgets of the
    /// client are for what is compared.
    async fn sign_in(&mut self) -> String {
        let body = json!({"email": format!("s{}{STRANGERS}", self.accounts), "password": PASSWORD});
        self.accounts += 1;
        let request = self.api.process.request(Method::POST, "/api/auth/login/").json(&body);
        let answer = send(request.header("X-Forwarded-For", format!("198.51.100.{}", self.accounts))).await;
        self.api.work().await;
        answer.json::<Value>()["access"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
    }

    fn note(&mut self, request: String, answer: Option<&Answer>, work: Vec<String>) {
        let status = answer.map_or(0, |answer| answer.status.as_u16());
        let headers = answer.map(headers).unwrap_or_default();
        let body = answer.map_or(Value::Null, |answer| {
            steady(&serde_json::from_slice(&answer.body).unwrap_or_else(|_| Value::from(answer.text())))
        });
        self.played.push(Played { request, status, headers, body, work });
    }
}

/// Names and values, without what depends on the second: budgets stay, and the time until they are full again goes.
fn headers(answer: &Answer) -> Vec<String> {
    const NEW_EACH_TIME: [&str; 4] = ["date", "x-request-id", "content-length", "retry-after"];
    let told = answer.headers.iter().filter(|(name, _)| !NEW_EACH_TIME.contains(&name.as_str()));
    let mut headers: Vec<_> =
        told.map(|(name, value)| format!("{name}: {}", without_time(value.to_str().unwrap()))).collect();
    headers.sort();
    headers
}

/// `"a";r=5;t=60, "b";r=1;t=2` → `"a";r=5, "b";r=1`.
fn without_time(value: &str) -> String {
    let (first, others) = value
        .split_once(";t=")
        .map_or((value, ""), |(first, rest)| (first, rest.trim_start_matches(|c: char| c.is_ascii_digit())));
    if others.is_empty() { first.to_owned() } else { format!("{first}{}", without_time(others)) }
}

/// The same without tokens, times, ids and numbers of rows.
fn steady(value: &Value) -> Value {
    match value {
        Value::String(text) => steady_text(text).into(),
        Value::Array(items) => items.iter().map(steady).collect(),
        Value::Object(members) => {
            let steady_member = |(name, value): (&String, &Value)| {
                let is_new = matches!(name.as_str(), "id" | "server_time") || name.ends_with("_in");
                let is_new =
                    is_new || (name == "detail" && value.as_str().is_some_and(|text| text.contains("again in")));
                (name.clone(), if is_new { Value::Null } else { steady(value) })
            };
            Value::Object(members.iter().map(steady_member).collect())
        }
        other => other.clone(),
    }
}

/// Words of more than twenty characters, and those that are times, are new each time.
fn steady_text(text: &str) -> String {
    let steady = |word: &str| if word.len() > 20 && !word.contains('@') { "…".to_owned() } else { word.to_owned() };
    let words: Vec<_> = text.split(' ').map(steady).collect();
    if text.contains('T') && text.ends_with('Z') { "…".to_owned() } else { words.join(" ") }
}

async fn compare(database: Database, verification: &str, states: &[State]) {
    let (first, others) = states.split_first().unwrap();
    let first = World::new(database, *first, verification).await.play().await;
    // One after the other: a start holds this thread, and what waits for an answer meanwhile is given up.
    for other in others {
        let other = World::new(database, *other, verification).await.play().await;
        assert_eq!(first.played.len(), other.played.len());
        for (one, another) in first.played.iter().zip(&other.played) {
            assert_eq!(one, another, "{:?} and {:?} look different, {verification}", first.state, other.state);
        }
    }
}

async fn where_confirmation_is_mandatory_no_route_tells_whose_an_address_is(database: Database) {
    let states = [
        State::Nobody,
        State::Pending,
        State::PendingOfStranger,
        State::Expired,
        State::Deleted,
        State::Confirmed,
        State::Unconfirmed,
        State::NeverUsed,
        State::Inactive,
        State::InactiveKnown,
        State::Cheap,
        State::Hash(PBKDF2),
        State::Hash(UNUSABLE),
    ];
    compare(database, "mandatory", &states).await;
}

/// There a sign-up says whether an address has an account; nothing says more than that.
async fn where_confirmation_is_optional_no_route_tells_what_an_account_is_like(database: Database) {
    let states = [State::Confirmed, State::Unconfirmed, State::NeverUsed, State::Inactive, State::Hash(UNUSABLE)];
    compare(database, "optional", &states).await;
}

async fn the_play_reaches_every_route_and_sees_a_difference(database: Database) {
    let world = World::new(database, State::Nobody, "optional").await.play().await;
    let document: Value = send(world.api.process.request(Method::GET, "/api/openapi.json")).await.json();
    for operation in operations(&document) {
        let name = format!("{} of", operation.name());
        assert_eq!(
            world.played.iter().filter(|played| played.request.starts_with(&name)).count(),
            ROUNDS.len(),
            "{name}"
        );
    }
    let worked =
        |path: &str| world.played.iter().any(|played| played.request.contains(path) && !played.work.is_empty());
    assert!(worked("/register/") && worked("/login/") && worked("/email/change/") && worked("/email/verify/"));
    let other = World::new(database, State::Confirmed, "optional").await.play().await;
    let differ =
        world.played.iter().zip(&other.played).filter(|(one, other)| one != other).map(|(one, _)| &one.request);
    assert!(
        differ.clone().any(|request| request.starts_with("POST /api/auth/register/")),
        "{:?}",
        differ.collect::<Vec<_>>()
    );
}

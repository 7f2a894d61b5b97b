//! The API with a clock that stands until it is moved: what it says of times and waits can be compared, its mail leaves, and
//! the accounts that took part are looked at afterwards.

use super::operations::{Operation, ROUNDS, Round, operations};
use super::seen::{Seen, Time, steady_text};
use super::states::{COST, State, insert_strangers};
use super::{STRANGERS, SUBJECT, stranger};
use crate::support::{Database, Mail, PASSWORD, TestApp, TestDb, TestResponse, send};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// So many clients ask for everything at once: more mails than an address gets, and more guesses than a name has.
const CROWD: usize = 8;
const BY_CROWD: Round = Round { address: SUBJECT, username: "somebody", own_username: "nobody" };
/// What a stranger does after that, from a client whose budgets are full.
const LAST: Round = Round { address: SUBJECT, username: "last-comer", own_username: "last-name" };
/// Until no mail waits any more.
const DAYS: i64 = 4;
/// No mail's own time ends at a multiple of this.
const BETWEEN_DELIVERIES: Duration = Duration::minutes(25);

/// A world in which the address is in one state, and the stranger in it.
pub struct TimedWorld {
    app: TestApp,
    operations: Vec<Operation>,
    accounts: usize,
    /// The accounts for which more was sent than a token.
    wrote: Vec<usize>,
    pub seen: Vec<Seen>,
}

impl TimedWorld {
    pub async fn new(database: Database, state: State, verification: &str) -> Self {
        let db = Arc::new(TestDb::migrated(database));
        insert_strangers(&db);
        state.make(&db);
        let builder = TestApp::builder_on(db).limited();
        let builder = builder.set("BCRYPT_COST", COST.to_string()).set("EMAIL_VERIFICATION", verification);
        let app = builder.start().await;
        let operations = operations(&app.get("/api/openapi.json").await.json());
        Self { app, operations, accounts: 0, wrote: Vec::new(), seen: Vec::new() }
    }

    pub async fn play(mut self) -> Self {
        for round in &ROUNDS {
            self.round(round, "203.0.113.5").await;
        }
        self.deliver("at once").await;
        self.crowd().await;
        self.deliver("after the crowd").await;
        self.round(&LAST, "203.0.113.6").await;
        self.deliver("after the last round").await;
        for account in self.wrote.clone() {
            self.look_at(account).await;
        }
        self.wait().await;
        self
    }

    async fn round(&mut self, round: &Round, client: &str) {
        for index in 0..self.operations.len() {
            let token = if self.operations[index].is_protected { Some(self.sign_in().await) } else { None };
            let operation = &self.operations[index];
            if token.is_some() && !operation.fields.is_empty() {
                self.wrote.push(self.accounts - 1);
            }
            let request = operation.request(round, |method, url| self.app.request(method, url));
            let request = token.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
            let answer = send(request.header("X-Forwarded-For", client)).await;
            let what = format!("{} of {}", operation.name(), round.address);
            self.seen.push(Seen::answer(what, &answer, Time::Stands));
        }
    }

    /// Others ask for all that anybody may ask for.
    async fn crowd(&mut self) {
        let open = self.operations.iter().filter(|operation| !operation.is_protected && !operation.fields.is_empty());
        for operation in open {
            for member in 0..CROWD {
                let request = operation.request(&BY_CROWD, |method, url| self.app.request(method, url));
                let answer = send(request.header("X-Forwarded-For", format!("192.0.2.{}", 100 + member))).await;
                let what = format!("{} by the crowd", operation.name());
                self.seen.push(Seen::answer(what, &answer, Time::Stands));
            }
        }
    }

    /// The mail that leaves now, as far as it goes to the stranger.
    async fn deliver(&mut self, when: &str) {
        let mails = self.app.deliver_mail().await.into_iter().filter(|mail| mail.to.ends_with(STRANGERS));
        let told = |mail: Mail| {
            let text = steady_text(&format!("{} {}", mail.text, mail.html), Time::Stands);
            format!("to {}: {}: {text}", mail.to, mail.subject)
        };
        let mut mails: Vec<_> = mails.map(told).collect();
        mails.sort(); // several are sent at once
        self.seen.push(Seen::work(format!("mail that leaves {when}"), mails));
    }

    /// A session of an account of the stranger's that no request has used yet, from a place of its own.
    async fn sign_in(&mut self) -> String {
        let answer = self.login(self.accounts).await;
        self.accounts += 1;
        access_of(&answer).unwrap_or_else(|| panic!("{}", answer.text()))
    }

    async fn login(&self, account: usize) -> TestResponse {
        let (email, address) = stranger(account);
        let request = self.app.request(Method::POST, "/api/auth/login/").header("X-Forwarded-For", address);
        send(request.json(&json!({"email": email, "password": PASSWORD}))).await
    }

    /// All that an account's owner can see of it.
    async fn look_at(&mut self, account: usize) {
        let ((email, address), answer) = (stranger(account), self.login(account).await);
        self.seen.push(Seen::answer(format!("{email} signs in again"), &answer, Time::Stands));
        let Some(token) = access_of(&answer) else { return };
        for path in ["/api/auth/me/", "/api/auth/events/", "/api/auth/sessions/", "/api/auth/me/export/"] {
            let request = self.app.request(Method::GET, path).bearer_auth(&token).header("X-Forwarded-For", &address);
            let mut seen = Seen::answer(format!("{path} of {email}"), &send(request).await, Time::Stands);
            seen.body = sorted(&seen.body);
            self.seen.push(seen);
        }
    }

    /// What comes later: mail that had to wait, and what is noted of it.
    async fn wait(&mut self) {
        let mut waited = Duration::zero();
        while waited < Duration::days(DAYS) {
            self.app.clock().advance(BETWEEN_DELIVERIES);
            waited += BETWEEN_DELIVERIES;
            self.deliver(&format!("after {} min", waited.num_minutes())).await;
        }
        let events = format!(
            "SELECT users.email || ' ' || auth_events.kind || ' ' || auth_events.detail AS value FROM auth_events
             JOIN users ON users.id = auth_events.user_id WHERE users.email LIKE '%{STRANGERS}' ORDER BY auth_events.id"
        );
        let seen = Seen::work("events of the stranger's accounts".to_owned(), self.app.db().texts(&events));
        self.seen.push(seen);
    }
}

fn access_of(answer: &TestResponse) -> Option<String> {
    Some(answer.json::<Value>()["access"].as_str()?.to_owned())
}

/// What has the same time is ordered by what is random.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            items.into()
        }
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        other => other.clone(),
    }
}

//! The API with a clock that stands until it is moved: times and waits in its responses are compared, its mails are sent, and
//! the accounts that took part are inspected afterwards.

use super::observation::{Observation, Time, steady_text};
use super::operations::{Operation, ROUNDS, Round, operations};
use super::states::{COST, State, insert_attackers};
use super::{ATTACKERS_DOMAIN, SUBJECT, attacker};
use crate::support::{Database, Mail, PASSWORD, TestApp, TestDb, TestResponse, send};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// How many clients send every request: enough to exceed the mails of an address and the password attempts for a name.
const CROWD: usize = 8;
const BY_CROWD: Round = Round { address: SUBJECT, username: "somebody", own_username: "nobody" };
/// The attacker's requests after that, from a client whose budgets are full.
const LAST: Round = Round { address: SUBJECT, username: "last-comer", own_username: "last-name" };
/// Long enough that no mail is waiting any more.
const DAYS: i64 = 4;
/// No time limit of a mail is a multiple of this.
const BETWEEN_DELIVERIES: Duration = Duration::minutes(25);

/// A database in which the address is in one state, and the attacker's requests on it.
pub struct TimedWorld {
    app: TestApp,
    operations: Vec<Operation>,
    accounts: usize,
    /// The accounts for which more than a token was sent.
    changed: Vec<usize>,
    pub observations: Vec<Observation>,
}

impl TimedWorld {
    pub async fn new(database: Database, state: State, verification: &str) -> Self {
        let db = Arc::new(TestDb::migrated(database));
        insert_attackers(&db);
        state.make(&db);
        let builder = TestApp::builder_on(db).limited();
        let builder = builder.set("BCRYPT_COST", COST.to_string()).set("EMAIL_VERIFICATION", verification);
        let app = builder.start().await;
        let operations = operations(&app.get("/api/openapi.json").await.json());
        Self { app, operations, accounts: 0, changed: Vec::new(), observations: Vec::new() }
    }

    pub async fn run(mut self) -> Self {
        for round in &ROUNDS {
            self.round(round, "203.0.113.5").await;
        }
        self.deliver("at once").await;
        self.crowd().await;
        self.deliver("after the crowd").await;
        self.round(&LAST, "203.0.113.6").await;
        self.deliver("after the last round").await;
        for account in self.changed.clone() {
            self.inspect(account).await;
        }
        self.wait().await;
        self
    }

    async fn round(&mut self, round: &Round, client: &str) {
        for index in 0..self.operations.len() {
            let token = if self.operations[index].is_protected { Some(self.sign_in().await) } else { None };
            let operation = &self.operations[index];
            if token.is_some() && !operation.fields.is_empty() {
                self.changed.push(self.accounts - 1);
            }
            let request = operation.request(round, |method, url| self.app.request(method, url));
            let request = token.iter().fold(request, reqwest::RequestBuilder::bearer_auth);
            let response = send(request.header("X-Forwarded-For", client)).await;
            let what = format!("{} of {}", operation.name(), round.address);
            self.observations.push(Observation::response(what, &response, Time::Stands));
        }
    }

    /// Other clients send every request that needs no account.
    async fn crowd(&mut self) {
        let open = self.operations.iter().filter(|operation| !operation.is_protected && !operation.fields.is_empty());
        for operation in open {
            for member in 0..CROWD {
                let request = operation.request(&BY_CROWD, |method, url| self.app.request(method, url));
                let response = send(request.header("X-Forwarded-For", format!("192.0.2.{}", 100 + member))).await;
                let what = format!("{} by the crowd", operation.name());
                self.observations.push(Observation::response(what, &response, Time::Stands));
            }
        }
    }

    /// Sends the due mails, and observes those to the attacker.
    async fn deliver(&mut self, when: &str) {
        let mails = self.app.deliver_mail().await.into_iter().filter(|mail| mail.to.ends_with(ATTACKERS_DOMAIN));
        let line = |mail: Mail| {
            let text = steady_text(&format!("{} {}", mail.text, mail.html), Time::Stands);
            format!("to {}: {}: {text}", mail.to, mail.subject)
        };
        let mut mails: Vec<_> = mails.map(line).collect();
        mails.sort(); // several are sent at once
        self.observations.push(Observation::work(format!("mail sent {when}"), mails));
    }

    /// Signs in to one of the attacker's accounts that no request has used yet, from its own network.
    async fn sign_in(&mut self) -> String {
        let response = self.login(self.accounts).await;
        self.accounts += 1;
        access_of(&response).unwrap_or_else(|| panic!("{}", response.text()))
    }

    async fn login(&self, account: usize) -> TestResponse {
        let (email, address) = attacker(account);
        let request = self.app.request(Method::POST, "/api/auth/login/").header("X-Forwarded-For", address);
        send(request.json(&json!({"email": email, "password": PASSWORD}))).await
    }

    /// Observes everything that an account's owner can see of it.
    async fn inspect(&mut self, account: usize) {
        let ((email, address), response) = (attacker(account), self.login(account).await);
        self.observations.push(Observation::response(format!("{email} signs in again"), &response, Time::Stands));
        let Some(token) = access_of(&response) else { return };
        for path in ["/api/auth/me/", "/api/auth/events/", "/api/auth/sessions/", "/api/auth/me/export/"] {
            let request = self.app.request(Method::GET, path).bearer_auth(&token).header("X-Forwarded-For", &address);
            let mut observation =
                Observation::response(format!("{path} of {email}"), &send(request).await, Time::Stands);
            observation.body = sorted(&observation.body);
            self.observations.push(observation);
        }
    }

    /// Observes later effects: the mails that had to wait, and the events that they cause.
    async fn wait(&mut self) {
        let mut waited = Duration::zero();
        while waited < Duration::days(DAYS) {
            self.app.clock().advance(BETWEEN_DELIVERIES);
            waited += BETWEEN_DELIVERIES;
            self.deliver(&format!("after {} min", waited.num_minutes())).await;
        }
        let events = format!(
            "SELECT users.email || ' ' || auth_events.kind || ' ' || auth_events.detail AS value FROM auth_events
             JOIN users ON users.id = auth_events.user_id WHERE users.email LIKE '%{ATTACKERS_DOMAIN}' ORDER BY auth_events.id"
        );
        let observation =
            Observation::work("events of the attacker's accounts".to_owned(), self.app.db().texts(&events));
        self.observations.push(observation);
    }
}

fn access_of(response: &TestResponse) -> Option<String> {
    Some(response.json::<Value>()["access"].as_str()?.to_owned())
}

/// Sorts lists, because items with the same time are ordered by random values.
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

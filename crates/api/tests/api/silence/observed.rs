//! The real program, whose log says what it does for each request.

use super::operations::{Operation, ROUNDS, Round, operations};
use super::seen::{Seen, Time};
use super::states::{COST, State, insert_strangers};
use super::{STRANGERS, stranger};
use crate::enumeration::{Observed, without_workers};
use crate::support::{Database, PASSWORD, TestDb, send};
use reqwest::Method;
use serde_json::{Value, json};

/// A world in which the address is in one state, and the stranger in it.
pub struct World {
    pub db: TestDb,
    pub api: Observed,
    accounts: usize,
    pub seen: Vec<Seen>,
}

impl World {
    pub async fn new(database: Database, state: State, verification: &str) -> Self {
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
        Self { db, api, accounts: 0, seen: Vec::new() }
    }

    pub async fn play(mut self) -> Self {
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
        self.seen.push(Seen::work("mail to the stranger".to_owned(), self.db.texts(&mails)));
        self
    }

    async fn request(&mut self, operation: &Operation, round: &Round) {
        let request = operation.request(round, |method, url| self.api.process.request(method, url));
        let mut request = request.header("X-Forwarded-For", "203.0.113.5");
        if operation.is_protected {
            request = request.bearer_auth(self.sign_in().await);
        }
        let answer = send(request).await;
        let what = format!("{} of {}", operation.name(), round.address);
        self.seen.push(Seen { work: self.api.work().await, ..Seen::answer(what, &answer, Time::Runs) });
    }

    /// A session of an account of the stranger's that no request has used yet, from a place of its own: the budgets of the
    /// client are for what is compared.
    async fn sign_in(&mut self) -> String {
        let (email, address) = stranger(self.accounts);
        self.accounts += 1;
        let request = self.api.process.request(Method::POST, "/api/auth/login/");
        let request = request.json(&json!({"email": email, "password": PASSWORD})).header("X-Forwarded-For", address);
        let answer = send(request).await;
        self.api.work().await;
        answer.json::<Value>()["access"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
    }
}

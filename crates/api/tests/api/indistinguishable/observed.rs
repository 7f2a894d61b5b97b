//! The real program, whose log shows its work for each request.

use super::observation::{Observation, Time};
use super::operations::{Operation, ROUNDS, Round, operations};
use super::states::{COST, State, insert_attackers};
use super::{ATTACKERS_DOMAIN, attacker};
use crate::support::observed::{Observed, without_workers};
use crate::support::{Database, PASSWORD, TestDb, send};
use reqwest::Method;
use serde_json::{Value, json};

/// A database in which the address is in one state, and the attacker's requests on it.
pub struct World {
    pub db: TestDb,
    pub api: Observed,
    accounts: usize,
    pub observations: Vec<Observation>,
}

impl World {
    pub async fn new(database: Database, state: State, verification: &str) -> Self {
        let db = TestDb::migrated(database);
        insert_attackers(&db);
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
        Self { db, api, accounts: 0, observations: Vec::new() }
    }

    pub async fn run(mut self) -> Self {
        let document: Value = send(self.api.process.request(Method::GET, "/api/openapi.json")).await.json();
        self.api.work().await;
        for round in &ROUNDS {
            for operation in operations(&document) {
                self.request(&operation, round).await;
            }
        }
        let mails = format!(
            "SELECT kind || ' ' || recipient AS value FROM mail_outbox WHERE recipient LIKE '%{ATTACKERS_DOMAIN}' ORDER BY 1"
        );
        self.observations.push(Observation::work("mail to the attacker".to_owned(), self.db.texts(&mails)));
        self
    }

    async fn request(&mut self, operation: &Operation, round: &Round) {
        let request = operation.request(round, |method, url| self.api.process.request(method, url));
        let mut request = request.header("X-Forwarded-For", "203.0.113.5");
        if operation.is_protected {
            request = request.bearer_auth(self.sign_in().await);
        }
        let response = send(request).await;
        let what = format!("{} of {}", operation.name(), round.address);
        self.observations
            .push(Observation { work: self.api.work().await, ..Observation::response(what, &response, Time::Runs) });
    }

    /// Signs in to one of the attacker's accounts that no request has used yet, from its own network: the client's budgets are
    /// for the requests that are compared.
    async fn sign_in(&mut self) -> String {
        let (email, address) = attacker(self.accounts);
        self.accounts += 1;
        let request = self.api.process.request(Method::POST, "/api/auth/login/");
        let request = request.json(&json!({"email": email, "password": PASSWORD})).header("X-Forwarded-For", address);
        let response = send(request).await;
        self.api.work().await;
        response.json::<Value>()["access"].as_str().unwrap_or_else(|| panic!("{}", response.text())).to_owned()
    }
}

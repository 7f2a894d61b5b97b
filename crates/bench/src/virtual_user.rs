//! A person with a browser: an account, a connection and the tokens of a session.

use crate::http::{Connection, Request, Response};
use crate::scenario::Operation;
use auth_types::SessionId;
use auth_types::responses::{SessionResponse, TokenResponse};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The password of every account that the benchmarks create.
pub(crate) const PASSWORD: &str = "violet harbor lantern 42";

/// Why a request failed: the status of its response, or what happened to the connection.
pub(crate) type Failure = String;

#[derive(Debug)]
pub(crate) struct VirtualUser {
    number: usize,
    server: SocketAddr,
    connection: Connection,
    tokens: Option<TokenResponse>,
    registered: usize,
}

/// The address of the account with this number.
fn email(number: usize) -> String {
    format!("u{number}@example.com")
}

impl VirtualUser {
    /// Connects, and signs in at `tokens_from` if the scenario needs that.
    pub(crate) fn new(number: usize, server: SocketAddr, tokens_from: Option<SocketAddr>) -> Result<Self, Failure> {
        let mut user = Self::connected(number, server)?;
        if let Some(issuer) = tokens_from {
            let mut elsewhere = Self::connected(number, issuer)?;
            elsewhere.perform(Operation::Login)?;
            user.tokens = elsewhere.tokens;
        }
        Ok(user)
    }

    /// Creates the account with this number.
    pub(crate) fn register(number: usize, server: SocketAddr) -> Result<(), Failure> {
        Self::connected(number, server)?.send_account("/api/auth/register/", &email(number)).map(|_| ())
    }

    pub(crate) const fn number(&self) -> usize {
        self.number
    }

    fn connected(number: usize, server: SocketAddr) -> Result<Self, Failure> {
        let connection = Connection::open(server, number).map_err(|error| error.to_string())?;
        Ok(Self { number, server, connection, tokens: None, registered: 0 })
    }

    /// Performs one operation. A response that refuses is a failure, so that no refusal passes for a fast success.
    pub(crate) fn perform(&mut self, operation: Operation) -> Result<(), Failure> {
        match operation {
            Operation::Verify => {
                let token = json!({"token": self.tokens()?.access});
                self.send("POST", "/api/auth/verify/", None, Some(&token)).map(|_| ())
            }
            Operation::Me => {
                let access = self.tokens()?.access.clone();
                self.send("GET", "/api/auth/me/", Some(&access), None).map(|_| ())
            }
            Operation::Refresh => {
                let refresh = json!({"refresh": self.tokens()?.refresh});
                let response = self.send("POST", "/api/auth/refresh/", None, Some(&refresh))?;
                self.keep_tokens(&response)
            }
            Operation::Login => {
                let response = self.send_account("/api/auth/login/", &email(self.number))?;
                self.keep_tokens(&response)
            }
            Operation::Register => {
                self.registered += 1;
                let email = format!("new-{}-{}-{}@example.com", std::process::id(), self.number, self.registered);
                self.send_account("/api/auth/register/", &email).map(|_| ())
            }
        }
    }

    /// The id of its session.
    pub(crate) fn session(&mut self) -> Result<SessionId, Failure> {
        let access = self.tokens()?.access.clone();
        let response = self.send("GET", "/api/auth/sessions/", Some(&access), None)?;
        let sessions: Vec<SessionResponse> =
            serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
        sessions.first().map(|session| session.id).ok_or_else(|| "no session".to_owned())
    }

    fn tokens(&self) -> Result<&TokenResponse, Failure> {
        self.tokens.as_ref().ok_or_else(|| "no tokens".to_owned())
    }

    fn keep_tokens(&mut self, response: &Response) -> Result<(), Failure> {
        self.tokens = Some(serde_json::from_slice(&response.body).map_err(|error| error.to_string())?);
        Ok(())
    }

    fn send_account(&mut self, path: &'static str, email: &str) -> Result<Response, Failure> {
        self.send("POST", path, None, Some(&json!({"email": email, "password": PASSWORD})))
    }

    fn send(
        &mut self,
        method: &'static str,
        path: &'static str,
        access: Option<&str>,
        json: Option<&Value>,
    ) -> Result<Response, Failure> {
        let json = json.map(Value::to_string);
        let sent = self.connection.send(&Request { method, path, access, json });
        match sent {
            Ok(response) if matches!(response.status, 200 | 201) => Ok(response),
            Ok(response) => Err(format!("{path} {} {}", response.status, String::from_utf8_lossy(&response.body))),
            Err(error) => {
                self.connection = Connection::open(self.server, self.number).map_err(|error| error.to_string())?;
                Err(error.to_string())
            }
        }
    }
}

//! What is sent, and whose name it carries.

use super::task::{Deed, Errand, Sent};
use super::world::{Checked, PEOPLE, World};
use crate::support::{Answer, PASSWORD, forge, send};
use auth_types::SessionId;
use auth_types::responses::{TokenTransport, UserResponse};
use client::policy::{AccessToken, Renewal, Tokens};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

const OTHER_PASSWORD: &str = "another lantern in the harbor 7";

impl World {
    /// A page's request with its access token.
    pub fn page_request(&self, index: usize, access: &AccessToken) -> Sent {
        let person = self.tasks[index].person;
        let Errand::Page { deed, .. } = self.tasks[index].errand else { unreachable!("only pages send such things") };
        let (method, path, body) = match deed {
            Deed::Read => (Method::GET, "/api/auth/me/", Value::Null),
            Deed::SaveProfile => (Method::PATCH, "/api/auth/me/", json!({"display_name": PEOPLE[person]})),
            Deed::ChangePassword => {
                let (old, new) = (self.passwords[person], self.next_password(person));
                (Method::POST, "/api/auth/password/change/", json!({"current_password": old, "new_password": new}))
            }
            Deed::SignOutEverywhere => (Method::POST, "/api/auth/logout/all/", json!({})),
        };
        let sent = self.sent(method, path, body).with("Authorization", format!("Bearer {}", access.as_str()));
        if deed == Deed::ChangePassword { self.with_cookies(sent) } else { sent }
    }

    pub fn login_request(&self, person: usize) -> Sent {
        let body = json!({"email": PEOPLE[person], "password": self.passwords[person]});
        self.with_cookies(self.sent(Method::POST, "/api/auth/login/", body))
    }

    pub fn refresh_request(&self, parent: &Tokens) -> Sent {
        self.renewing("/api/auth/refresh/", parent).with("Idempotency-Key", parent.idempotency_key())
    }

    pub fn logout_request(&self, tokens: &Tokens) -> Sent {
        self.renewing("/api/auth/logout/", tokens)
    }

    fn renewing(&self, path: &'static str, tokens: &Tokens) -> Sent {
        match tokens.renewal() {
            Renewal::Token(refresh) => self.sent(Method::POST, path, json!({"refresh": refresh})),
            Renewal::Cookie { csrf_token } => {
                self.with_cookies(self.sent(Method::POST, path, json!({}))).with("X-CSRF-Token", csrf_token)
            }
        }
    }

    fn sent(&self, method: Method, path: &'static str, body: Value) -> Sent {
        Sent { at: self.browser.now(self.now()), method, path, body, headers: Vec::new() }
    }

    /// With what the browser adds by itself, whoever's it is by now.
    fn with_cookies(&self, sent: Sent) -> Sent {
        match self.transport {
            TokenTransport::Cookie => sent.with("Cookie", self.jar.header()),
            TokenTransport::Body => sent,
        }
    }

    fn next_password(&self, person: usize) -> &'static str {
        if self.passwords[person] == PASSWORD { OTHER_PASSWORD } else { PASSWORD }
    }

    pub async fn request(&self, sent: &Sent) -> Answer {
        let request = self.app.request(sent.method.clone(), sent.path);
        let request = sent.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = if sent.method == Method::GET { request } else { request.json(&sent.body) };
        send(request).await
    }

    /// A request leaves with tokens of this session.
    pub fn check_sender(&self, index: usize, session: SessionId) -> Checked {
        let task = &self.tasks[index];
        prop_assert_eq!(self.owner(session), task.person, "sent in the name of somebody else: {:?}", task.errand);
        Ok(())
    }

    /// The API has done what was asked, for somebody.
    pub fn check_served(&mut self, index: usize, answer: &Answer) -> Checked {
        if !answer.status.is_success() {
            return Ok(());
        }
        let person = self.tasks[index].person;
        let body: Value = answer.json();
        let named = body.get("user").or_else(|| body.get("email").map(|_| &body));
        if let Some(user) = named.and_then(|user| serde_json::from_value::<UserResponse>(user.clone()).ok()) {
            prop_assert_eq!(&user.email, PEOPLE[person], "served as somebody else: {:?}", self.tasks[index].errand);
        }
        match self.tasks[index].errand {
            Errand::Page { deed: Deed::ChangePassword, .. } => {
                self.passwords[person] = self.next_password(person);
                self.given_up.extend(self.sessions_of(person));
                self.note_session(body["access"].as_str().unwrap_or_default(), person);
            }
            Errand::Page { deed: Deed::SignOutEverywhere, .. } => self.given_up.extend(self.sessions_of(person)),
            Errand::SignIn => self.note_session(body["access"].as_str().unwrap_or_default(), person),
            Errand::Page { .. } | Errand::Refresh { .. } | Errand::Parting => {}
        }
        Ok(())
    }
}

impl Sent {
    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The session that an access token names.
pub fn session_of(access: &str) -> SessionId {
    serde_json::from_value(forge::claims(access)["sid"].clone()).unwrap()
}

//! The requests of tasks, and the checks of whose they are.

use super::task::{PageAction, Sent, Step, TaskKind};
use super::world::{Checked, PEOPLE, World};
use crate::support::{PASSWORD, TestResponse, forge, send};
use api::service::steps::REPEAT_WINDOW;
use auth_types::SessionId;
use auth_types::responses::{TokenTransport, UserResponse};
use client::policy::{AccessToken, RefreshCredential, SessionTokens};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

const OTHER_PASSWORD: &str = "another lantern in the harbor 7";

impl World {
    /// A page's request with its access token.
    pub fn page_request(&mut self, index: usize, access: &AccessToken) -> Sent {
        let person = self.tasks[index].person;
        let TaskKind::Page { action, step, .. } = &self.tasks[index].kind else {
            unreachable!("only pages send these requests")
        };
        let (action, step) = (*action, step.clone());
        let (method, path, body) = match action {
            PageAction::Read => (Method::GET, "/api/auth/me/", Value::Null),
            PageAction::SaveProfile => (Method::PATCH, "/api/auth/me/", json!({"display_name": PEOPLE[person]})),
            PageAction::ChangePassword => {
                let step = step.unwrap_or_else(|| self.new_change(person));
                return self.change_request(index, access, step);
            }
            PageAction::SignOutEverywhere => (Method::POST, "/api/auth/logout/all/", json!({})),
        };
        self.sent(method, path, body).with("Authorization", format!("Bearer {}", access.as_str()))
    }

    fn new_change(&mut self, person: usize) -> Step {
        let (old, new) = (self.passwords[person], self.next_password(person));
        self.seeds += 1;
        let key = format!("change-{}", self.seeds);
        Step { key, body: json!({"current_password": old, "new_password": new}), lost: 0 }
    }

    fn change_request(&mut self, index: usize, access: &AccessToken, change: Step) -> Sent {
        let sent = self.sent(Method::POST, "/api/auth/password/change/", change.body.clone());
        let sent = sent.with("Authorization", format!("Bearer {}", access.as_str()));
        let sent = self.with_cookies(sent.with("Idempotency-Key", change.key.clone()));
        if let TaskKind::Page { step, .. } = &mut self.tasks[index].kind {
            *step = Some(change);
        }
        sent
    }

    pub fn login_request(&self, person: usize) -> Sent {
        let body = json!({"email": PEOPLE[person], "password": self.passwords[person]});
        self.with_cookies(self.sent(Method::POST, "/api/auth/login/", body))
    }

    pub fn refresh_request(&self, parent: &SessionTokens) -> Sent {
        self.with_refresh_credential("/api/auth/refresh/", parent).with("Idempotency-Key", parent.idempotency_key())
    }

    pub fn logout_request(&self, tokens: &SessionTokens) -> Sent {
        self.with_refresh_credential("/api/auth/logout/", tokens)
    }

    fn with_refresh_credential(&self, path: &'static str, tokens: &SessionTokens) -> Sent {
        match tokens.refresh_credential() {
            RefreshCredential::Token(refresh) => self.sent(Method::POST, path, json!({"refresh": refresh})),
            RefreshCredential::Cookie { csrf_token } => {
                self.with_cookies(self.sent(Method::POST, path, json!({}))).with("X-CSRF-Token", csrf_token)
            }
        }
    }

    fn sent(&self, method: Method, path: &'static str, body: Value) -> Sent {
        Sent { at: self.browser.now(self.now()), method, path, body, headers: Vec::new() }
    }

    /// Adds the browser's cookies, which may belong to another person by now.
    fn with_cookies(&self, sent: Sent) -> Sent {
        match self.transport {
            TokenTransport::Cookie => sent.with("Cookie", self.jar.header()),
            TokenTransport::Body => sent,
        }
    }

    fn next_password(&self, person: usize) -> &'static str {
        if self.passwords[person] == PASSWORD { OTHER_PASSWORD } else { PASSWORD }
    }

    pub async fn request(&self, sent: &Sent) -> TestResponse {
        let request = self.app.request(sent.method.clone(), sent.path);
        let request = sent.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = if sent.method == Method::GET { request } else { request.json(&sent.body) };
        send(request).await
    }

    /// Checks that a request with tokens of this session is sent for the session's owner.
    pub fn check_sender(&self, index: usize, session: SessionId) -> Checked {
        let task = &self.tasks[index];
        prop_assert_eq!(self.owner(session), task.person, "sent as another person: {:?}", task.kind);
        Ok(())
    }

    /// Checks whom the API has served, and records the effects of the response.
    pub fn check_served(&mut self, index: usize, response: &TestResponse) -> Checked {
        if !response.status.is_success() {
            return self.check_not_served(index);
        }
        let person = self.tasks[index].person;
        let body: Value = response.json();
        let named = body.get("user").or_else(|| body.get("email").map(|_| &body));
        if let Some(user) = named.and_then(|user| serde_json::from_value::<UserResponse>(user.clone()).ok()) {
            prop_assert_eq!(&user.email, PEOPLE[person], "served as another person: {:?}", self.tasks[index].kind);
        }
        match self.tasks[index].kind {
            TaskKind::Page { action: PageAction::ChangePassword, .. } => {
                self.serve_change(index, &body)?;
            }
            TaskKind::Page { action: PageAction::SignOutEverywhere, .. } => self.ended.extend(self.sessions_of(person)),
            TaskKind::SignIn => self.record_session(body["access"].as_str().unwrap_or_default(), person),
            TaskKind::Page { .. } | TaskKind::Refresh { .. } | TaskKind::SignOut => {}
        }
        Ok(())
    }
}

impl World {
    /// Checks a refused change of the password: it was not done before, or its session has ended since.
    fn check_not_served(&self, index: usize) -> Checked {
        let TaskKind::Page { step: Some(step), .. } = &self.tasks[index].kind else { return Ok(()) };
        if let Some((session, at)) = self.changes.get(&step.key) {
            let is_over = self.now() - *at >= REPEAT_WINDOW || self.ended.contains(session);
            prop_assert!(is_over, "a repeated change of the password is refused");
        }
        Ok(())
    }

    /// Records a change of the password, or checks that a repetition returned the same session.
    fn serve_change(&mut self, index: usize, body: &Value) -> Checked {
        let TaskKind::Page { step: Some(step), .. } = &self.tasks[index].kind else { return Ok(()) };
        let (person, access) = (self.tasks[index].person, body["access"].as_str().unwrap_or_default());
        let session = session_of(access);
        let key = step.key.clone();
        if let Some((known, _)) = self.changes.get(&key) {
            prop_assert_eq!(*known, session, "a repetition got another session");
        } else {
            self.changes.insert(key, (session, self.now()));
            self.passwords[person] = self.next_password(person);
            self.ended.extend(self.sessions_of(person));
            self.record_session(access, person);
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

/// The session of an access token.
pub fn session_of(access: &str) -> SessionId {
    serde_json::from_value(forge::claims(access)["sid"].clone()).unwrap()
}

//! A browser as far as the cookie transport needs one: keeps what `Set-Cookie` says, and sends it again.

use super::{PASSWORD, TestApp, TestResponse, send};
use reqwest::Method;
use serde_json::{Value, json};

/// Names and values. Paths and domains are the browser tests' matter.
#[derive(Debug, Clone, Default)]
pub struct Browser(Vec<(String, String)>);

impl Browser {
    /// One that has kept this answer's cookies.
    pub fn of(answer: &TestResponse) -> Self {
        let mut browser = Self::default();
        browser.keep(answer);
        browser
    }

    pub fn keep(&mut self, answer: &TestResponse) {
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            *self = if set.contains("; Max-Age=0") { self.without(name) } else { self.with(name, value) };
        }
    }

    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.without(name);
        changed.0.push((name.to_owned(), value.to_owned()));
        changed
    }

    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(kept, _)| kept != name).cloned().collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The `Cookie` header.
    pub fn header(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn refresh_cookie(&self) -> &str {
        &self.0.iter().find(|(name, _)| name.ends_with("refresh_token")).unwrap().1
    }

    /// What the client sends as `X-CSRF-Token`; empty when it knows none.
    pub fn csrf(&self) -> String {
        let found = self.0.iter().find(|(name, _)| name == "csrf_token");
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// A request with the cookies and the header that repeats one of them.
    pub async fn call(&self, app: &TestApp, path: &str, body: &Value) -> TestResponse {
        let request = app.request(Method::POST, path).header("Cookie", self.header());
        send(request.header("X-CSRF-Token", self.csrf()).json(body)).await
    }

    pub async fn login(&mut self, app: &TestApp, email: &str) -> TestResponse {
        let answer = self.call(app, "/api/auth/login/", &json!({"email": email, "password": PASSWORD})).await;
        self.keep(&answer);
        answer
    }

    pub async fn refresh(&mut self, app: &TestApp) -> TestResponse {
        let answer = self.call(app, "/api/auth/refresh/", &json!({})).await;
        self.keep(&answer);
        answer
    }

    pub async fn logout(&mut self, app: &TestApp) -> TestResponse {
        let answer = self.call(app, "/api/auth/logout/", &json!({})).await;
        self.keep(&answer);
        answer
    }
}

//! A browser's cookie jar, as the cookie transport needs it: keeps what `Set-Cookie` sets, and sends it back.

use super::{PASSWORD, TestApp, TestResponse, send};
use reqwest::Method;
use serde_json::{Value, json};

/// Names and values of cookies. Paths and domains are covered by the browser tests.
#[derive(Debug, Clone, Default)]
pub struct Browser(Vec<(String, String)>);

impl Browser {
    /// A browser with this response's cookies.
    pub fn of(response: &TestResponse) -> Self {
        let mut browser = Self::default();
        browser.keep(response);
        browser
    }

    pub fn keep(&mut self, response: &TestResponse) {
        for set in response.headers.get_all("set-cookie") {
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
        Self(self.0.iter().filter(|(stored, _)| stored != name).cloned().collect())
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

    /// The value that the client sends as `X-CSRF-Token`; empty when it has none.
    pub fn csrf(&self) -> String {
        let found = self.0.iter().find(|(name, _)| name == "csrf_token");
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Sends a request with the cookies, and with the CSRF cookie repeated in its header.
    pub async fn call(&self, app: &TestApp, path: &str, body: &Value) -> TestResponse {
        let request = app.request(Method::POST, path).header("Cookie", self.header());
        send(request.header("X-CSRF-Token", self.csrf()).json(body)).await
    }

    pub async fn login(&mut self, app: &TestApp, email: &str) -> TestResponse {
        let response = self.call(app, "/api/auth/login/", &json!({"email": email, "password": PASSWORD})).await;
        self.keep(&response);
        response
    }

    pub async fn refresh(&mut self, app: &TestApp) -> TestResponse {
        let response = self.call(app, "/api/auth/refresh/", &json!({})).await;
        self.keep(&response);
        response
    }

    pub async fn logout(&mut self, app: &TestApp) -> TestResponse {
        let response = self.call(app, "/api/auth/logout/", &json!({})).await;
        self.keep(&response);
        response
    }
}

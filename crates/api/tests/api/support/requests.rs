//! The requests that tests send most often.

use super::{PASSWORD, TestApp, TestResponse};
use auth_types::requests::{LoginRequest, RefreshRequest, RegisterRequest, VerifyRequest};
use auth_types::responses::TokenResponse;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;

/// Contains a refresh token: a response, or the token itself.
pub trait HoldsRefresh {
    fn refresh_token(&self) -> &str;
}

impl HoldsRefresh for TokenResponse {
    fn refresh_token(&self) -> &str {
        &self.refresh
    }
}

impl HoldsRefresh for str {
    fn refresh_token(&self) -> &str {
        self
    }
}

impl HoldsRefresh for String {
    fn refresh_token(&self) -> &str {
        self
    }
}

impl TestApp {
    pub async fn get(&self, path: &str) -> TestResponse {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> TestResponse {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// A request with an access token.
    pub fn request_as(&self, tokens: &TokenResponse, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&tokens.access)
    }

    pub async fn register(&self, request: &RegisterRequest) -> TestResponse {
        self.post("/api/auth/register/", request).await
    }

    /// Signs in with any name and password.
    pub async fn sign_in(&self, name: &str, password: &str) -> TestResponse {
        let (email, password) = (Some(name.to_owned()), password.to_owned());
        self.post("/api/auth/login/", &LoginRequest { email, username: None, password }).await
    }

    /// The same from another address, for an API that is [`Builder::limited`].
    pub async fn sign_in_from(&self, address: &str, name: &str, password: &str) -> TestResponse {
        let request = self.request(Method::POST, "/api/auth/login/").header("X-Forwarded-For", address);
        let (email, password) = (Some(name.to_owned()), password.to_owned());
        send(request.json(&LoginRequest { email, username: None, password })).await
    }

    /// Signs in a user whose password is [`PASSWORD`].
    pub async fn login(&self, email: &str) -> TokenResponse {
        self.sign_in(email, PASSWORD).await.tokens()
    }

    pub async fn refresh(&self, holder: &(impl HoldsRefresh + ?Sized)) -> TestResponse {
        self.post("/api/auth/refresh/", &refresh_request(holder)).await
    }

    pub async fn refresh_with_key(&self, holder: &(impl HoldsRefresh + ?Sized), key: &str) -> TestResponse {
        let request = self.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", key);
        send(request.json(&refresh_request(holder))).await
    }

    pub async fn verify(&self, token: &str) -> TestResponse {
        self.post("/api/auth/verify/", &VerifyRequest { token: token.to_owned() }).await
    }

    pub async fn logout(&self, holder: &(impl HoldsRefresh + ?Sized)) -> TestResponse {
        self.post("/api/auth/logout/", &refresh_request(holder)).await
    }

    pub async fn logout_all(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request_as(tokens, Method::POST, "/api/auth/logout/all/")).await
    }

    pub async fn me(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request_as(tokens, Method::GET, "/api/auth/me/")).await
    }

    pub async fn sessions(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request_as(tokens, Method::GET, "/api/auth/sessions/")).await
    }
}

fn refresh_request(holder: &(impl HoldsRefresh + ?Sized)) -> RefreshRequest {
    RefreshRequest { refresh: holder.refresh_token().to_owned() }
}

/// Sends the request and reads the whole response.
pub async fn send(request: RequestBuilder) -> TestResponse {
    TestResponse::of(request.send().await.unwrap()).await
}

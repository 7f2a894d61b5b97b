//! Requests about the caller's picture.

use super::pictures::{photo, png};
use super::{TestApp, TestResponse, send};
use auth_types::responses::{AvatarResponse, TokenResponse, UserResponse};
use reqwest::Method;

pub const AVATAR: &str = "/api/auth/me/avatar/";

pub async fn put(app: &TestApp, tokens: &TokenResponse, media_type: &str, content: Vec<u8>) -> TestResponse {
    let request = app.request_as(tokens, Method::PUT, AVATAR).header("Content-Type", media_type);
    send(request.body(content)).await
}

/// Uploads a valid picture and returns its URL.
pub async fn upload(app: &TestApp, tokens: &TokenResponse) -> String {
    let response = put(app, tokens, "image/png", png(&photo(40, 40))).await;
    response.has_status(200);
    response.json::<AvatarResponse>().avatar_url.unwrap()
}

pub async fn remove(app: &TestApp, tokens: &TokenResponse) -> TestResponse {
    send(app.request_as(tokens, Method::DELETE, AVATAR)).await
}

pub async fn url_of_me(app: &TestApp, tokens: &TokenResponse) -> Option<String> {
    app.me(tokens).await.json::<UserResponse>().avatar_url
}

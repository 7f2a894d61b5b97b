//! The `Authorization` header: how a token is sent in it, and what else is refused.

use crate::support::bearer::{assert_refused, bearer, signed_in};
use crate::support::{forge, raw, send};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;

#[actix_web::test]
async fn the_scheme_may_be_written_in_any_case_with_any_spaces_behind_it() {
    let (app, tokens) = signed_in().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "] {
        let request = app.request(Method::GET, "/api/auth/me/");
        send(request.header("Authorization", format!("{scheme} {}", tokens.access))).await.done();
    }
}

#[actix_web::test]
async fn a_token_anywhere_but_in_a_bearer_header_is_no_credential() {
    let (app, TokenResponse { access, .. }) = signed_in().await;
    let me = "/api/auth/me/";
    for value in [
        access.clone(),
        format!("Basic {access}"),
        format!("Token {access}"),
        format!("JWT {access}"),
        format!("Bearer:{access}"),
        format!("Bearer\t{access}"),
        String::new(),
    ] {
        let response = send(app.request(Method::GET, me).header("Authorization", &value)).await;
        response.unauthorized(Reason::CredentialsMissing);
    }
    let elsewhere = [
        app.request(Method::GET, &format!("{me}?token={access}&access_token={access}")),
        app.request(Method::GET, me).header("X-Auth-Token", &access),
        app.request(Method::GET, me).header("Cookie", format!("access={access}; Authorization=Bearer {access}")),
        app.request(Method::GET, me).header("Proxy-Authorization", format!("Bearer {access}")),
    ];
    for request in elsewhere {
        send(request).await.unauthorized(Reason::CredentialsMissing);
    }
}

#[actix_web::test]
async fn a_bearer_header_with_more_than_the_token_opens_nothing() {
    let (app, TokenResponse { access, .. }) = signed_in().await;
    for value in [
        "Bearer".to_owned(),
        format!("Bearer {access} {access}"),
        format!("Bearer {access} x"),
        format!("Bearer {access}, Bearer {access}"),
        format!("Bearer {access},"),
        format!("Bearer \t{access}"),
        format!("Bearer \"{access}\""),
        format!("Bearer token={access}"),
    ] {
        let response = send(app.request(Method::GET, "/api/auth/me/").header("Authorization", &value)).await;
        assert_refused(&response, &value);
    }
}

#[actix_web::test]
async fn two_authorization_headers_are_refused() {
    let (app, TokenResponse { access, .. }) = signed_in().await;
    let (good, bad) = (format!("Bearer {access}"), "Bearer rubbish".to_owned());
    for [first, second] in [[&good, &bad], [&bad, &good], [&good, &good]] {
        let request = app.request(Method::GET, "/api/auth/me/");
        let response = send(request.header("Authorization", first).header("Authorization", second)).await;
        response.problem_of(400, Reason::HeaderMalformed);
    }
}

#[actix_web::test]
async fn a_header_that_is_not_text_opens_nothing() {
    let (app, TokenResponse { access, .. }) = signed_in().await;
    let latin = HeaderValue::from_bytes(format!("Bearer {access}").as_bytes()).unwrap();
    let latin = HeaderValue::from_bytes(&[latin.as_bytes(), b"\xe9"].concat()).unwrap();
    send(app.request(Method::GET, "/api/auth/me/").header("Authorization", latin))
        .await
        .unauthorized(Reason::TokenMalformed);

    for byte in [b"\0", b"\x7f", b"\n"] {
        let head =
            format!("GET /api/auth/me/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer {access}");
        let request = [head.as_bytes(), byte, b"x\r\n\r\n"].concat();
        let response = raw::exchange(app.address(), &request).await.unwrap();
        assert!(matches!(response.status.as_u16(), 400 | 401), "{byte:?} {}", response.status);
        response.problem(response.status.as_u16());
    }
}

#[actix_web::test]
async fn a_token_of_a_megabyte_is_refused() {
    let (app, tokens) = signed_in().await;
    let huge = forge::sign_claims(&forge::claims_with(&tokens.access, "padding", json!("x".repeat(1_000_000))));
    app.verify(&huge).await.problem_of(413, Reason::BodyTooLarge);
    let request =
        format!("GET /api/auth/me/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer {huge}\r\n\r\n");
    if let Some(response) = raw::exchange(app.address(), request.as_bytes()).await {
        assert!(response.status.is_client_error(), "{}", response.status);
    }
    let thirty = forge::sign_claims(&forge::claims_with(&tokens.access, "padding", json!("x".repeat(30_000))));
    let response = bearer(&app, &thirty).await.unwrap();
    assert!(response.status.is_client_error(), "{}", response.status);
    app.me(&tokens).await.done();
}

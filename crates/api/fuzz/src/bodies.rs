//! JSON bodies: any bytes, read as the body of every request.

use api::http::parse_body;
use auth_types::requests::{
    DeleteMeRequest, EmailChangeRequest, EmailResendRequest, EmailVerifyRequest, LoginRequest, PasswordChangeRequest,
    PasswordResetConfirmRequest, PasswordResetRequest, RefreshRequest, RegisterRequest, UpdateMeRequest, VerifyRequest,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// For every type of a body: the bytes are accepted, or refused with a 400.
pub fn run(data: &[u8]) {
    read::<RegisterRequest>(data);
    read::<LoginRequest>(data);
    read::<RefreshRequest>(data);
    read::<VerifyRequest>(data);
    read::<PasswordChangeRequest>(data);
    read::<PasswordResetRequest>(data);
    read::<PasswordResetConfirmRequest>(data);
    read::<EmailVerifyRequest>(data);
    read::<EmailResendRequest>(data);
    read::<EmailChangeRequest>(data);
    read::<UpdateMeRequest>(data);
    read::<DeleteMeRequest>(data);
}

fn read<T: DeserializeOwned + Serialize>(data: &[u8]) {
    let object = serde_json::from_slice::<Value>(data).ok().filter(Value::is_object);
    match parse_body::<T>(data) {
        Ok(request) => {
            assert!(object.is_some(), "accepted, but not an object");
            let text = serde_json::to_string(&request).expect("a request is JSON");
            assert!(!text.contains("\\u0000"), "a NUL was accepted");
        }
        Err(problem) => {
            let body = problem.body("id");
            assert_eq!(body.status, 400);
            // There are two kinds of 400: the one for a body that is not an object names no fields.
            assert_eq!(body.errors.is_empty(), object.is_none(), "{body:?}");
        }
    }
}

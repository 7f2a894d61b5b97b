//! What checking a token costs, without the request around it: `cargo bench -p bench`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has no figures")]

use api::clock::{Clock, ComparedClock, DatabaseClock, SystemClock};
use api::config::{Settings, Variables};
use api::service::tokens::TokenAuthority;
use api::store::sessions::SessionRow;
use auth_types::{Role, SessionId, UserId};
use chrono::Duration;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use uuid::Uuid;

fn main() {
    divan::main();
}

/// An authority with one secret key, and an access token and a refresh token of it.
fn authority() -> (TokenAuthority, String, String) {
    let variables = Variables::default().with("SECRET_KEY", "0123456789abcdef0123456789abcdef-bench");
    let settings = Settings::from_variables(variables).expect("settings");
    let clock = ComparedClock::new(Arc::new(SystemClock));
    let same = || Ok::<_, Infallible>((DatabaseClock::ThisMachine, SystemClock.now()));
    let Ok(()) = clock.compare(same, |_| ());
    let tokens = TokenAuthority::new(&settings.keys, &settings.lifetimes, clock.clone());
    let now = SystemClock.now();
    let session = SessionRow {
        id: SessionId(Uuid::nil()),
        user_id: UserId(123_456),
        generation: 42,
        jti: Uuid::nil().simple().to_string(),
        rotation_key_hash: None,
        rotation_client_hash: None,
        previous_rotation_client_hash: None,
        created_at: now,
        rotated_at: now,
        previous_rotated_at: None,
        expires_at: now + Duration::days(7),
        absolute_expires_at: now + Duration::days(90),
        revoked_at: None,
        ip_address: None,
        user_agent: None,
    };
    let access = tokens.sign_access(&session, Role::User, clock.checked_now().expect("a right clock")).expect("signed");
    let refresh = tokens.sign_refresh(&session).expect("signed");
    (tokens, access.token, refresh)
}

#[divan::bench]
fn verify_access(bencher: divan::Bencher<'_, '_>) {
    let (tokens, access, _) = authority();
    bencher.bench_local(|| tokens.verify_access(black_box(&access)).expect("valid"));
}

#[divan::bench]
fn verify_refresh(bencher: divan::Bencher<'_, '_>) {
    let (tokens, _, refresh) = authority();
    bencher.bench_local(|| tokens.verify_refresh(black_box(&refresh)).expect("valid"));
}

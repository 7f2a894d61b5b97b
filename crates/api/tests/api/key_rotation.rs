//! Changing keys while people are signed in: docs/guides/keys.md, step by step, with an old and a new process side by side.

use crate::support::{Database, KeyPair, ManualClock, SECRET_KEY, TestApp, TestDb, on_both_databases};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use std::sync::Arc;

on_both_databases![
    a_new_secret_signs_nobody_out,
    a_new_key_pair_signs_nobody_out,
    a_change_of_the_curve_signs_nobody_out,
    a_change_from_the_secret_to_a_key_pair_signs_nobody_out,
    a_change_from_a_key_pair_to_the_secret_signs_nobody_out,
    after_an_emergency_key_change_everyone_signs_in_again,
];

const ADA: &str = "ada@example.com";
const NEW_SECRET: &str = "the new secret that is long enough for anyone";

/// The variables of a deployment that are about keys.
type Step = Vec<(&'static str, String)>;

fn secret(current: &str, fallbacks: &str) -> Step {
    vec![("SECRET_KEY", current.to_owned()), ("SECRET_KEY_FALLBACKS", fallbacks.to_owned())]
}

fn ring(algorithm: &str, keys: &[String]) -> Step {
    vec![("JWT_ALGORITHM", algorithm.to_owned()), ("JWT_PRIVATE_KEY", keys.concat())]
}

fn both(one: Step, other: Step) -> Step {
    one.into_iter().chain(other).collect()
}

/// One database and one clock; processes come and go.
struct World {
    db: Arc<TestDb>,
    clock: Arc<ManualClock>,
}

impl World {
    async fn new(database: Database) -> Self {
        let app = TestApp::builder(database).user(ADA).start().await;
        Self { db: app.db().clone(), clock: app.clock().clone() }
    }

    async fn process(&self, step: &Step) -> TestApp {
        let builder = TestApp::builder_on(self.db.clone()).clock(&self.clock);
        step.iter().fold(builder, |builder, (name, value)| builder.set(name, value)).start().await
    }

    /// Rolls each step out: for a while the old process and the new one serve side by side, and each accepts what the
    /// other signs. Before the last step, which drops what is old, a refresh token's lifetime passes.
    async fn roll_out(&self, steps: &[Step]) {
        let mut held = vec![self.process(&steps[0]).await.login(ADA).await];
        for (index, window) in steps.windows(2).enumerate() {
            let (old, new) = (self.process(&window[0]).await, self.process(&window[1]).await);
            if index + 2 == steps.len() {
                held = self.stay_for_a_lifetime(&old, held).await;
            }
            held.extend([old.login(ADA).await, new.login(ADA).await]);
            for tokens in &mut held {
                *tokens = used_at_both(&old, &new, tokens).await;
            }
        }
    }

    /// People come back every day, until no token is as old as the change before.
    async fn stay_for_a_lifetime(&self, app: &TestApp, mut held: Vec<TokenResponse>) -> Vec<TokenResponse> {
        for _ in 0..8 {
            self.clock.advance(chrono::Duration::days(1));
            for tokens in &mut held {
                *tokens = app.refresh(tokens).await.tokens();
            }
        }
        held
    }
}

/// Both processes accept both tokens, and each refreshes what the other issued.
async fn used_at_both(old: &TestApp, new: &TestApp, tokens: &TokenResponse) -> TokenResponse {
    let mut tokens = tokens.clone();
    for (one, other) in [(old, new), (new, old), (old, new)] {
        one.me(&tokens).await.done();
        other.me(&tokens).await.done();
        other.verify(&tokens.refresh).await.done();
        tokens = one.refresh(&tokens).await.tokens();
    }
    new.me(&tokens).await.done();
    old.me(&tokens).await.done();
    tokens
}

async fn a_new_secret_signs_nobody_out(database: Database) {
    let steps = [
        secret(SECRET_KEY, ""),
        secret(SECRET_KEY, NEW_SECRET),
        secret(NEW_SECRET, SECRET_KEY),
        secret(NEW_SECRET, ""),
    ];
    World::new(database).await.roll_out(&steps).await;
}

async fn a_new_key_pair_signs_nobody_out(database: Database) {
    for old in KeyPair::both() {
        let new = old.another();
        let steps = [
            ring(old.algorithm(), &[old.private_pem()]),
            ring(old.algorithm(), &[old.private_pem(), new.public_pem()]),
            ring(old.algorithm(), &[new.private_pem(), old.public_pem()]),
            ring(old.algorithm(), &[new.private_pem()]),
        ];
        World::new(database).await.roll_out(&steps).await;
    }
}

async fn a_change_of_the_curve_signs_nobody_out(database: Database) {
    let [old, new] = KeyPair::both();
    let steps = [
        ring(old.algorithm(), &[old.private_pem()]),
        ring(old.algorithm(), &[old.private_pem(), new.private_pem()]),
        ring(new.algorithm(), &[new.private_pem(), old.private_pem()]),
        ring(new.algorithm(), &[new.private_pem()]),
    ];
    World::new(database).await.roll_out(&steps).await;
}

async fn a_change_from_the_secret_to_a_key_pair_signs_nobody_out(database: Database) {
    for pair in KeyPair::both() {
        let pairs = ring(pair.algorithm(), &[pair.private_pem()]);
        let steps = [
            secret(SECRET_KEY, ""),
            ring("HS256", &[pair.public_pem()]),
            both(pairs.clone(), secret(NEW_SECRET, SECRET_KEY)),
            both(pairs, secret(NEW_SECRET, "")),
        ];
        World::new(database).await.roll_out(&steps).await;
    }
}

async fn a_change_from_a_key_pair_to_the_secret_signs_nobody_out(database: Database) {
    for pair in KeyPair::both() {
        let pairs = ring(pair.algorithm(), &[pair.private_pem()]);
        let steps = [
            pairs.clone(),
            both(pairs, secret(SECRET_KEY, NEW_SECRET)),
            both(ring("HS256", &[pair.public_pem()]), secret(NEW_SECRET, SECRET_KEY)),
            secret(NEW_SECRET, ""),
        ];
        World::new(database).await.roll_out(&steps).await;
    }
}

async fn after_an_emergency_key_change_everyone_signs_in_again(database: Database) {
    let [ed, p256] = KeyPair::both();
    let changes = [
        (secret(SECRET_KEY, ""), secret(NEW_SECRET, ""), Reason::TokenMalformed),
        (ring("EdDSA", &[ed.private_pem()]), ring("EdDSA", &[ed.another().private_pem()]), Reason::KeyUnknown),
        (ring("ES256", &[p256.private_pem()]), ring("ES256", &[p256.another().private_pem()]), Reason::KeyUnknown),
        (ring("EdDSA", &[ed.private_pem()]), secret(SECRET_KEY, ""), Reason::KeyUnknown),
        (secret(SECRET_KEY, ""), ring("ES256", &[p256.private_pem()]), Reason::TokenMalformed),
    ];
    for (leaked, clean, reason) in changes {
        let world = World::new(database).await;
        let tokens = world.process(&leaked).await.login(ADA).await;
        let app = world.process(&clean).await;
        app.me(&tokens).await.unauthorized(reason);
        app.verify(&tokens.access).await.unauthorized(reason);
        app.verify(&tokens.refresh).await.unauthorized(reason);
        app.refresh(&tokens).await.unauthorized(reason);
        app.logout(&tokens).await.unauthorized(reason);
        let again = app.login(ADA).await;
        app.me(&again).await.done();
        app.refresh(&again).await.tokens();
    }
}

/// The claims are always the same; the bytes are the same where signing is deterministic.
#[actix_web::test]
async fn a_repeated_refresh_returns_the_same_token() {
    for pair in KeyPair::both() {
        let app = TestApp::builder(Database::Sqlite).key_pair(&pair).user(ADA).start().await;
        let first = app.login(ADA).await;
        let one = app.refresh_with_key(&first, "attempt-1").await.tokens();
        let other = app.refresh_with_key(&first, "attempt-1").await.tokens();
        assert_eq!(crate::support::forge::claims(&one.refresh), crate::support::forge::claims(&other.refresh));
        assert_eq!(one.refresh == other.refresh, pair.algorithm() == "EdDSA");
        app.refresh(&other).await.tokens();
    }
}

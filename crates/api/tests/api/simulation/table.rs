//! The contract's table without randomness: every history of up to three rotations and every presentation after it, compared
//! with the model.

use super::model::{ClientTraits, Expected, ModelSession, Party, Presentation, Rules};
use crate::support::{Database, TestApp, TestResponse, forge, on_both_databases, send};
use auth_types::SessionId;
use auth_types::requests::RefreshRequest;
use auth_types::responses::TokenResponse;
use chrono::{DateTime, Duration, Utc};
use reqwest::Method;

on_both_databases![every_presentation_gets_the_response_of_the_contract];

const EMAIL: &str = "ada@example.com";
const HOME: ClientTraits = ClientTraits { address: "203.0.113.7", user_agent: "fox/1" };
/// Another address in the same network, which counts as the same client.
const NEXT_DOOR: &str = "203.0.113.254";
const AWAY: ClientTraits = ClientTraits { address: "198.51.100.7", user_agent: "fox/1" };
const OTHER_BROWSER: ClientTraits = ClientTraits { address: "203.0.113.7", user_agent: "fox/2" };
const KEYS: [&str; 3] = ["of the first", "of the second", "of the third"];
/// The time between two rotations, in seconds.
const PAUSE: i64 = 4;
/// The time from the last rotation to the presentation, in seconds: both of the last two rotations are within the leeway, or
/// one, or none; or the clock goes back.
const AGES: [i64; 4] = [0, 7, 11, -1];

/// How the client of a session has refreshed.
#[derive(Debug, Clone, Copy)]
enum Rotated {
    /// With the key of this rotation.
    Keyed,
    Keyless,
    KeylessAway,
}

const ROTATED: [Rotated; 3] = [Rotated::Keyed, Rotated::Keyless, Rotated::KeylessAway];

/// Every sequence of this many rotations.
fn histories(rotations: usize) -> Vec<Vec<Rotated>> {
    (0..rotations).fold(vec![Vec::new()], |shorter, _| {
        shorter.iter().flat_map(|start| ROTATED.map(|next| [&start[..], &[next]].concat())).collect()
    })
}

/// The keys and clients that generation `index` is presented with, after this many rotations.
fn presentations(index: usize, rotations: usize) -> Vec<(Option<&'static str>, ClientTraits)> {
    let superseding = KEYS.get(index).copied().filter(|_| index < rotations);
    let later = KEYS.get(index + 1).copied().filter(|_| index + 1 < rotations);
    let keyless = [HOME, AWAY, OTHER_BROWSER].map(|client| (None, client));
    let keyed = [Some("of no rotation"), superseding, later].into_iter().flatten().map(|key| (Some(key), HOME));
    keyless.into_iter().chain(keyed).collect()
}

struct Table {
    app: TestApp,
    rules: Rules,
}

impl Table {
    fn now(&self) -> DateTime<Utc> {
        api::clock::Clock::now(&**self.app.clock())
    }

    async fn refresh(&self, token: &str, key: Option<&str>, client: ClientTraits) -> TestResponse {
        let request = self.app.request(Method::POST, "/api/auth/refresh/");
        let request = request.header("X-Forwarded-For", client.address).header("User-Agent", client.user_agent);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        send(request.json(&RefreshRequest { refresh: token.to_owned() })).await
    }

    /// Refreshes a new session as `history` describes, and returns its model.
    async fn session(&self, history: &[Rotated]) -> ModelSession {
        let tokens = self.app.login(EMAIL).await;
        let id = forge::claims(&tokens.refresh)["sid"].as_str().unwrap().parse().unwrap();
        let first = (tokens.access.as_str(), tokens.refresh.as_str());
        let mut session = ModelSession::signed_in(SessionId(id), first, self.now(), self.rules);
        let mut token = tokens.refresh;
        for (number, rotated) in history.iter().enumerate() {
            self.app.clock().advance(Duration::seconds(PAUSE));
            let (key, client) = match rotated {
                Rotated::Keyed => (Some(KEYS[number]), HOME),
                Rotated::Keyless => (None, HOME),
                Rotated::KeylessAway => (None, AWAY),
            };
            let next: TokenResponse = self.refresh(&token, key, client).await.tokens();
            let request = Presentation { token: &token, key, client, party: Party::Owner };
            session.rotate(&next.refresh, request, self.now(), self.rules);
            token = next.refresh;
        }
        session
    }

    async fn check(&self, history: &[Rotated], index: usize, age: i64, presented: (Option<&str>, ClientTraits)) {
        let (key, client) = presented;
        let mut session = self.session(history).await;
        self.app.clock().advance(Duration::seconds(age));
        let token = session.tokens().nth(index).unwrap().to_owned();
        let request = Presentation { token: &token, key, client, party: Party::Owner };
        let expected = session.present(request, self.now(), self.rules);
        let client = if client == HOME { ClientTraits { address: NEXT_DOOR, ..client } } else { client };
        let response = self.refresh(&token, key, client).await;
        let what = format!("{history:?}, generation {}, {key:?} from {client:?} after {age} s", index + 1);
        match expected {
            Expected::Successor => {
                let issued: TokenResponse = response.tokens();
                assert!(session.tokens().all(|known| known != issued.refresh), "{what}");
            }
            Expected::Same(live) => {
                assert_eq!(response.status.as_u16(), 200, "{what}: {}", response.text());
                assert_eq!(response.json::<TokenResponse>().refresh, live, "{what}");
            }
            Expected::Refused(reason) => {
                assert_eq!(response.status.as_u16(), 401, "{what}: {}", response.text());
                assert_eq!(response.problem(401).reason, reason, "{what}");
            }
        }
    }

    /// Checks every presentation of the first `generations` after each of the `histories`.
    async fn check_all(&self, histories: &[Vec<Rotated>], generations: usize, ages: &[i64]) {
        for history in histories {
            for index in (0..=history.len()).take(generations) {
                for what in presentations(index, history.len()) {
                    for age in ages {
                        self.check(history, index, *age, what).await;
                    }
                }
            }
        }
    }
}

async fn every_presentation_gets_the_response_of_the_contract(database: Database) {
    for leeway in ["10", "0"] {
        let builder = TestApp::builder(database).user(EMAIL).set("TRUSTED_PROXY_HOPS", "1");
        let app = builder.set("REFRESH_LEEWAY", leeway).start().await;
        let lifetimes = &app.settings().lifetimes;
        let rules = Rules { refresh: lifetimes.refresh, session: lifetimes.session, leeway: lifetimes.leeway };
        let table = Table { app, rules };
        table.check_all(&[histories(0), histories(1)].concat(), 2, &AGES).await;
        if leeway != "0" {
            table.check_all(&histories(2), 3, &AGES).await;
            // The row stores two rotations; whether a third one overwrites the first shows in the older generations.
            table.check_all(&histories(3), 2, &AGES[..1]).await;
        }
    }
}

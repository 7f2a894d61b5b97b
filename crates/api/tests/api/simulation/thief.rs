//! A thief who has copied a browser's tokens, but not the secret behind its keys: calls every route that they open, and
//! refreshes from any network.

use super::browser::refresh_of;
use super::model::{ClientTraits, Party, Presentation};
use super::world::{Checked, World};
use crate::support::{TestResponse, forge, send};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use client::policy::SessionTokens;
use proptest::prelude::*;
use reqwest::Method;
use serde_json::Value;

/// The thief's own client, which no other party uses.
const ELSEWHERE: ClientTraits = ClientTraits { address: "192.0.2.66", user_agent: "thief/1" };
/// Times that follow from a rotation are rounded to this, in seconds.
const STEP_SECONDS: i64 = 300;
/// Shorter than the maximum lifetime of a token.
const LONG_SECONDS: i64 = 14_000;

/// Tokens of one session.
#[derive(Debug, Clone)]
pub struct StolenTokens {
    refresh: String,
    access: String,
    /// The owner's client.
    client: ClientTraits,
    /// The session as the API has shown it to the thief.
    shown: Option<Vec<Value>>,
}

/// The same access token with a longer lifetime, so that the thief can poll for as long as the session lives.
fn prolonged(access: &str) -> String {
    let exp = forge::claims(access)["exp"].as_i64().unwrap() + LONG_SECONDS;
    forge::sign_claims(&forge::claims_with(access, "exp", exp.into()))
}

impl World {
    pub(super) fn steal(&mut self, browser: usize) {
        let browser = &self.browsers[browser];
        let client = browser.client;
        let stored = browser.storage.as_deref().and_then(|text| serde_json::from_str::<SessionTokens>(text).ok());
        let Some(refresh) = stored.as_ref().and_then(refresh_of).or_else(|| browser.cookie.clone()) else { return };
        let id = self.session_of(&refresh);
        let access = prolonged(self.session(id).accesses.last().unwrap());
        self.stolen.push(StolenTokens { refresh, access, client, shown: None });
    }

    /// Chooses among the stolen tokens, counted from the newest.
    fn chosen(&self, index: usize) -> Option<(usize, StolenTokens)> {
        let from_the_end = index.checked_rem(self.stolen.len())?;
        let index = self.stolen.len() - 1 - from_the_end;
        Some((index, self.stolen[index].clone()))
    }

    pub(super) async fn thief_refresh(&mut self, index: usize, disguised: bool, key: bool) -> Checked {
        let Some((_, stolen)) = self.chosen(index) else { return Ok(()) };
        let id = self.session_of(&stolen.refresh);
        self.session(id).was_stolen = true;
        let client = if disguised { stolen.client } else { ELSEWHERE };
        let key = key.then_some("of the thief");
        let response = self.present(Presentation { token: &stolen.refresh, key, client, party: Party::Thief }).await?;
        if response.status.as_u16() == 200 {
            let TokenResponse { refresh, access, .. } = response.json();
            self.stolen.push(StolenTokens { refresh, access: prolonged(&access), shown: None, ..stolen });
        }
        Ok(())
    }

    /// Calls every route, which reveals neither when the owner has refreshed nor whether the session has ended since.
    pub(super) async fn thief_poll(&mut self, index: usize) -> Checked {
        let Some((index, stolen)) = self.chosen(index) else { return Ok(()) };
        let (id, now) = (self.session_of(&stolen.refresh), self.now());
        let session = self.session(id);
        let (is_live, is_expired) = (session.is_live(now), session.is_expired(now));
        let token_has_expired = session.token_has_expired(&stolen.refresh, now);
        let is_newest = session.tokens().last() == Some(stolen.refresh.as_str());
        let verified = self.app.verify(&stolen.refresh).await;
        if is_live && is_newest && !token_has_expired {
            prop_assert_eq!(verified.status.as_u16(), 200);
        } else if !token_has_expired && !is_expired {
            prop_assert_eq!(verified.problem(401).reason, Reason::SessionRevoked);
        }
        let me = self.me(&stolen.access).await;
        prop_assert_eq!(me.status.as_u16(), if is_live { 200 } else { 401 }, "tokens of an ended session are refused");
        let mut shown = Vec::new();
        for path in ["/api/auth/sessions/", "/api/auth/me/export/"] {
            let response = send(self.app.request(Method::GET, path).bearer_auth(&stolen.access)).await;
            prop_assert_eq!(response.status, me.status, "{}", path);
            check_times(&response)?;
            shown.extend(sessions(&response).into_iter().filter(|session| session["id"] == id.to_string()));
        }
        if is_live {
            prop_assert_eq!(shown.len(), 2, "the session is in the list and in the export");
            let before = self.stolen[index].shown.get_or_insert_with(|| shown.clone());
            prop_assert_eq!(&shown, before, "a change reveals when the owner has refreshed");
        }
        Ok(())
    }
}

/// The sessions in a response; none if it is a refusal.
fn sessions(response: &TestResponse) -> Vec<Value> {
    let body: Value = response.json();
    let sessions = if body.is_array() { &body } else { &body["sessions"] };
    sessions.as_array().cloned().unwrap_or_default()
}

/// No time that follows from a rotation is shown exactly.
fn check_times(response: &TestResponse) -> Checked {
    for session in sessions(response) {
        for name in ["last_used_at", "rotated_at", "expires_at"] {
            let Some(at) = session[name].as_str() else { continue };
            let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
            prop_assert_eq!(at.timestamp_micros() % (STEP_SECONDS * 1_000_000), 0, "{} {}", name, at);
        }
        prop_assert!(session["generation"].is_null() && session["previous_rotated_at"].is_null());
    }
    Ok(())
}

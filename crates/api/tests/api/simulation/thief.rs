//! A thief who has copied a browser's tokens, but not what makes its keys: polls all that they open, and refreshes from
//! wherever that may help.

use super::browser::refresh_of;
use super::model::{Origin, Party, Presentation};
use super::world::{Checked, World};
use crate::support::{TestResponse, forge, send};
use auth_types::Reason;
use auth_types::responses::TokenResponse;
use client::policy::SessionTokens;
use proptest::prelude::*;
use reqwest::Method;
use serde_json::Value;

/// Nobody else is there.
const ELSEWHERE: Origin = Origin { address: "192.0.2.66", user_agent: "thief/1" };
/// What times that follow from a rotation are shown in, seconds.
const STEP_SECONDS: i64 = 300;
/// Shorter than any token may live.
const LONG_SECONDS: i64 = 14_000;

/// Tokens of one session.
#[derive(Debug, Clone)]
pub struct Loot {
    refresh: String,
    access: String,
    /// Where their owner is.
    origin: Origin,
    /// What they have shown of their own session.
    shown: Option<Vec<Value>>,
}

/// The same access token as if it lived for days: the thief watches for as long as the session lives.
fn prolonged(access: &str) -> String {
    let exp = forge::claims(access)["exp"].as_i64().unwrap() + LONG_SECONDS;
    forge::sign_claims(&forge::claims_with(access, "exp", exp.into()))
}

impl World {
    pub(super) fn steal(&mut self, browser: usize) {
        let browser = &self.browsers[browser];
        let origin = browser.origin;
        let stored = browser.storage.as_deref().and_then(|text| serde_json::from_str::<SessionTokens>(text).ok());
        let Some(refresh) = stored.as_ref().and_then(refresh_of).or_else(|| browser.cookie.clone()) else { return };
        let id = self.session_of(&refresh);
        let access = prolonged(self.session(id).accesses.last().unwrap());
        self.loot.push(Loot { refresh, access, origin, shown: None });
    }

    /// The newest loot first.
    fn chosen(&self, index: usize) -> Option<(usize, Loot)> {
        let from_the_end = index.checked_rem(self.loot.len())?;
        let index = self.loot.len() - 1 - from_the_end;
        Some((index, self.loot[index].clone()))
    }

    pub(super) async fn thief_refresh(&mut self, index: usize, disguised: bool, key: bool) -> Checked {
        let Some((_, loot)) = self.chosen(index) else { return Ok(()) };
        let id = self.session_of(&loot.refresh);
        self.session(id).robbed = true;
        let origin = if disguised { loot.origin } else { ELSEWHERE };
        let key = key.then_some("of the thief");
        let answer = self.present(Presentation { token: &loot.refresh, key, origin, party: Party::Thief }).await?;
        if answer.status.as_u16() == 200 {
            let TokenResponse { refresh, access, .. } = answer.json();
            self.loot.push(Loot { refresh, access: prolonged(&access), shown: None, ..loot });
        }
        Ok(())
    }

    /// Looks at everything, and learns neither when the owner has refreshed nor whether the session was ended since.
    pub(super) async fn thief_poll(&mut self, index: usize) -> Checked {
        let Some((index, loot)) = self.chosen(index) else { return Ok(()) };
        let (id, now) = (self.session_of(&loot.refresh), self.now());
        let session = self.session(id);
        let (is_live, is_expired) = (session.is_live(now), session.is_expired(now));
        let has_run_out = session.has_run_out(&loot.refresh, now);
        let is_newest = session.tokens().last() == Some(loot.refresh.as_str());
        let verified = self.app.verify(&loot.refresh).await;
        if is_live && is_newest && !has_run_out {
            prop_assert_eq!(verified.status.as_u16(), 200);
        } else if !has_run_out && !is_expired {
            prop_assert_eq!(verified.problem(401).reason, Reason::SessionRevoked);
        }
        let me = self.me(&loot.access).await;
        prop_assert_eq!(me.status.as_u16(), if is_live { 200 } else { 401 }, "a session that is over opens nothing");
        let mut shown = Vec::new();
        for path in ["/api/auth/sessions/", "/api/auth/me/export/"] {
            let answer = send(self.app.request(Method::GET, path).bearer_auth(&loot.access)).await;
            prop_assert_eq!(answer.status, me.status, "{}", path);
            check_times(&answer)?;
            shown.extend(sessions(&answer).into_iter().filter(|session| session["id"] == id.to_string()));
        }
        if is_live {
            prop_assert_eq!(shown.len(), 2, "in the list and in the export");
            let before = self.loot[index].shown.get_or_insert_with(|| shown.clone());
            prop_assert_eq!(&shown, before, "the moment of a change tells when the owner has refreshed");
        }
        Ok(())
    }
}

/// Those that an answer shows; none if it is a refusal.
fn sessions(answer: &TestResponse) -> Vec<Value> {
    let body: Value = answer.json();
    let sessions = if body.is_array() { &body } else { &body["sessions"] };
    sessions.as_array().cloned().unwrap_or_default()
}

/// No time that follows from a rotation is shown exactly.
fn check_times(answer: &TestResponse) -> Checked {
    for session in sessions(answer) {
        for name in ["last_used_at", "rotated_at", "expires_at"] {
            let Some(at) = session[name].as_str() else { continue };
            let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
            prop_assert_eq!(at.timestamp_micros() % (STEP_SECONDS * 1_000_000), 0, "{} {}", name, at);
        }
        prop_assert!(session["generation"].is_null() && session["previous_rotated_at"].is_null());
    }
    Ok(())
}

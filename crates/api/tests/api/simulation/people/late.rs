//! A write that lands too late: a tab has read the storage and decided to keep what the API has answered; before it writes,
//! another tab ends the session, and perhaps somebody else signs in there.

use super::task::Errand;
use super::world::{Checked, ENDLESS, TABS, World};
use auth_types::SessionId;
use client::policy::{self, Effect, SessionTokens, refresh_outcome};
use proptest::prelude::*;

/// Who does what.
#[derive(Debug, Clone, Copy)]
pub struct LateWrite {
    /// The tab whose write is late.
    pub writer: usize,
    /// The tab that ends the session, counted from the writer.
    pub distance: usize,
    /// Who signs in there after that.
    pub person: Option<usize>,
    /// The tab that hears first of what was done to the storage.
    pub first: usize,
}

impl World {
    pub async fn write_late(&mut self, late: LateWrite) -> Checked {
        self.finish_all().await?;
        self.look_everywhere();
        if self.current.is_none() {
            self.begin(late.writer, 0, Errand::SignIn);
            self.finish_all().await?;
            self.look_everywhere();
        }
        let Some(tokens) = self.decide_to_store(late.writer).await? else { return Ok(()) };
        let other = (late.writer + late.distance) % TABS;
        self.sign_out(other)?;
        self.finish_all().await?;
        if let Some(person) = late.person {
            self.begin(other, person, Errand::SignIn);
            self.finish_all().await?;
        }
        self.browser.write(&tokens);
        self.hear_everywhere((other, late.first), tokens.session())
    }

    fn look_everywhere(&mut self) {
        let now = self.now();
        (0..TABS).for_each(|tab| self.browser.look(tab, now));
    }

    /// Refreshes in a tab, and gives what it would store. Nobody else has anything under way.
    async fn decide_to_store(&mut self, tab: usize) -> Checked<Option<SessionTokens>> {
        let Some(parent) = self.browser.tabs[tab].machine.tokens().cloned() else { return Ok(None) };
        let sent = self.refresh_request(&parent);
        let answer = self.request(&sent).await;
        self.jar.keep(&answer);
        let now = self.browser.now(self.now());
        let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
        let exchange = Ok(policy::ApiResponse::new(status, kind, answer.text()).timed(sent.at, now));
        let (seen, outcome) = (self.browser.seen(self.now()), refresh_outcome(&parent, &exchange));
        let effect = self.browser.tabs[tab].machine.apply_refresh(&parent, outcome, seen, 0.5);
        if let Effect::Write(tokens) | Effect::Renew(tokens, _) = effect {
            return Ok(Some(*tokens));
        }
        self.follow(&parent, effect)?;
        Ok(None)
    }

    /// All tabs hear of what was done to the storage, until none does anything about it.
    fn hear_everywhere(&mut self, (signs_out, first): (usize, usize), ended: SessionId) -> Checked {
        let now = self.now();
        for _ in 0..ENDLESS {
            let before = self.browser.storage.clone();
            for tab in (first..first + TABS).map(|tab| tab % TABS) {
                let removed = self.browser.removed(tab);
                self.browser.tell(tab, now);
                let shown = self.browser.tabs[tab].machine.tokens().map(SessionTokens::session);
                prop_assert!(shown.is_none() || shown != removed, "a tab shows what it has heard was removed");
                prop_assert!(
                    tab != signs_out || shown != Some(ended),
                    "a late write brings back what the tab has ended"
                );
            }
            if self.browser.storage == before {
                return self.check_nothing_is_back();
            }
        }
        prop_assert!(false, "tabs write and remove without end");
        Ok(())
    }

    /// Everybody agrees on the session that began since. It may be gone, too: whoever wrote late deletes what it has written,
    /// and with it all that is stored.
    fn check_nothing_is_back(&mut self) -> Checked {
        let stored = self.browser.stored_session();
        prop_assert!(stored.is_none() || stored == self.current, "a late write has won");
        for tab in &self.browser.tabs {
            prop_assert_eq!(
                tab.machine.tokens().map(SessionTokens::session),
                stored,
                "tabs disagree after a late write"
            );
        }
        self.current = stored;
        Ok(())
    }
}

//! A late write: a tab has read the storage and decided to store the tokens that the API returned; before it writes, another tab
//! ends the session, and perhaps another person signs in there.

use super::task::TaskKind;
use super::world::{Checked, MAX_ROUNDS, TABS, World};
use auth_types::SessionId;
use client::policy::{self, Effect, SessionTokens, refresh_outcome};
use proptest::prelude::*;

/// The tabs and the person that take part.
#[derive(Debug, Clone, Copy)]
pub struct LateWrite {
    /// The tab whose write is late.
    pub writer: usize,
    /// The tab that ends the session, counted from the writer.
    pub distance: usize,
    /// The person who signs in there after that.
    pub person: Option<usize>,
    /// The tab that receives the `storage` events first.
    pub first: usize,
}

impl World {
    pub async fn write_late(&mut self, late: LateWrite) -> Checked {
        self.finish_all().await?;
        self.sync_all_tabs();
        if self.current.is_none() {
            self.begin(late.writer, 0, TaskKind::SignIn);
            self.finish_all().await?;
            self.sync_all_tabs();
        }
        let Some(tokens) = self.decide_to_store(late.writer).await? else { return Ok(()) };
        let other = (late.writer + late.distance) % TABS;
        self.sign_out(other)?;
        self.finish_all().await?;
        if let Some(person) = late.person {
            self.begin(other, person, TaskKind::SignIn);
            self.finish_all().await?;
        }
        self.browser.write(&tokens);
        self.deliver_events_to_all(other, late.first, tokens.session())
    }

    fn sync_all_tabs(&mut self) {
        let now = self.now();
        (0..TABS).for_each(|tab| self.browser.sync_from_storage(tab, now));
    }

    /// Refreshes in a tab, and returns the tokens that it would store. No other task is in progress.
    async fn decide_to_store(&mut self, tab: usize) -> Checked<Option<SessionTokens>> {
        let Some(parent) = self.browser.tabs[tab].machine.tokens().cloned() else { return Ok(None) };
        let sent = self.refresh_request(&parent);
        let response = self.request(&sent).await;
        self.jar.keep(&response);
        let now = self.browser.now(self.now());
        let (status, kind) = (response.status.as_u16(), response.header("content-type"));
        let exchange = Ok(policy::ApiResponse::new(status, kind, response.text()).timed(sent.at, now));
        let snapshot = self.browser.snapshot(self.now());
        let outcome = refresh_outcome(&parent, &exchange);
        let effect = self.browser.tabs[tab].machine.apply_refresh(&parent, outcome, snapshot, 0.5);
        if let Effect::Write(tokens) | Effect::Renew(tokens, _) = effect {
            return Ok(Some(*tokens));
        }
        self.apply_decision(&parent, effect)?;
        Ok(None)
    }

    /// Delivers `storage` events to all tabs until none of them changes the storage.
    fn deliver_events_to_all(&mut self, signs_out: usize, first: usize, ended: SessionId) -> Checked {
        let now = self.now();
        for _ in 0..MAX_ROUNDS {
            let before = self.browser.storage.clone();
            for tab in (first..first + TABS).map(|tab| tab % TABS) {
                let removed = self.browser.removed(tab);
                self.browser.deliver_storage_events(tab, now);
                let shown = self.browser.tabs[tab].machine.tokens().map(SessionTokens::session);
                prop_assert!(
                    shown.is_none() || shown != removed,
                    "a tab shows a session whose removal it has received"
                );
                prop_assert!(
                    tab != signs_out || shown != Some(ended),
                    "a late write restores a session that the tab has ended"
                );
            }
            if self.browser.storage == before {
                return self.check_nothing_is_restored();
            }
        }
        prop_assert!(false, "tabs write and delete without end");
        Ok(())
    }

    /// All tabs agree on the session that began since. It may have been deleted, too: the tab that wrote late deletes what it has
    /// written, and with it everything in the storage.
    fn check_nothing_is_restored(&mut self) -> Checked {
        let stored = self.browser.stored_session();
        prop_assert!(stored.is_none() || stored == self.current, "a late write has replaced the current session");
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

//! Keeps this tab in sync with storage.

use super::SessionOwner;
use crate::clock;
use crate::local_storage;
use crate::policy::{Epoch, SessionMachine, StorageSnapshot, TokenPlan};
use auth_types::SessionId;
use leptos::prelude::*;

impl SessionOwner {
    /// Reads storage again and refreshes if that is due: after sleep, after a return from the back-forward cache, when the
    /// tab is visible again.
    pub fn recheck(self) {
        self.sync_from_storage();
        let epoch = self.machine.with_value(SessionMachine::epoch);
        if matches!(self.plan(epoch, None), TokenPlan::Refresh(_)) {
            self.refresh_in_background(epoch);
        }
        self.send_pending_sign_outs();
        self.retry_triggers.update(|count| *count = count.wrapping_add(1));
    }

    /// Reports that the network is back.
    pub fn online(self) {
        self.machine.update_value(SessionMachine::online);
        self.recheck();
        self.revalidate();
    }

    /// Handles a `storage` event; `removed` is the session whose tokens were deleted, if it reports a deletion.
    pub fn on_storage_event(self, removed: Option<SessionId>) {
        if let Some(effect) =
            self.machine.try_update_value(|machine| machine.on_storage_event(removed, storage_snapshot()))
        {
            self.execute(effect);
        }
    }

    pub(super) fn plan(self, epoch: Epoch, refused: Option<&str>) -> TokenPlan {
        self.machine.with_value(|machine| machine.plan(epoch, refused, clock::now()))
    }

    /// Compares the tab's session with storage.
    pub(super) fn sync_from_storage(self) {
        if let Some(effect) = self.machine.try_update_value(|machine| machine.sync_from_storage(storage_snapshot())) {
            self.execute(effect);
        }
    }
}

/// What storage contains now.
pub(super) fn storage_snapshot() -> StorageSnapshot {
    StorageSnapshot { stored: local_storage::read_tokens(), now: clock::now() }
}

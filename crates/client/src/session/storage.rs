//! Keeps this tab in step with what is stored.

use super::Session;
use crate::clock;
use crate::policy::{Epoch, Keeper, Plan, Seen};
use crate::tokens;
use auth_types::SessionId;
use leptos::prelude::*;

impl Session {
    /// Looks at storage again and refreshes if that is due: after sleep, in a page brought back, in a tab looked at again.
    pub fn recheck(self) {
        self.look();
        let epoch = self.keeper.with_value(Keeper::epoch);
        if matches!(self.plan(epoch, None), Plan::Refresh(_)) {
            self.refresh_in_background(epoch);
        }
        self.tell_late();
        self.wakes.update(|wakes| *wakes = wakes.wrapping_add(1));
    }

    /// Says that the network is back.
    pub fn online(self) {
        self.keeper.update_value(Keeper::online);
        self.recheck();
        self.look_again();
    }

    /// Takes a `storage` event; `removed` is the session whose tokens were deleted, if it says that.
    pub fn told(self, removed: Option<SessionId>) {
        if let Some(effect) = self.keeper.try_update_value(|keeper| keeper.told(removed, seen())) {
            self.carry_out(effect);
        }
    }

    pub(super) fn plan(self, epoch: Epoch, refused: Option<&str>) -> Plan {
        self.keeper.with_value(|keeper| keeper.plan(epoch, refused, clock::now()))
    }

    /// Compares what this tab knows with what is stored.
    pub(super) fn look(self) {
        if let Some(effect) = self.keeper.try_update_value(|keeper| keeper.look(seen())) {
            self.carry_out(effect);
        }
    }
}

/// What storage holds now.
pub(super) fn seen() -> Seen {
    Seen { stored: tokens::read(), now: clock::now() }
}

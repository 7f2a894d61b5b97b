//! Keeps this tab in step with what is stored, and does what follows from it.

use super::{Farewell, Session, State, caches};
use crate::clock;
use crate::policy::{Change, Epoch, Keeper, Plan, Seen, Tokens};
use crate::tokens;
use auth_types::SessionId;
use auth_types::responses::UserResponse;
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
        if let Some(change) = self.keeper.try_update_value(|keeper| keeper.told(removed, seen())) {
            self.follow(change);
        }
    }

    pub(super) fn plan(self, epoch: Epoch, refused: Option<&str>) -> Plan {
        self.keeper.with_value(|keeper| keeper.plan(epoch, refused, clock::now()))
    }

    /// Compares what this tab knows with what is stored.
    pub(super) fn look(self) {
        if let Some(change) = self.keeper.try_update_value(|keeper| keeper.look(seen())) {
            self.follow(change);
        }
    }

    pub(super) fn follow(self, change: Change) {
        match change {
            Change::Same | Change::Newer => {}
            Change::Switched => self.enter(None),
            Change::SignedOut => self.leave(Farewell::Elsewhere),
            Change::WriteBack(tokens) => self.write(&tokens),
            Change::Remove => {
                tokens::clear();
                self.leave(Farewell::Elsewhere);
            }
        }
    }

    pub(super) fn write(self, tokens: &Tokens) {
        let written = tokens::write(tokens);
        self.keeper.update_value(|keeper| keeper.wrote(written));
        if !written {
            self.notices.memory_only();
        }
    }

    pub(super) fn enter(self, user: Option<UserResponse>) {
        self.user.set(user);
        self.state.set(State::SignedIn(self.keeper.with_value(Keeper::epoch)));
    }

    /// Shows the sign-in page to whoever is on a protected one. The first reason given counts.
    pub(super) fn leave(self, farewell: Farewell) {
        self.user.set(None);
        if !matches!(self.state.get_untracked(), State::SignedOut(_)) {
            let ended = self.keeper.with_value(Keeper::last_ended);
            let unsettled = tokens::read_unsettled().filter(|unsettled| Some(unsettled.session) == ended);
            self.state.set(State::SignedOut(farewell.after(unsettled.map(|unsettled| unsettled.act))));
        }
    }
}

/// What storage holds now.
pub(super) fn seen() -> Seen {
    Seen { stored: tokens::read(), now: clock::now() }
}

//! The one place where it is carried out what the keeper decides.

use super::{Session, State, caches};
use crate::policy::{Effect, Farewell, Keeper, Renewal, Tokens};
use crate::tokens;
use auth_types::responses::UserResponse;
use leptos::prelude::*;

impl Session {
    pub(super) fn carry_out(self, effect: Effect) {
        match effect {
            Effect::Nothing | Effect::Newer => {}
            Effect::Write(tokens) => self.write(&tokens),
            Effect::Renew(tokens, user) => self.renew(&tokens, *user),
            Effect::Begin(tokens, user) => self.begin_session(&tokens, *user),
            Effect::Switch => self.enter(None),
            Effect::Leave => self.leave(Farewell::Elsewhere),
            Effect::Remove => self.clear(Farewell::Elsewhere),
            Effect::End(reason) => {
                caches::clear();
                self.clear(Farewell::Ended(reason));
            }
            Effect::Forget(_, farewell) => {
                tokens::clear_registration();
                tokens::clear_unsettled();
                caches::clear();
                self.clear(farewell);
            }
            Effect::Pause { trouble, wait } => {
                if let Some(tokens) = self.keeper.with_value(Keeper::tokens_of_unknown_key) {
                    self.write(&tokens);
                }
                // The answer may have looked healthy, so say that it was not.
                self.notices.trouble(trouble, Some(wait));
            }
        }
    }

    fn renew(self, tokens: &Tokens, user: UserResponse) {
        self.write(tokens);
        // The session lives: what was to end it was never done.
        tokens::clear_unsettled_of(tokens.session());
        self.set_user(user);
    }

    fn begin_session(self, tokens: &Tokens, user: UserResponse) {
        self.write(tokens);
        tokens::clear_unsettled();
        if matches!(tokens.renewal(), Renewal::Cookie { .. }) {
            self.forget_late_cookies();
        }
        self.enter(Some(user));
    }

    fn clear(self, farewell: Farewell) {
        tokens::clear();
        self.leave(farewell);
    }

    fn write(self, tokens: &Tokens) {
        let written = tokens::write(tokens);
        self.keeper.update_value(|keeper| keeper.wrote(written));
        if !written {
            self.notices.memory_only();
        }
    }

    fn enter(self, user: Option<UserResponse>) {
        self.user.set(user);
        self.state.set(State::SignedIn(self.keeper.with_value(Keeper::epoch)));
    }

    /// Shows the sign-in page to whoever is on a protected one. The first reason given counts.
    fn leave(self, farewell: Farewell) {
        self.user.set(None);
        // Whoever signs in next may find a server that was set anew.
        self.settings.set_value(None);
        if !matches!(self.state.get_untracked(), State::SignedOut(_)) {
            let ended = self.keeper.with_value(Keeper::last_ended);
            let unsettled = tokens::read_unsettled().filter(|unsettled| Some(unsettled.session) == ended);
            self.state.set(State::SignedOut(farewell.after(unsettled.map(|unsettled| unsettled.act))));
        }
    }
}

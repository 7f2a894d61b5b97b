//! Executes the effects of the session machine, for the whole client.

use super::{SessionOwner, SignInState, caches};
use crate::local_storage;
use crate::policy::{Effect, RefreshCredential, SessionMachine, SessionTokens, SignOutReason};
use auth_types::responses::UserResponse;
use leptos::prelude::*;

impl SessionOwner {
    pub(super) fn execute(self, effect: Effect) {
        match effect {
            Effect::Nothing => {}
            Effect::Write(tokens) => self.write(&tokens),
            Effect::Renew(tokens, user) => self.renew(&tokens, *user),
            Effect::Begin(tokens, user) => self.begin_session(&tokens, *user),
            Effect::Switch => self.set_signed_in(None),
            Effect::ShowSignedOut => self.set_signed_out(SignOutReason::Elsewhere),
            Effect::DeleteEndedSession => self.clear(SignOutReason::Elsewhere),
            Effect::EndSession(reason) => {
                caches::clear();
                self.clear(SignOutReason::Ended(reason));
            }
            Effect::SignOut(_, reason) => {
                local_storage::clear_browser_secret();
                local_storage::clear_unconfirmed_action();
                caches::clear();
                self.clear(reason);
            }
            Effect::Pause { error, wait } => {
                if let Some(tokens) = self.machine.with_value(SessionMachine::tokens_of_unknown_key) {
                    self.write(&tokens);
                }
                // The response may have had a healthy status, which cleared the notice.
                self.notices.report_error(error, Some(wait));
            }
        }
    }

    fn renew(self, tokens: &SessionTokens, user: UserResponse) {
        self.write(tokens);
        // The session is alive, so the action that would have ended it was not carried out.
        local_storage::clear_unconfirmed_action_of(tokens.session());
        self.set_user(user);
    }

    fn begin_session(self, tokens: &SessionTokens, user: UserResponse) {
        self.write(tokens);
        local_storage::clear_unconfirmed_action();
        if matches!(tokens.refresh_credential(), RefreshCredential::Cookie { .. }) {
            self.forget_pending_cookies();
        }
        self.set_signed_in(Some(user));
    }

    fn clear(self, reason: SignOutReason) {
        local_storage::clear_tokens();
        self.set_signed_out(reason);
    }

    fn write(self, tokens: &SessionTokens) {
        let written = local_storage::write_tokens(tokens);
        self.machine.update_value(|machine| machine.on_written(written));
        if !written {
            self.notices.memory_only();
        }
    }

    fn set_signed_in(self, user: Option<UserResponse>) {
        self.user.set(user);
        self.state.set(SignInState::SignedIn(self.machine.with_value(SessionMachine::epoch)));
    }

    /// Leads from protected pages to the sign-in page. The first reason given is kept.
    fn set_signed_out(self, reason: SignOutReason) {
        self.user.set(None);
        // The server's settings may have changed before the next sign-in.
        self.settings.set_value(None);
        if !matches!(self.state.get_untracked(), SignInState::SignedOut(_)) {
            let ended = self.machine.with_value(SessionMachine::last_ended);
            let action = local_storage::read_unconfirmed_action().filter(|action| Some(action.session) == ended);
            self.state.set(SignInState::SignedOut(reason.after(action.map(|action| action.action))));
        }
    }
}

//! Starts the session of a tab.

use super::events;
use super::{SessionOwner, SignInState};
use crate::http::Http;
use crate::notices::Notices;
use crate::policy::SignOutReason;
use leptos::prelude::*;

impl SessionOwner {
    /// Restores the session from storage, and listens for changes by other tabs and the network.
    pub fn start(http: Http, notices: Notices) -> Self {
        let session = Self::new(http, notices);
        session.sync_from_storage();
        if session.state.get_untracked() == SignInState::Unknown {
            session.state.set(SignInState::SignedOut(SignOutReason::Visitor));
        }
        events::listen(session, notices);
        session.send_pending_sign_outs();
        session
    }
}

//! How the session of a tab is taken up.

use super::events;
use super::{Session, State};
use crate::http::Http;
use crate::notices::Notices;
use crate::policy::Farewell;
use leptos::prelude::*;

impl Session {
    /// Takes up what storage holds and listens for what other tabs and the network do.
    pub fn start(http: Http, notices: Notices) -> Self {
        let session = Self::new(http, notices);
        session.look();
        if session.state.get_untracked() == State::Unknown {
            session.state.set(State::SignedOut(Farewell::Visitor));
        }
        events::listen(session, notices);
        session.tell_late();
        session
    }
}

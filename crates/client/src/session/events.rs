//! Events from outside the page: other tabs, the network, sleep, the back button.

use super::SessionOwner;
use crate::local_storage::{PENDING_SIGN_OUTS_KEY, TOKENS_KEY};
use crate::notices::Notices;
use crate::policy::SessionTokens;
use auth_types::SessionId;
use leptos::ev;
use leptos::prelude::*;
use web_sys::{StorageEvent, VisibilityState};

/// Marks the document while it is in the browser's back-forward cache; the stylesheet hides it.
const AWAY: &str = "data-away";

/// Listens for as long as the page exists.
pub(super) fn listen(session: SessionOwner, notices: Notices) {
    window_event_listener(ev::storage, move |event| {
        if event.key().is_none_or(|key| key == TOKENS_KEY) {
            session.on_storage_event(removed_session(&event));
        }
        if event.key().is_none_or(|key| key == PENDING_SIGN_OUTS_KEY) {
            session.sync_pending_sign_outs();
        }
    });
    window_event_listener(ev::online, move |_| {
        notices.online(true);
        session.online();
    });
    window_event_listener(ev::offline, move |_| notices.online(false));
    window_event_listener_untyped("visibilitychange", move |_| {
        if document().visibility_state() == VisibilityState::Visible {
            session.recheck();
            session.revalidate();
        }
    });
    // Two windows side by side are both visible, so visibility alone is not enough.
    window_event_listener(ev::focus, move |_| session.revalidate());
    listen_for_the_back_button(session);
}

/// The session whose tokens were deleted, if the event reports a deletion.
fn removed_session(event: &StorageEvent) -> Option<SessionId> {
    let removed = event.old_value().filter(|_| event.new_value().is_none())?;
    serde_json::from_str(&removed).ok().map(|tokens: SessionTokens| tokens.session())
}

/// A page from the back-forward cache must not show a session that was signed out meanwhile, not even for a moment.
fn listen_for_the_back_button(session: SessionOwner) {
    window_event_listener(ev::pagehide, move |event| {
        if event.persisted() {
            mark_away(true);
        }
    });
    window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            session.recheck();
            session.revalidate();
            // After the effects of that check, which may have removed the page's content.
            request_animation_frame(|| mark_away(false));
        }
    });
}

fn mark_away(away: bool) {
    if let Some(root) = document().document_element() {
        // Only an invalid name could fail.
        let _: Result<bool, wasm_bindgen::JsValue> = root.toggle_attribute_with_force(AWAY, away);
    }
}

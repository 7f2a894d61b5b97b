//! The token of the link that opened this page.

use crate::policy::{Pages, holds_link_token, link_token, restored_address};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// The state of a history entry whose link's token was read.
const TAKEN: &str = "the link was taken";

/// The token of the link that was opened last; `None` when the address has none. When a second link to the same page is opened
/// in this tab, only the fragment changes, and the browser does not load the page again.
pub fn use_link_token() -> RwSignal<Option<String>> {
    let token = RwSignal::new(take_fragment().and_then(|fragment| link_token(&fragment)));
    let listener = window_event_listener(ev::hashchange, move |_| {
        if let Some(fragment) = take_fragment() {
            token.try_set(link_token(&fragment));
        }
    });
    on_cleanup(move || listener.remove());
    token
}

/// Whether the token of this history entry was read before: the page was reloaded, or returned to.
pub fn was_link_taken() -> bool {
    window()
        .history()
        .and_then(|history| history.state())
        .is_ok_and(|state| state.as_string().as_deref() == Some(TAKEN))
}

/// Restores the original address of a mailed link that a mail program has changed. Call this before the router reads the
/// address.
pub fn restore_address(pages: Pages) {
    let location = window().location();
    let parts = [location.pathname(), location.search(), location.hash()].map(Result::unwrap_or_default);
    if let Some(address) = restored_address(&parts.concat(), pages) {
        replace_address(&address, &JsValue::NULL);
    }
}

/// Removes a fragment with a token from the address, at once, so that it stays neither on the screen nor in the history. Other
/// fragments stay.
fn take_fragment() -> Option<String> {
    let location = window().location();
    let fragment = location.hash().ok().filter(|fragment| holds_link_token(fragment))?;
    if let Ok(path) = location.pathname() {
        let state = link_token(&fragment).map_or(JsValue::NULL, |_| TAKEN.into());
        replace_address(&path, &state);
    }
    Some(fragment)
}

fn replace_address(address: &str, state: &JsValue) {
    if let Ok(history) = window().history() {
        // An address of this site is always allowed.
        let _: Result<(), JsValue> = history.replace_state_with_url(state, "", Some(address));
    }
}

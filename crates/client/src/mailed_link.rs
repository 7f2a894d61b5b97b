//! The token of the link that opened this page.

use crate::policy::{Pages, holds_link_token, link_token, restored_address};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// What the entry of the history says when the token of its link was taken.
const TAKEN: &str = "the link was taken";

/// The token of the link that was opened last; `None` when the address held none. A second link to the same page may be opened
/// in this tab: only the fragment changes then, and the browser does not load the page again.
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

/// Whether the link that this entry of the history stands for was taken before: the page was loaded again, or come back to.
pub fn was_link_taken() -> bool {
    window()
        .history()
        .and_then(|history| history.state())
        .is_ok_and(|state| state.as_string().as_deref() == Some(TAKEN))
}

/// Gives the page the address that its mailed link had, where a mail program has changed it. To be called before the router
/// looks at the address.
pub fn restore_address(pages: Pages) {
    let location = window().location();
    let parts = [location.pathname(), location.search(), location.hash()].map(Result::unwrap_or_default);
    if let Some(address) = restored_address(&parts.concat(), pages) {
        replace_address(&address, &JsValue::NULL);
    }
}

/// Takes the fragment that is meant to bring a token out of the address, at once: nobody who looks at the screen, and no entry
/// of the history, keeps it. One that is for something else stays.
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

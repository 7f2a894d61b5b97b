//! The token of the link that opened this page.

use crate::policy::{holds_link_token, link_token};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// The token of the link that was opened last; `None` when the address held none. A second link to the same page may be opened
/// in this tab: only the fragment changes then, and the browser does not load the page again.
#[must_use]
pub fn use_link_token() -> RwSignal<Option<String>> {
    let token_of = |fragment: String| link_token(&fragment).map(str::to_owned);
    let token = RwSignal::new(take_fragment().and_then(token_of));
    let listener = window_event_listener(ev::hashchange, move |_| {
        if let Some(fragment) = take_fragment() {
            token.try_set(token_of(fragment));
        }
    });
    on_cleanup(move || listener.remove());
    token
}

/// Takes the fragment that is meant to bring a token out of the address, at once: nobody who looks at the screen, and no entry
/// of the history, keeps it. One that is for something else stays.
fn take_fragment() -> Option<String> {
    let location = window().location();
    let fragment = location.hash().ok().filter(|fragment| holds_link_token(fragment))?;
    if let (Ok(history), Ok(path)) = (window().history(), location.pathname()) {
        // The same page under a shorter address is always allowed.
        let _: Result<(), JsValue> = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    }
    Some(fragment)
}

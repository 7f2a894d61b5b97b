//! The token of the link that opened this page.

use crate::policy::link_token;
use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Takes the token out of the address, at once: nobody who looks at the screen, and no entry of the history, keeps it.
#[must_use]
pub fn take_link_token() -> Option<String> {
    let location = window().location();
    let fragment = location.hash().ok()?;
    let token = link_token(&fragment).map(str::to_owned);
    if let (Ok(history), Ok(path)) = (window().history(), location.pathname()) {
        // The same page under a shorter address is always allowed.
        let _: Result<(), JsValue> = history.replace_state_with_url(&JsValue::NULL, "", Some(&path));
    }
    token
}

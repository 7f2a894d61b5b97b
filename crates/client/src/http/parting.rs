//! The last request of a session, which must not depend on the page staying open.

use super::API_BASE;
use js_sys::Reflect;
use leptos::prelude::window;
use leptos::task::spawn_local;
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestInit};

/// Posts `body` and does not wait for the answer. It goes out even when the page is closed at once (`keepalive`), which
/// reqwasm cannot ask for; if there is no network, nobody hears it.
pub fn send_parting(path: &str, body: &impl Serialize) {
    let Ok(request) = request(path, body) else { return };
    let answer = JsFuture::from(window().fetch_with_request(&request));
    spawn_local(async move {
        let _: Result<JsValue, JsValue> = answer.await;
    });
}

fn request(path: &str, body: &impl Serialize) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&serde_json::to_string(body).unwrap_or_default().into());
    for (name, value) in [("redirect", "error"), ("credentials", "omit"), ("referrerPolicy", "no-referrer")] {
        Reflect::set(&init, &name.into(), &value.into())?;
    }
    Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE)?;
    Request::new_with_str_and_init(&format!("{API_BASE}{path}"), &init)
}

//! The last request of a session, which must not depend on the page staying open.

use super::Call;
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use js_sys::Reflect;
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestInit};

/// Done when the answer is there, or is known not to come.
pub type Parting = Shared<LocalBoxFuture<'static, ()>>;

/// Posts `call`, which need not be waited for. It goes out even when the page is closed at once (`keepalive`), which
/// reqwasm cannot ask for; if there is no network, nobody hears it.
pub fn send_parting(call: &Call) -> Parting {
    let answer = request(call).map(|request| JsFuture::from(window().fetch_with_request(&request)));
    let heard = async move {
        if let Ok(answer) = answer {
            let _: Result<JsValue, JsValue> = answer.await;
        }
    };
    let heard = heard.boxed_local().shared();
    spawn_local(heard.clone());
    heard
}

fn request(call: &Call) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in call.headers() {
        headers.set(name, &value)?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&call.body.as_ref().map_or(JsValue::NULL, JsValue::from));
    let credentials = if call.cookies { "include" } else { "omit" };
    for (name, value) in [("redirect", "error"), ("credentials", credentials), ("referrerPolicy", "no-referrer")] {
        Reflect::set(&init, &name.into(), &value.into())?;
    }
    Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE)?;
    Request::new_with_str_and_init(&call.url(), &init)
}

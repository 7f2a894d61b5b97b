//! The last request of a session, which must not depend on the page staying open.

use super::{Call, milliseconds};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Reflect;
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestInit};

/// Done when the answer is there, or is known not to come.
pub type Parting = Shared<LocalBoxFuture<'static, ()>>;

/// Posts `call`, which need not be waited for. It goes out even when the page is closed at once (`keepalive`), which
/// reqwasm cannot ask for; if there is no network, nobody hears it. `held` is dropped when it is done.
pub fn send_parting<T: 'static>(call: &Call, held: T) -> Parting {
    let controller = AbortController::new().ok();
    let answer = request(call, controller.as_ref()).map(|request| window().fetch_with_request(&request));
    let patience = TimeoutFuture::new(milliseconds(call.patience));
    let heard = async move {
        if let Ok(answer) = answer {
            select(JsFuture::from(answer), patience).await;
            // An answer after that would take the cookies of a later session away.
            if let Some(controller) = controller {
                controller.abort();
            }
        }
        drop(held);
    };
    let heard = heard.boxed_local().shared();
    spawn_local(heard.clone());
    heard
}

fn request(call: &Call, controller: Option<&AbortController>) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in call.headers() {
        headers.set(name, &value)?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&call.body.as_ref().map_or(JsValue::NULL, JsValue::from));
    init.set_signal(controller.map(AbortController::signal).as_ref());
    let credentials = if call.cookies { "include" } else { "omit" };
    for (name, value) in [("redirect", "error"), ("credentials", credentials), ("referrerPolicy", "no-referrer")] {
        Reflect::set(&init, &name.into(), &value.into())?;
    }
    Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE)?;
    Request::new_with_str_and_init(&call.url(), &init)
}

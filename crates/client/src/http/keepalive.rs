//! The last request of a session, which must not depend on the page staying open.

use super::{ApiRequest, milliseconds};
use crate::policy::{ApiResponse, FetchResult, TransportError, retry_after};
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Reflect;
use leptos::prelude::window;
use std::pin::pin;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestInit, Response};

/// Posts `call` before this returns; what comes back is the wait for the answer. The request goes out even when the page is
/// closed at once (`keepalive`), which reqwasm cannot ask for.
pub fn send_keepalive(call: &ApiRequest) -> impl Future<Output = FetchResult> + use<> {
    let controller = AbortController::new().ok();
    let request = request(call, controller.as_ref()).map(|request| window().fetch_with_request(&request));
    let patience = TimeoutFuture::new(milliseconds(call.patience));
    async move {
        let answer = pin!(async move { read(JsFuture::from(request.ok()?).await.ok()?).await });
        let exchange = match select(answer, patience).await {
            Either::Left((answer, _)) => answer.ok_or(TransportError::Unreachable),
            Either::Right(_) => Err(TransportError::TimedOut),
        };
        // An answer after that would take the cookies of a later session away.
        if let Some(controller) = controller {
            controller.abort();
        }
        exchange
    }
}

async fn read(response: JsValue) -> Option<ApiResponse> {
    let response: Response = response.dyn_into().ok()?;
    let header = |name| response.headers().get(name).ok().flatten();
    let (media_type, asked) = (header("Content-Type"), header("Retry-After"));
    let body = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    let answer = ApiResponse::new(response.status(), &media_type.unwrap_or_default(), body);
    Some(answer.retry_after(asked.and_then(|asked| retry_after(&asked))))
}

fn request(call: &ApiRequest, controller: Option<&AbortController>) -> Result<Request, JsValue> {
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

//! Sends the sign-out, the last request of a session, which must not depend on the page staying open.

use super::response::api_response;
use super::{ApiRequest, milliseconds};
use crate::policy::{ApiResponse, FetchResult, TransportError};
use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Reflect;
use leptos::prelude::window;
use std::pin::pin;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Request, RequestInit, Response};

/// Sends `request` before this returns; the future waits for the response. It arrives even when the page is closed at
/// once (`keepalive`), an option that reqwasm does not have.
pub fn send_keepalive(request: &ApiRequest) -> impl Future<Output = FetchResult> + use<> {
    let controller = AbortController::new().ok();
    let sent = build(request, controller.as_ref()).map(|built| window().fetch_with_request(&built));
    let timeout = TimeoutFuture::new(milliseconds(request.timeout));
    async move {
        let response = pin!(async move { read(JsFuture::from(sent.ok()?).await.ok()?).await });
        let result = match select(response, timeout).await {
            Either::Left((response, _)) => response.ok_or(TransportError::Unreachable),
            Either::Right(_) => Err(TransportError::TimedOut),
        };
        // A response after the timeout would remove the cookies of a later session.
        if let Some(controller) = controller {
            controller.abort();
        }
        result
    }
}

async fn read(response: JsValue) -> Option<ApiResponse> {
    let response: Response = response.dyn_into().ok()?;
    let body = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    Some(api_response(response.status(), body, |name| response.headers().get(name).ok().flatten()))
}

fn build(request: &ApiRequest, controller: Option<&AbortController>) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in request.headers() {
        headers.set(name, &value)?;
    }
    let init = RequestInit::new();
    init.set_method(request.method.name());
    init.set_headers(&headers);
    init.set_body(&request.body.as_ref().map_or(JsValue::NULL, JsValue::from));
    init.set_signal(controller.map(AbortController::signal).as_ref());
    let credentials = if request.cookies { "include" } else { "omit" };
    for (name, value) in [("redirect", "error"), ("credentials", credentials), ("referrerPolicy", "no-referrer")] {
        Reflect::set(&init, &name.into(), &value.into())?;
    }
    Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE)?;
    Request::new_with_str_and_init(&request.url(), &init)
}

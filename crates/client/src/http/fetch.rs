//! The one file that names reqwasm. It re-exports gloo-net 0.1; another library would be exchanged here.

use super::api_request::{ApiRequest, Verb};
use super::timer::milliseconds;
use crate::clock;
use crate::policy::{ApiResponse, FetchResult, Now, TransportError, retry_after};
use gloo_timers::callback::Timeout;
use reqwasm::http::{Method, ReferrerPolicy, Request, RequestCache, RequestCredentials, RequestRedirect, Response};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::AbortController;

/// Sends `call`, and gives up when its patience ends.
pub(super) async fn fetch(call: &ApiRequest) -> FetchResult {
    let controller = AbortController::new().ok();
    let gave_up = Rc::new(Cell::new(false));
    let timer = Timeout::new(milliseconds(call.patience), {
        let (controller, gave_up) = (controller.clone(), Rc::clone(&gave_up));
        move || {
            gave_up.set(true);
            if let Some(controller) = controller {
                controller.abort();
            }
        }
    });
    let signal = controller.as_ref().map(AbortController::signal);
    let answer = exchange(request(call).abort_signal(signal.as_ref())).await;
    drop(timer);
    answer.ok_or(if gave_up.get() { TransportError::TimedOut } else { TransportError::Unreachable })
}

fn request(call: &ApiRequest) -> Request {
    let credentials = if call.cookies { RequestCredentials::Include } else { RequestCredentials::Omit };
    // A redirect would carry the tokens to wherever it points, so there is none.
    let request = Request::new(&call.url())
        .method(method(call.verb))
        .redirect(RequestRedirect::Error)
        .credentials(credentials)
        .cache(RequestCache::NoStore)
        .referrer_policy(ReferrerPolicy::NoReferrer);
    let request = call.headers().fold(request, |request, (name, value)| request.header(name, &value));
    match &call.body {
        Some(body) => request.body(body),
        None => request,
    }
}

const fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
        Verb::Delete => Method::DELETE,
    }
}

/// The answer, read to its end: one that breaks off in the middle is none.
async fn exchange(request: Request) -> Option<ApiResponse> {
    let sent = clock::now();
    let response = request.send().await.ok()?;
    let body = response.text().await.ok()?;
    Some(answer(&response, body, sent))
}

fn answer(response: &Response, body: String, sent: Now) -> ApiResponse {
    let header = |name| response.headers().get(name);
    ApiResponse::new(response.status(), &header("Content-Type").unwrap_or_default(), body)
        .retry_after(header("Retry-After").and_then(|value| retry_after(&value)))
        .timed(sent, clock::now())
}

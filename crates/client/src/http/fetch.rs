//! The one file that names reqwasm, which re-exports gloo-net 0.1. To use another library, change this file.

use super::api_request::{ApiRequest, Method};
use super::response::api_response;
use super::timer::milliseconds;
use crate::clock;
use crate::policy::{ApiResponse, FetchResult, TransportError};
use gloo_timers::callback::Timeout;
use reqwasm::http::{self, ReferrerPolicy, Request, RequestCache, RequestCredentials, RequestRedirect};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::AbortController;

/// Sends `request`, and gives up after its timeout.
pub(super) async fn fetch(request: &ApiRequest) -> FetchResult {
    let controller = AbortController::new().ok();
    let timed_out = Rc::new(Cell::new(false));
    let timer = Timeout::new(milliseconds(request.timeout), {
        let controller = controller.clone();
        let timed_out = Rc::clone(&timed_out);
        move || {
            timed_out.set(true);
            if let Some(controller) = controller {
                controller.abort();
            }
        }
    });
    let signal = controller.as_ref().map(AbortController::signal);
    let response = receive(build(request).abort_signal(signal.as_ref())).await;
    drop(timer);
    response.ok_or(if timed_out.get() { TransportError::TimedOut } else { TransportError::Unreachable })
}

fn build(request: &ApiRequest) -> Request {
    let credentials = if request.cookies { RequestCredentials::Include } else { RequestCredentials::Omit };
    // A redirect would send the tokens to its target, so none is followed.
    let built = Request::new(&request.url())
        .method(method(request.method))
        .redirect(RequestRedirect::Error)
        .credentials(credentials)
        .cache(RequestCache::NoStore)
        .referrer_policy(ReferrerPolicy::NoReferrer);
    let built = request.headers().fold(built, |built, (name, value)| built.header(name, &value));
    match &request.body {
        Some(body) => built.body(body),
        None => built,
    }
}

const fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

/// The complete response; `None` if the connection breaks before its end.
async fn receive(request: Request) -> Option<ApiResponse> {
    let sent = clock::now();
    let response = request.send().await.ok()?;
    let body = response.text().await.ok()?;
    let read = api_response(response.status(), body, |name| response.headers().get(name));
    Some(read.timed(sent, clock::now()))
}

//! The outermost layer: gives each request an id and a log line, each error response its body, and each response its headers.

use super::{cors, headers, limits};
use crate::clock::Stopwatch;
use crate::config::Environment;
use crate::http::metrics::HttpMetrics;
use crate::problem::Problem;
use crate::service::Services;
use crate::service::limits::Meter;
use crate::telemetry;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use auth_types::Reason;
use std::time::Duration;
use uuid::Uuid;

/// Completes the application's responses; the application has turned its own errors into responses.
///
/// # Errors
/// As the application.
pub async fn finish<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Never taken from the client or the proxy: a client that chooses ids can make two requests look like one in the log.
    let id = Uuid::new_v4().simple().to_string();
    telemetry::in_request(id.clone(), respond(request, next, &id)).await
}

async fn respond<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    id: &str,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let services = request.app_data::<Data<Services>>().cloned();
    let metrics = request.app_data::<Data<HttpMetrics>>().cloned();
    let started = Stopwatch::start();
    let meter = Meter::default();
    let response = meter.within(next.call(request)).await?.map_into_boxed_body();
    let (mut response, reason) = with_problem_body(response, id);
    let route = route(&response);
    let environment = services.as_ref().map_or(Environment::Production, |services| services.settings.environment);
    headers::secure(response.headers_mut(), &route, environment);
    cors::remove_without_origin(response.headers_mut());
    limits::add_headers(&mut response, &meter);
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if services.is_some() {
        let finished = FinishedRequest { id, route, duration: started.elapsed() };
        finished.log(&response);
        if let Some(metrics) = metrics {
            finished.count(&metrics, &response, reason);
        }
    }
    Ok(response)
}

/// Gives an error response its problem details: the [`Problem`] of a handler, or one by the status for the framework's own.
/// Headers stay. Also returns the reason, if it is known.
fn with_problem_body(response: ServiceResponse, id: &str) -> (ServiceResponse, Option<Reason>) {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return (response, None);
    }
    let has_body = response.headers().contains_key(header::CONTENT_TYPE);
    let by_handler = response.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    let problem = match by_handler {
        Some(problem) => problem,
        // A handler wrote the body itself. Only a 503, such as readiness, has a reason of Latchkey's.
        None if has_body && is_json(&response) => {
            let reason = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(Reason::Unavailable);
            return (response, reason);
        }
        None => Problem::from_status(status),
    };
    let body = serde_json::to_vec(&problem.body(id)).unwrap_or_default();
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    (response, Some(problem.reason()))
}

fn is_json(response: &ServiceResponse) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// The route's pattern without its trailing slash, or `unmatched`: clients may send any path, so the path is not logged.
fn route(response: &ServiceResponse) -> String {
    let pattern = response.request().match_pattern();
    pattern.map_or_else(|| "unmatched".to_owned(), |pattern| pattern.trim_end_matches('/').to_owned())
}

/// A request that has its response.
struct FinishedRequest<'a> {
    id: &'a str,
    route: String,
    duration: Duration,
}

impl FinishedRequest<'_> {
    /// Logs one line per request, with its id and caller like all its lines. Neither the query nor headers or bodies are logged.
    fn log(&self, response: &ServiceResponse) {
        let Self { id, route, duration } = self;
        let method = response.request().method().as_str();
        let status = response.status().as_u16();
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        log::info!(
            method = method, route = route.as_str(), status = status, duration_ms = duration_ms;
            "http.request: {method} {route} {status} in {duration_ms} ms, request {id}"
        );
    }

    fn count(&self, metrics: &HttpMetrics, response: &ServiceResponse, reason: Option<Reason>) {
        let seconds = self.duration.as_secs_f64();
        let method = response.request().method().as_str();
        metrics.record_request(method, &self.route, response.status().as_u16(), seconds);
        if let Some(reason) = reason {
            metrics.record_error(&self.route, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::HttpResponse;
    use actix_web::test::TestRequest;
    use serde_json::json;

    #[test]
    fn a_json_error_of_a_handler_stays_and_only_a_503_has_a_reason() {
        let cases = [(StatusCode::CONFLICT, None), (StatusCode::SERVICE_UNAVAILABLE, Some(Reason::Unavailable))];
        for (status, expected) in cases {
            let own = HttpResponse::build(status).json(json!({ "by": "the handler" }));
            let response = TestRequest::default().to_srv_response(own);
            let (response, reason) = with_problem_body(response, "id");
            assert_eq!((response.status(), reason), (status, expected));
            assert!(is_json(&response));
        }
    }
}

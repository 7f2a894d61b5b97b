//! The outermost layer: gives each request an id, each failure its body, each answer its headers, and each a log line.

use super::{cors, headers, limits};
use crate::config::Environment;
use crate::http::metrics::HttpMetrics;
use crate::problem::Problem;
use crate::service::Services;
use crate::telemetry;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use auth_types::Reason;
use chrono::Duration;
use uuid::Uuid;

/// Finishes what the application answers.
///
/// # Errors
/// As the application, which answers its errors itself.
pub async fn finish<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Never the client's or the proxy's own: whoever chooses ids can make two requests look like one in the log.
    let id = Uuid::new_v4().simple().to_string();
    telemetry::in_request(id.clone(), answer(request, next, &id)).await
}

async fn answer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    id: &str,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let services = request.app_data::<Data<Services>>().cloned();
    let metrics = request.app_data::<Data<HttpMetrics>>().cloned();
    let started = services.as_ref().map(|services| services.now());
    let response = next.call(request).await?.map_into_boxed_body();
    let (mut response, failure) = with_problem_body(response, id);
    let route = route(&response);
    let environment = services.as_ref().map_or(Environment::Production, |services| services.settings.environment);
    headers::secure(response.headers_mut(), &route, environment);
    cors::say_nothing_to_strangers(response.headers_mut());
    limits::tell(&mut response);
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if let (Some(services), Some(started)) = (services, started) {
        let answered = FinishedRequest { id, route, duration: (services.now() - started).max(Duration::zero()) };
        answered.log(&response);
        if let Some(metrics) = metrics {
            answered.count(&metrics, &response, failure);
        }
    }
    Ok(response)
}

/// Gives a failure its problem details: ours by its own words, the framework's by its status. Headers stay. Answers its
/// reason, too.
fn with_problem_body(response: ServiceResponse, id: &str) -> (ServiceResponse, Option<Reason>) {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return (response, None);
    }
    let has_body = response.headers().contains_key(header::CONTENT_TYPE);
    let ours = response.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    let problem = match ours {
        Some(problem) => problem,
        // A failure that a handler has put into words itself, such as readiness.
        None if has_body && is_json(&response) => return (response, Some(Reason::Unavailable)),
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

/// The route's pattern without its trailing slash. What is no route has no path of its own: anyone may invent one.
fn route(response: &ServiceResponse) -> String {
    let pattern = response.request().match_pattern();
    pattern.map_or_else(|| "unmatched".to_owned(), |pattern| pattern.trim_end_matches('/').to_owned())
}

/// A request that was answered.
struct FinishedRequest<'a> {
    id: &'a str,
    route: String,
    duration: Duration,
}

impl FinishedRequest<'_> {
    /// One line a request, which has its id and who called as all its lines have: the path is logged without its query, and
    /// nothing of headers or bodies.
    fn log(&self, response: &ServiceResponse) {
        let Self { id, route, duration } = self;
        let (method, status) = (response.request().method().as_str(), response.status().as_u16());
        let duration_ms = duration.num_milliseconds();
        log::info!(
            method = method, route = route.as_str(), status = status, duration_ms = duration_ms;
            "http.request: {method} {route} {status} in {duration_ms} ms, request {id}"
        );
    }

    fn count(&self, metrics: &HttpMetrics, response: &ServiceResponse, failure: Option<Reason>) {
        let seconds = self.duration.as_seconds_f64();
        let method = response.request().method().as_str();
        metrics.answer(method, &self.route, response.status().as_u16(), seconds);
        if let Some(reason) = failure {
            metrics.fail(&self.route, reason);
        }
    }
}

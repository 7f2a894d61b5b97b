//! Information about the service itself for clients and operators. Open to everyone, except for the metrics.

use super::extract::Operator;
use crate::metrics;
use crate::problem::{Problem, RETRY_AFTER_SECONDS};
use crate::service::Services;
use crate::service::upkeep::{measure::measure, readiness};
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use auth_types::responses::{ConfigResponse, HealthResponse};
use std::collections::BTreeMap;

/// Returns the settings that a client needs before anyone signs in.
pub(super) async fn config(services: Data<Services>) -> impl Responder {
    let settings = &services.settings;
    Json(ConfigResponse {
        registration: settings.accounts.registration,
        email_verification: settings.accounts.email_verification,
        token_transport: settings.transport.tokens,
        password: settings.passwords.rules,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// How long other services may cache the key set: short compared with the time that a key rotation takes.
const KEY_SET_CACHE: &str = "public, max-age=300";

/// Returns the public keys that verify this API's tokens.
pub(super) async fn key_set(services: Data<Services>) -> impl Responder {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, KEY_SET_CACHE)).json(services.tokens.key_set())
}

/// Reports that the process is alive, without I/O.
pub(super) async fn healthz() -> impl Responder {
    Json(HealthResponse { status: "ok".to_owned(), checks: BTreeMap::new() })
}

/// Reports whether the process can serve requests.
pub(super) async fn readyz(services: Data<Services>) -> impl Responder {
    let checks = readiness::check(&services).await;
    let ready = checks.values().all(Option::is_none);
    let (mut response, status) =
        if ready { (HttpResponse::Ok(), "ok") } else { (HttpResponse::ServiceUnavailable(), "unavailable") };
    if !ready {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
    }
    let row = |(name, problem): (&str, Option<String>)| (name.to_owned(), problem.unwrap_or_else(|| "ok".to_owned()));
    response.json(HealthResponse { status: status.to_owned(), checks: checks.into_iter().map(row).collect() })
}

/// The media types of Prometheus' text: the classic format is the default, and `OpenMetrics` has to be asked for.
const CLASSIC_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Returns the metrics for Prometheus. Open to anyone who holds `METRICS_TOKEN`.
pub(super) async fn metrics(
    services: Data<Services>,
    _: Operator,
    request: HttpRequest,
) -> Result<impl Responder, Problem> {
    measure(&services);
    let text = services.metrics.render().map_err(Problem::internal)?;
    let (content_type, text) = if asks_for_open_metrics(&request) {
        (OPEN_METRICS_TYPE, text)
    } else {
        (CLASSIC_TYPE, metrics::classic(&text))
    };
    let vary = (header::VARY, "Accept");
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, content_type)).append_header(vary).body(text))
}

/// Whether the request accepts `OpenMetrics` with at least the weight of plain text (RFC 9110, section 12.5.1).
fn asks_for_open_metrics(request: &HttpRequest) -> bool {
    let weight = |name: &str| {
        let values = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
        let ranges = values.flat_map(|value| value.split(',')).filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            parts.next()?.eq_ignore_ascii_case(name).then_some(())?;
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            Some(weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
        });
        ranges.fold(0.0, f32::max)
    };
    let open_metrics = weight("application/openmetrics-text");
    open_metrics > 0.0 && open_metrics >= weight("text/plain")
}

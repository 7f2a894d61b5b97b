//! What clients and operators ask about the service itself. Open to everyone, but for the metrics.

use super::extract::Operator;
use crate::metrics::Snapshot;
use crate::problem::{Problem, RETRY_AFTER_SECONDS};
use crate::service::{Services, readiness};
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use auth_types::responses::{ConfigResponse, HealthResponse};
use std::collections::BTreeMap;

/// Tells what a client needs to know before anyone signs in.
pub(super) async fn config(services: Data<Services>) -> impl Responder {
    let settings = &services.settings;
    Json(ConfigResponse {
        registration: settings.accounts.registration,
        email_verification: settings.accounts.email_verification,
        token_transport: settings.transport.transport,
        password: settings.passwords.rules,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// How long whoever verifies tokens may keep the key set: short beside the time that a rotation takes.
const KEY_SET_CACHE: &str = "public, max-age=300";

/// Tells the public keys that verify our tokens.
pub(super) async fn key_set(services: Data<Services>) -> impl Responder {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, KEY_SET_CACHE)).json(services.tokens.key_set())
}

/// Says that the process answers; asks nobody.
pub(super) async fn healthz() -> impl Responder {
    Json(HealthResponse { status: "ok".to_owned(), checks: BTreeMap::new() })
}

/// Says whether the process can do its work.
pub(super) async fn readyz(services: Data<Services>) -> impl Responder {
    let checks = readiness::check(&services).await;
    let ready = checks.values().all(Option::is_none);
    let (mut response, status) =
        if ready { (HttpResponse::Ok(), "ok") } else { (HttpResponse::ServiceUnavailable(), "unavailable") };
    if !ready {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
    }
    let told = |(name, problem): (&str, Option<String>)| (name.to_owned(), problem.unwrap_or_else(|| "ok".to_owned()));
    response.json(HealthResponse { status: status.to_owned(), checks: checks.into_iter().map(told).collect() })
}

/// The type of Prometheus' text, in the form of `OpenMetrics`.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Tells what Prometheus collects. Open to whoever holds `METRICS_TOKEN`.
pub(super) async fn metrics(services: Data<Services>, _: Operator) -> Result<impl Responder, Problem> {
    let text = services.metrics.render(&snapshot(&services)).map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, METRICS_TYPE)).body(text))
}

fn snapshot(services: &Services) -> Snapshot {
    let (hashing_waiting, hashing_running) = services.hashing.load();
    let (connections_idle, connections_used) = services.store.connections();
    let feed_age = services.feed.polled_at().map(|at| services.now() - at);
    Snapshot {
        hashing_waiting,
        hashing_running,
        connections_idle,
        connections_used,
        connections_max: services.settings.database.pool_size,
        feed_age_seconds: feed_age.map_or(f64::INFINITY, chrono::TimeDelta::as_seconds_f64),
        limit_keys: services.limits.keys_in_memory(),
    }
}

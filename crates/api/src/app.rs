//! The wiring that production and tests share.

mod background;

pub use background::run_background_tasks;

use crate::clock::{ComparedClock, SharedClock};
use crate::config::{Environment, Patience, Settings};
use crate::files::{Files, OpenError, Tries};
use crate::gate::{GateMetrics, Resource, Room};
use crate::http::middleware::{
    bound_head, check_origin, cors, finish, hold_refusals, refuse_preflight_in_clear, require_https, watch_requests,
};
use crate::http::{self, ConnectionMetrics, Crowd, HttpMetrics, Turns, Wire};
use crate::metrics::Metrics;
use crate::service::Services;
use crate::service::accounts::export::{ExportMetrics, ExportSlots};
use crate::service::backup::BackupMetrics;
use crate::service::limits::Limits;
use crate::service::mail::{MailMetrics, Mailer, MailerError};
use crate::service::pool::WorkPool;
use crate::service::sessions::SessionMetrics;
use crate::service::sessions::csrf_keys::CsrfKeys;
use crate::service::sessions::revocation_feed::RevocationFeed;
use crate::service::steps::StepKeys;
use crate::service::tokens::Tokens;
use crate::service::upkeep::gauges::Gauges;
use crate::service::upkeep::readiness_cache::Readiness;
use crate::store::Store;
use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Why the application could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start threads: {0}")]
    Threads(#[from] std::io::Error),
    #[error("cannot hash: {0}")]
    Hash(#[from] bcrypt::BcryptError),
    #[error("{0}")]
    Mailer(#[from] MailerError),
    #[error("{0}")]
    Files(#[from] OpenError),
    #[error("REDIS_URL: cannot be used: {0}; write redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT/NUMBER")]
    Redis(#[from] redis::RedisError),
}

/// Puts the services together.
///
/// # Errors
/// [`StartError`].
pub fn services(settings: Settings, clock: SharedClock) -> Result<Services, StartError> {
    let metrics = Metrics::since(clock.now());
    let limits = Limits::new(&settings.limits, &settings.keys, clock.clone(), &metrics)?;
    let gate = |resource| GateMetrics::registered(&metrics, resource);
    let clock = ComparedClock::new(clock);
    Ok(Services {
        store: Store::new(&settings.database, settings.patience, &metrics),
        tokens: Tokens::new(&settings.keys, &settings.lifetimes, clock.clone()),
        csrf: CsrfKeys::new(&settings.keys),
        steps: StepKeys::new(&settings.keys),
        hashing: WorkPool::for_hashing(gate(Resource::Hashing))?,
        pictures: WorkPool::for_pictures(gate(Resource::Pictures))?,
        exports: ExportSlots::new(settings.database.pool_size, ExportMetrics::registered(&metrics)),
        files: Files::open(&settings.storage, Tries::Few, settings.patience)?,
        feed: RevocationFeed::default(),
        readiness: Readiness::default(),
        bodies: Room::for_bodies(&metrics),
        mailer: Mailer::new(
            &settings.mail,
            settings.environment,
            settings.patience.mail,
            MailMetrics::registered(&metrics),
        )?,
        limits,
        session_metrics: SessionMetrics::registered(&metrics),
        backups: BackupMetrics::registered(&metrics),
        gauges: Gauges::registered(&metrics),
        metrics,
        settings,
        clock,
    })
}

/// How much a server takes on.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Threads that serve connections.
    pub workers: usize,
    /// Connections at once. Past three quarters, a new one displaces the one that has waited for its client the longest.
    pub connections: usize,
}

/// Serves on `listener` until it is told to stop; SIGTERM lets requests in flight finish.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(services: Data<Services>, listener: TcpListener, capacity: Capacity) -> std::io::Result<Server> {
    let (environment, patience) = (services.settings.environment, services.settings.patience);
    let proxies = services.settings.server.proxies.clone();
    let crowd = Crowd::of_at_most(capacity.connections, proxies, &ConnectionMetrics::registered(&services.metrics));
    let metrics = Data::new(HttpMetrics::registered(&services.metrics));
    let app = move || {
        App::new()
            .app_data(services.clone())
            .app_data(metrics.clone())
            .configure(|config| http::routes(config, &services.settings))
            .wrap(from_fn(check_origin))
            .wrap(from_fn(require_https))
            .wrap(cors(&services.settings))
            .wrap(from_fn(refuse_preflight_in_clear))
            .wrap(from_fn(bound_head))
            .wrap(from_fn(finish))
            .wrap(from_fn(hold_refusals))
            .wrap(from_fn(watch_requests))
    };
    let server = Server::build()
        .workers(capacity.workers)
        .max_concurrent_connections((capacity.connections / capacity.workers).max(1))
        .shutdown_timeout(patience.shutdown.as_secs());
    let stopping = server.graceful_shutdown_signal();
    let connections = move || {
        let (crowd, turns, stopping) = (crowd.clone(), Turns::default(), stopping.clone());
        let http = HttpService::build()
            // `Wire` watches the time instead.
            .client_request_timeout(Duration::ZERO)
            .keep_alive(KeepAlive::Os)
            .client_disconnect_timeout(patience.linger)
            // Who hung up gets no answer: what nobody waits for is not done.
            .h1_allow_half_closed(false)
            .graceful_shutdown_signal(move || wait_for(stopping.clone()))
            .on_connect_ext(|wire: &Wire<TcpStream>, data| _ = data.insert(wire.requests()));
        let open = move |io| ready(Ok::<_, DispatchError>(open(io, environment, patience, (&crowd, &turns))));
        fn_service(open).and_then(http.finish(map_config(app(), |()| AppConfig::default())))
    };
    Ok(server.listen("api", listener, connections)?.run())
}

/// A connection as the HTTP service takes it.
type Opened = (Wire<TcpStream>, Protocol, Option<SocketAddr>);

fn open(io: TcpStream, environment: Environment, patience: Patience, (crowd, turns): (&Crowd, &Turns)) -> Opened {
    let peer = io.peer_addr().ok();
    // Answers are small and written whole: waiting for more to send would only delay them.
    let _ = io.set_nodelay(true);
    let shared = (crowd, turns, peer.map(|peer| peer.ip()));
    (Wire::new(io, environment, patience, shared), Protocol::Http1, peer)
}

async fn wait_for(stopping: GracefulShutdownSignal) {
    stopping.notified().await;
}

//! The HTTP server of a product.

use super::background;
use super::product::Product;
use crate::http::middleware::{
    bound_head, check_origin, cors, delay_rejections, finish, refuse_plaintext_preflight, require_https, watch_requests,
};
use crate::http::{ConnectionMetrics, HttpMetrics, OpenConnections, PollRounds, WatchedStream, WorkerConnections};
use crate::service::Services;
use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use futures_util::future::{join, join_all};
use std::convert::Infallible;
use std::future::ready;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

impl Product {
    /// Serves on `listener` until a signal stops it; SIGTERM lets requests in flight finish.
    pub fn serve(
        &self,
        services: Data<Services>,
        listener: TcpListener,
        capacity: ServerCapacity,
    ) -> std::io::Result<Server> {
        let environment = services.settings.environment;
        let timeouts = services.settings.timeouts;
        let open_connections = OpenConnections::of_at_most(
            capacity.connections,
            services.settings.server.proxies.clone(),
            &ConnectionMetrics::registered(&services.metrics),
        );
        let metrics = Data::new(HttpMetrics::registered(&services.metrics));
        let endpoints = self.endpoints.clone();
        let states: Vec<_> = self.states.iter().map(|make| make(&services)).collect();
        let app = move || {
            App::new()
                .app_data(services.clone())
                .app_data(metrics.clone())
                .configure(|config| {
                    for install in &states {
                        install(config);
                    }
                    endpoints.configure(config, &services.settings);
                })
                .wrap(from_fn(check_origin))
                .wrap(from_fn(require_https))
                .wrap(cors(&services.settings))
                .wrap(from_fn(refuse_plaintext_preflight))
                .wrap(from_fn(bound_head))
                .wrap(from_fn(finish))
                .wrap(from_fn(delay_rejections))
                .wrap(from_fn(watch_requests))
        };
        let server = Server::build()
            .workers(capacity.workers)
            .max_concurrent_connections((capacity.connections / capacity.workers).max(1))
            .shutdown_timeout(timeouts.shutdown.as_secs());
        let stopping = server.graceful_shutdown_signal();
        let connections = move || {
            let worker = WorkerConnections {
                environment,
                timeouts,
                connections: open_connections.clone(),
                polls: PollRounds::default(),
            };
            let stopping = stopping.clone();
            let http = HttpService::build()
                // `WatchedStream` enforces the timeouts instead.
                .client_request_timeout(Duration::ZERO)
                .keep_alive(KeepAlive::Os)
                .client_disconnect_timeout(timeouts.linger)
                // A client that disconnected gets no response, and its request is cancelled.
                .h1_allow_half_closed(false)
                .graceful_shutdown_signal(move || wait_for(stopping.clone()))
                .on_connect_ext(|stream: &WatchedStream<TcpStream>, data| _ = data.insert(stream.requests()));
            let accept = move |io| ready(Ok::<_, DispatchError>(accept(io, &worker)));
            fn_service(accept).and_then(http.finish(map_config(app(), |()| AppConfig::default())))
        };
        Ok(server.listen("api", listener, connections)?.run())
    }

    /// Runs a feature's job once, as each of its periods would. Returns `None` if no job has this name, and the failure that
    /// `job.failed` would report.
    pub async fn run_job(&self, name: &str, services: Data<Services>) -> Option<Result<(), String>> {
        let job = self.jobs.iter().find(|job| job.name == name)?;
        Some((job.work)(services).await)
    }

    /// Runs the periodic jobs for as long as the process lives.
    pub async fn run_background_tasks(&self, services: Data<Services>) -> Infallible {
        let jobs = join_all(self.jobs.iter().map(|job| background::run(job, &services)));
        join(background::run_builtin(&services), jobs).await.0
    }
}

/// How much a server handles at once.
#[derive(Debug, Clone, Copy)]
pub struct ServerCapacity {
    /// Threads that serve connections.
    pub workers: usize,
    /// Connections at once. Past three quarters, a new one displaces the one that has waited for its client the longest.
    pub connections: usize,
}

/// A connection in the form that the HTTP service expects.
type AcceptedConnection = (WatchedStream<TcpStream>, Protocol, Option<SocketAddr>);

fn accept(io: TcpStream, worker: &WorkerConnections) -> AcceptedConnection {
    let peer = io.peer_addr().ok();
    // Responses are small and written whole: waiting for more to send would only delay them.
    let _ = io.set_nodelay(true);
    (worker.watch(io, peer.map(|peer| peer.ip())), Protocol::Http1, peer)
}

async fn wait_for(stopping: GracefulShutdownSignal) {
    stopping.notified().await;
}

//! `api serve`.

use super::check;
use super::error::CliError;
use super::setup::{clock, prepare_folder};
use crate::app::{Product, ServerCapacity};
use crate::capacity;
use crate::config::{ServerSettings, Settings};
use crate::service::Services;
use crate::service::mail;
use crate::service::upkeep::start;
use crate::telemetry;
use actix_web::rt::net::TcpSocket;
use actix_web::web::Data;
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};

/// Listens first and then waits for the database, so that health checks can see that the process is alive and why it is not
/// ready.
pub(super) async fn serve(product: &Product) -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    check::log_findings(&settings);
    prepare_folder(&settings)?;
    let listener = listen(&settings.server)?;
    let address = listener.local_addr()?;
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let connections = capacity::connections(settings.database.pool_size);
    let services = Data::new(product.services(settings, clock())?);
    let server = product.serve(services.clone(), listener, ServerCapacity { workers, connections })?;
    log::info!(connections = connections; "start.capacity: {connections} connections at once");
    let for_tasks = services.clone();
    let tasks = async move {
        // The server is polled first: from this line on a SIGTERM stops it gracefully.
        log::info!("start.listening: http://{address}");
        run_tasks(product, for_tasks).await
    };
    match select(server, Box::pin(tasks)).await {
        Either::Left((ended, tasks)) => {
            mail::stop(&services, tasks).await;
            ended?;
        }
        Either::Right((Err(error), _)) => return Err(error.into()),
        Either::Right((Ok(never), _)) => match never {},
    }
    log::info!("stop: all requests are finished");
    Ok(())
}

/// Starts the services and runs the background tasks.
async fn run_tasks(product: &Product, services: Data<Services>) -> Result<Infallible, start::DatabaseStartError> {
    if !services.settings.limits.enabled {
        log::warn!("limits.off: RATE_LIMITS=off: passwords can be guessed without end; this is for load tests only");
    }
    services.connect_to_redis().await;
    start::start(&services).await?;
    Ok(product.run_background_tasks(services).await)
}

/// How many connections may wait to be accepted: enough for a burst, since each costs only a handshake. It is also Linux's
/// default limit (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;

fn listen(server: &ServerSettings) -> Result<TcpListener, CliError> {
    let address = SocketAddr::from((server.host, server.port));
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // The port of a previous process can be used again at once.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    listen().map_err(|error| CliError::Message(format!("cannot listen on {address} (HOST, PORT): {error}")))
}

//! The reverse proxy in front of API processes: it forwards requests in turn, and says where they came from.

use super::http_client;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The address of every client (RFC 5737): an API does not count clients on its own machine.
pub const CLIENT: &str = "198.51.100.7";

/// A proxy that runs until the test's runtime ends.
#[derive(Debug)]
pub struct Edge {
    address: SocketAddr,
}

#[derive(Debug)]
struct Line {
    processes: Vec<SocketAddr>,
    proto: &'static str,
    forwarded_for: &'static str,
    turn: AtomicUsize,
    client: reqwest::Client,
}

impl Edge {
    /// Forwards to `processes` in turn; `proto` is the scheme that it reports for every client.
    pub fn before(processes: &[SocketAddr], proto: &'static str) -> Self {
        Self::with_client(processes, proto, CLIENT)
    }

    /// The same with another `X-Forwarded-For`.
    pub fn with_client(processes: &[SocketAddr], proto: &'static str, forwarded_for: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = http_client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let line =
            Data::new(Line { processes: processes.to_vec(), proto, forwarded_for, turn: AtomicUsize::new(0), client });
        let server = HttpServer::new(move || App::new().app_data(line.clone()).default_service(web::to(forward)));
        actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        Self { address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn forward(line: Data<Line>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let process = line.processes[line.turn.fetch_add(1, Ordering::SeqCst) % line.processes.len()];
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut onwards = line.client.request(method, format!("http://{process}{}", request.uri())).body(body);
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "content-length") {
        onwards = onwards.header(name.as_str(), value.as_bytes());
    }
    let received = onwards
        .header("X-Forwarded-For", line.forwarded_for)
        .header("X-Forwarded-Proto", line.proto)
        .send()
        .await
        .unwrap();
    let mut response = HttpResponse::build(received.status().as_u16().try_into().unwrap());
    for (name, value) in received.headers().iter().filter(|(name, _)| *name != "content-length") {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    response.body(received.bytes().await.unwrap())
}

/// What an edge server of Cloudflare and a proxy inside Render append to the client's address.
pub const EDGE: &str = "104.22.17.40";
pub const INNER: &str = "10.21.157.68";

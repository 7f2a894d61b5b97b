//! The timeouts. No variable sets these, because they depend on each other; tests use shorter ones.

use std::time::Duration;

/// Every timeout of the server and of its use of the database.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a request's first line and headers, from the first byte on; also for the first byte of a new connection.
    pub head: Duration,
    /// For the next 16 KiB of a request's body, or its end.
    pub body: Duration,
    /// For the next 64 KiB of a picture, which a telephone sends more slowly.
    pub picture: Duration,
    /// For the next request on an established connection. Longer than proxies keep their connections, so that the proxy
    /// closes them: a request that arrives while the server closes its end would be lost.
    pub idle: Duration,
    /// The same while further connections of the same peer are being refused.
    pub idle_contended: Duration,
    /// For a head or a body, while further connections of the same peer, or bodies of the same client, are being refused.
    pub contended: Duration,
    /// For a client to make progress before its connection makes room for another.
    pub grace: Duration,
    /// For the client to read the next 128 KiB of a response, or its end.
    pub response: Duration,
    /// For a client that is refused because of load, on average, until the same connection takes its next request.
    pub rejection: Duration,
    /// For what a client still sends after a response that did not wait for it; without this the client would see a broken
    /// connection instead of the response.
    pub linger: Duration,
    /// For a permit to use the database, and then for a connection to it.
    pub checkout: Duration,
    /// For the database to run one unit of work. Each statement has less (`store::connection`), unless the network is down.
    pub database: Duration,
    /// For a small file to be stored, read or deleted, retries included. A client waits for it.
    pub file: Duration,
    /// For the next piece of a file that is read in pieces, retries included.
    pub file_piece: Duration,
    /// For a mail server to accept one mail.
    pub mail: Duration,
    /// For requests in flight to finish after SIGTERM. Hosting platforms kill the process after 30 s.
    pub shutdown: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            body: Duration::from_secs(10),
            picture: Duration::from_secs(20),
            idle: Duration::from_mins(2),
            idle_contended: Duration::from_secs(5),
            contended: Duration::from_secs(1),
            grace: Duration::from_millis(300),
            response: Duration::from_secs(30),
            rejection: Duration::from_secs(1),
            linger: Duration::from_secs(2),
            checkout: Duration::from_secs(3),
            database: Duration::from_secs(10),
            file: Duration::from_secs(8),
            file_piece: Duration::from_secs(90),
            mail: Duration::from_mins(1),
            shutdown: Duration::from_secs(25),
        }
    }
}

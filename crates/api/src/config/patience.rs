//! How long anything may take. No variable sets these: they fit each other. Tests are less patient.

use std::time::Duration;

/// Every time-out of the server and of its use of the database.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a request's first line and headers, from the first byte on; also for the first byte of a new connection.
    pub head: Duration,
    /// For the next 16 KiB of a request's body, or its end.
    pub body: Duration,
    /// For the next 64 KiB of a picture, which a telephone sends more slowly.
    pub picture: Duration,
    /// For the next request on a connection that has had one. Longer than proxies keep their connections, so that it is
    /// they who close: a request that meets our end would be lost.
    pub idle: Duration,
    /// The same while others of the same peer are refused.
    pub idle_crowded: Duration,
    /// For a head or a body, while others of the same peer, or of the same client's bodies, are refused.
    pub hurry: Duration,
    /// For a client that is waited for, however many others want its connection's place.
    pub chance: Duration,
    /// For the client to take the next 128 KiB of an answer, or its end.
    pub answer: Duration,
    /// For a client that is refused because of load, on average, until it may ask again on the same connection.
    pub refusal: Duration,
    /// For what a client still sends after an answer that did not wait for it; without this it would see its connection
    /// broken and not the answer.
    pub linger: Duration,
    /// For a turn at the database, and then for a connection to it.
    pub checkout: Duration,
    /// For the database to do what was asked. Each statement has less (`store::connection`), unless the line is dead.
    pub database: Duration,
    /// For a small file to be kept, read or deleted, further tries included. Somebody waits for it.
    pub file: Duration,
    /// For the next piece of a file that is read piece by piece, further tries included.
    pub file_piece: Duration,
    /// For a mail server to take one mail.
    pub mail: Duration,
    /// For requests in flight to finish after SIGTERM. Platforms kill after 30 s.
    pub shutdown: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            body: Duration::from_secs(10),
            picture: Duration::from_secs(20),
            idle: Duration::from_mins(2),
            idle_crowded: Duration::from_secs(5),
            hurry: Duration::from_secs(1),
            chance: Duration::from_millis(300),
            answer: Duration::from_secs(30),
            refusal: Duration::from_secs(1),
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

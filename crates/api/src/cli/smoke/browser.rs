//! Sends requests: without following redirects, and with timeouts.

use super::response::{CheckFailure, SmokeResponse};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, redirect};
use std::error::Error;
use std::time::Duration;

/// Long enough for a service that its platform has suspended.
const REQUEST: Duration = Duration::from_mins(1);
const CONNECT: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is waited for.
const SHORT_WAIT_SECONDS: u64 = 10;
/// The maximum size of a response body.
const LARGEST_BODY: usize = 64 << 20;

/// The HTTP client of all checks.
#[derive(Debug)]
pub(super) struct Browser {
    client: Client,
}

impl Browser {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(REQUEST)
            .connect_timeout(CONNECT)
            // Each request opens a new connection, so that the load balancer chooses a process each time.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("latchkey-smoke/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    pub(super) fn request(&self, method: reqwest::Method, url: String) -> RequestBuilder {
        self.client.request(method, url)
    }

    pub(super) fn get(&self, url: String) -> RequestBuilder {
        self.request(reqwest::Method::GET, url)
    }

    /// The response. After a 429 with a short `Retry-After` the request is repeated once.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<SmokeResponse, CheckFailure> {
        let again = request.try_clone();
        let response = receive(request).await?;
        match (wait_asked_for(&response), again) {
            (None, _) => Ok(response),
            (Some(seconds @ ..=SHORT_WAIT_SECONDS), Some(request)) => {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                let response = receive(request).await?;
                wait_asked_for(&response).map_or(Ok(response), |seconds| Err(limited(seconds)))
            }
            (Some(seconds), _) => Err(limited(seconds)),
        }
    }
}

fn limited(seconds: u64) -> CheckFailure {
    CheckFailure::Failed(format!("limited: the API asks to come back in {seconds} s"))
}

fn wait_asked_for(response: &SmokeResponse) -> Option<u64> {
    (response.status == 429).then(|| response.header(RETRY_AFTER.as_str()).parse().unwrap_or(u64::MAX))
}

async fn receive(request: RequestBuilder) -> Result<SmokeResponse, CheckFailure> {
    let mut response = request.send().await.map_err(|error| no_response(&error))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let peer = response.remote_addr();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_response(&error))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(CheckFailure::failed("the response does not end"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(SmokeResponse { status, headers, body, peer })
}

/// The innermost cause is the most specific: "connection refused", "certificate has expired".
fn no_response(error: &reqwest::Error) -> CheckFailure {
    let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
    let cause = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    let what = if error.is_timeout() { "no response in time" } else { "no response" };
    CheckFailure::Failed(format!("{what}: {cause}"))
}

//! What sends the tests' requests.

use reqwest::{Client, ClientBuilder};

/// For the tests' own servers, which speak HTTP without TLS. It asks no proxy of the environment and trusts no certificate:
/// reading all of the system's takes longer than most tests.
pub fn http_client() -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([])
}

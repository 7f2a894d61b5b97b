//! The HTTP client of the tests.

use reqwest::{Client, ClientBuilder};

/// For the tests' own servers, which speak HTTP without TLS. It uses no proxy from the environment and trusts no certificate:
/// loading all certificates of the system takes longer than most tests.
pub fn http_client() -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([])
}

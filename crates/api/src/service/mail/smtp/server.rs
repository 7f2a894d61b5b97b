//! The mail server that `EMAIL_URL` names.

use crate::config::decoded;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// How long the server may take to reply to `QUIT`, or to show that a reused connection is alive.
pub(super) const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// A mail server.
pub(in crate::service::mail) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) credentials: Option<Credentials>,
    /// For one mail, from the connection to the last reply.
    pub(super) timeout: Duration,
}

/// Omits the fields, because they hold a password.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT` and `smtps://…`.
    ///
    /// `smtp://` requires STARTTLS, except from a server on this machine, which rarely has a certificate; `?tls=required` requires it
    /// there, too. `?ca_file=PATH` trusts the authority in that PEM file in addition to the public ones.
    ///
    /// # Errors
    /// What is wrong and how to fix it, without the password.
    pub(in crate::service::mail) fn new(url: &SecretString, timeout: Duration) -> Result<Self, String> {
        let url = Url::parse(url.expose_secret()).map_err(|_| "is not a URL such as smtp://HOST:587".to_owned())?;
        let host = url.host().ok_or("names no host; write smtp://HOST:587")?;
        let name = bare(&host);
        let is_local = is_loopback(&name);
        let (tls_is_required, roots) = read_parameters(&url)?;
        let tls = TlsParameters::builder(name.clone()).certificate_store(CertificateStore::WebpkiRoots);
        let tls =
            roots.into_iter().fold(tls, lettre::transport::smtp::client::TlsParametersBuilder::add_root_certificate);
        let tls = tls.build_rustls().map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let (tls, port) = match url.scheme() {
            "smtps" => (Tls::Wrapper(tls), 465),
            _ if is_local && !tls_is_required => (Tls::None, 25),
            _ => (Tls::Required(tls), 587),
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (_, None) | ("", Some(_)) => {
                return Err(
                    "has a user or a password without the other; write smtp://USER:PASSWORD@HOST:587".to_owned()
                );
            }
            (user, Some(password)) => Some(Credentials::new(decoded(user), decoded(password))),
        };
        Ok(Self { host: name, port: url.port().unwrap_or(port), tls, credentials, timeout })
    }
}

fn read_parameters(url: &Url) -> Result<(bool, Vec<Certificate>), String> {
    let mut tls_is_required = false;
    let mut roots = Vec::new();
    for (name, value) in url.query_pairs() {
        match (name.as_ref(), value.as_ref()) {
            ("tls", "required") => tls_is_required = true,
            ("ca_file", path) => {
                let pem = std::fs::read(path).map_err(|error| format!("ca_file={path} cannot be read: {error}"))?;
                roots
                    .push(Certificate::from_pem(&pem).map_err(|_| format!("ca_file={path} holds no PEM certificate"))?);
            }
            (other, _) => return Err(format!("{other}= is not known; there are tls=required and ca_file=PATH")),
        }
    }
    Ok((tls_is_required, roots))
}

/// The host in the form for a resolver: an IPv6 address without brackets.
fn bare(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => (*name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// `url` parses IPv4 addresses in the web's own schemes only; in other schemes they are names.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Duration, Server, is_loopback};

    #[test]
    fn only_connections_to_this_machine_are_unencrypted() {
        for local in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(local), "{local}");
        }
        for elsewhere in ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0", "::", "mail"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn an_invalid_url_is_reported_without_the_password() {
        for (url, part) in [
            ("smtp://ada@mail.example.com", "USER:PASSWORD"),
            ("smtp://:hidden@mail.example.com", "USER:PASSWORD"),
            ("smtp://mail.example.com?tls=maybe", "tls="),
            ("smtp://a:hidden@mail.example.com?ca_file=/nowhere/ca.pem", "cannot be read"),
        ] {
            let problem = Server::new(&url.into(), Duration::ZERO).err().unwrap_or_default();
            assert!(problem.contains(part) && !problem.contains("hidden"), "{url}: {problem}");
        }
        for url in ["smtp://mail.example.com", "smtps://a:b@mail.example.com:465", "smtp://[::1]:1025"] {
            assert!(Server::new(&url.into(), Duration::ZERO).is_ok(), "{url}");
        }
    }
}

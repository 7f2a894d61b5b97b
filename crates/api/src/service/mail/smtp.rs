//! A mail server, by SMTP.

use super::transport::SendError;
use crate::config::decoded;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::response::{Category, Severity};
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How long the server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections that are kept for the next mail.
const POOL_SIZE: u32 = 4;

/// Why a mail server cannot be used. It may repeat what it was told.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error("hangs up")]
    HungUp,
    #[error(transparent)]
    Server(#[from] Error),
}

/// A mail server.
pub(super) struct Smtp {
    builder: AsyncSmtpTransportBuilder,
}

/// The builder holds a password.
impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

impl Smtp {
    /// Reads `smtp://USER:PASSWORD@HOST:PORT` and `smtps://…`.
    ///
    /// `smtp://` demands STARTTLS, except from a server on this machine, which few give a certificate; `?tls=required`
    /// demands it there, too. `?ca_file=PATH` trusts the authority in that PEM file besides the public ones.
    ///
    /// # Errors
    /// What is wrong and how to mend it; never the password.
    pub(super) fn new(url: &SecretString) -> Result<Self, String> {
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
        let builder = Transport::builder_dangerous(name)
            .tls(tls)
            .port(url.port().unwrap_or(port))
            .timeout(Some(CONNECT_TIMEOUT))
            .pool_config(PoolConfig::new().max_size(POOL_SIZE));
        let builder = match (url.username(), url.password()) {
            ("", None) => builder,
            (_, None) | ("", Some(_)) => {
                return Err(
                    "has a user or a password without the other; write smtp://USER:PASSWORD@HOST:587".to_owned()
                );
            }
            (user, Some(password)) => builder.credentials(Credentials::new(decoded(user), decoded(password))),
        };
        Ok(Self { builder })
    }

    /// A pool of connections, opened as they are needed. Only on an async worker, where it must be dropped, too.
    pub(super) fn open(&self) -> Connections {
        Connections(self.builder.clone().build())
    }

    pub(super) async fn test(&self) -> Result<(), TestError> {
        if self.open().0.test_connection().await? { Ok(()) } else { Err(TestError::HungUp) }
    }
}

/// Connections to a mail server.
pub(super) struct Connections(Transport);

impl Connections {
    pub(super) async fn send(&self, message: Message) -> Result<(), SendError> {
        match self.0.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if is_final(&error) => Err(SendError::Refused(told(&error))),
            Err(error) => Err(SendError::Failed(told(&error))),
        }
    }
}

/// The server's own words often repeat the recipient's address: of an answer only the code is told.
fn told(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answers {code}"),
        None => format!("the mail server cannot be used: {error}"),
    }
}

/// 55x speaks of the mailbox or the mail (RFC 5321, section 4.2.3). Any other 5xx speaks of us, a wrong password among
/// them, and ends when the operator has mended it.
fn is_final(error: &Error) -> bool {
    error.status().is_some_and(|code| {
        code.severity == Severity::PermanentNegativeCompletion && code.category == Category::MailSystem
    })
}

fn read_parameters(url: &Url) -> Result<(bool, Vec<Certificate>), String> {
    let (mut tls_is_required, mut roots) = (false, Vec::new());
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

/// The host as a resolver takes it: an IPv6 address without its brackets.
fn bare(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => (*name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// `url` knows IPv4 addresses in the web's own schemes only; elsewhere one is a name.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Smtp, is_loopback};

    #[test]
    fn only_this_machine_is_spoken_to_in_clear() {
        for local in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(local), "{local}");
        }
        for elsewhere in ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0", "::", "mail"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn what_cannot_be_a_server_is_told_without_the_password() {
        for (url, part) in [
            ("smtp://ada@mail.example.com", "USER:PASSWORD"),
            ("smtp://:hidden@mail.example.com", "USER:PASSWORD"),
            ("smtp://mail.example.com?tls=maybe", "tls="),
            ("smtp://a:hidden@mail.example.com?ca_file=/nowhere/ca.pem", "cannot be read"),
        ] {
            let problem = Smtp::new(&url.into()).err().unwrap_or_default();
            assert!(problem.contains(part) && !problem.contains("hidden"), "{url}: {problem}");
        }
        for url in ["smtp://mail.example.com", "smtps://a:b@mail.example.com:465", "smtp://[::1]:1025"] {
            assert!(Smtp::new(&url.into()).is_ok(), "{url}");
        }
    }
}

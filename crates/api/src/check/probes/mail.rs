//! Whether the mail server lets us in, or the folder takes a file.

use super::{ANSWER_TIMEOUT, PATIENCE, no_answer_in_time, told, write_into};
use crate::check::finding::Finding;
use crate::check::secrets::decoded;
use crate::check::{Facts, rules};
use crate::config::MailUrl;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::{Error, SUBMISSION_PORT, SUBMISSIONS_PORT};
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use url::Url;

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    if facts.is_refused("EMAIL_URL") {
        return None;
    }
    let problem = match &facts.settings.mail.url {
        MailUrl::Console => None,
        MailUrl::Folder(folder) => write_into(folder).err(),
        MailUrl::Smtp(url) => match tokio::time::timeout(PATIENCE, greet(url)).await {
            Ok(greeted) => greeted.err(),
            Err(_) => Some(no_answer_in_time()),
        },
    };
    problem.map(|problem| rules::MAIL_UNREACHABLE.found(problem).about("EMAIL_URL"))
}

/// Connects, signs in when the URL says who, and asks for nothing. No mail is sent.
async fn greet(url: &SecretString) -> Result<(), String> {
    let transport = transport(url.expose_secret()).map_err(|error| told(&error))?;
    match transport.test_connection().await {
        Ok(true) => Ok(()),
        Ok(false) => Err("hangs up".to_owned()),
        Err(error) => Err(told(&error)),
    }
}

/// `smtps://` speaks TLS from the first byte, `smtp://` after STARTTLS and never without, but to this machine itself.
fn transport(url: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().trim_matches(['[', ']']);
    let (tls, port) = if url.as_ref().is_some_and(|url| url.scheme() == "smtps") {
        (Tls::Wrapper(TlsParameters::new(host.to_owned())?), SUBMISSIONS_PORT)
    } else if is_this_machine(host) {
        (Tls::None, SUBMISSION_PORT)
    } else {
        (Tls::Required(TlsParameters::new(host.to_owned())?), SUBMISSION_PORT)
    };
    let port = url.as_ref().and_then(Url::port).unwrap_or(port);
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(tls);
    if let Some(url) = url.as_ref().filter(|url| !url.username().is_empty()) {
        let password = url.password().map(decoded).unwrap_or_default();
        builder = builder.credentials(Credentials::new(decoded(url.username()), password));
    }
    Ok(builder.timeout(Some(ANSWER_TIMEOUT)).build())
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

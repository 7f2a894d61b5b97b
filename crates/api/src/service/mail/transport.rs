//! Where mail is sent: to a mail server, into a folder or to the log.

use super::in_flight::InFlight;
use super::metrics::MailMetrics;
use super::refusals::MailRefusals;
use super::send_error::{FailureScope, SendError};
use super::server_health::ServerHealth;
use super::smtp::{Attempt, Connections, ProbeError, Server, probe};
use super::text::RenderedMail;
use crate::config::{Environment, MailSettings, MailUrl};
use crate::names;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why mail cannot be sent with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    #[error("EMAIL_URL: {0}")]
    Url(String),
    #[error("EMAIL_FROM: is not an address; write it as Latchkey <no-reply@example.com>")]
    From,
}

#[derive(Debug)]
enum MailTransport {
    /// To the log, for development.
    Console,
    /// Nowhere: in production no token may be logged.
    Nowhere,
    /// One `.eml` file per mail.
    Folder(PathBuf),
    Server(Box<Server>),
}

impl MailTransport {
    fn to(url: &MailUrl, environment: Environment, timeout: Duration) -> Result<Self, MailerError> {
        Ok(match url {
            MailUrl::Console if environment.is_production() => Self::Nowhere,
            MailUrl::Console => Self::Console,
            MailUrl::Folder(folder) => Self::Folder(folder.clone()),
            MailUrl::Smtp(url) => Self::Server(Box::new(Server::new(url, timeout).map_err(MailerError::Url)?)),
        })
    }
}

/// Sends mail.
#[derive(Debug)]
pub struct Mailer {
    from: Mailbox,
    transport: MailTransport,
    pub(super) metrics: MailMetrics,
    pub(super) health: ServerHealth,
    pub(super) refusals: MailRefusals,
    pub(super) in_flight: InFlight,
}

impl Mailer {
    /// Does not connect yet.
    pub fn new(
        settings: &MailSettings,
        environment: Environment,
        timeout: Duration,
        metrics: MailMetrics,
    ) -> Result<Self, MailerError> {
        let transport = MailTransport::to(&settings.url, environment, timeout)?;
        let from = settings.from.parse().map_err(|_| MailerError::From)?;
        Ok(Self {
            from,
            transport,
            metrics,
            health: ServerHealth::default(),
            refusals: MailRefusals::default(),
            in_flight: InFlight::default(),
        })
    }

    /// Tests whether the mail server responds, and accepts the name and password, and `EMAIL_FROM` as the sender. `Ok` if there is
    /// no server.
    pub async fn test(&self) -> Result<(), ProbeError> {
        match &self.transport {
            MailTransport::Server(server) => probe(server, &self.from.email).await,
            MailTransport::Console | MailTransport::Nowhere | MailTransport::Folder(_) => Ok(()),
        }
    }

    /// The transport for the mails of one delivery run.
    pub(super) fn open(&self) -> OpenTransport<'_> {
        let connections = match &self.transport {
            MailTransport::Server(server) => Some(Connections::to(server)),
            MailTransport::Console | MailTransport::Nowhere | MailTransport::Folder(_) => None,
        };
        OpenTransport { mailer: self, connections }
    }

    fn message(&self, mail: &RenderedMail) -> Result<Message, SendError> {
        let not_mailable =
            || SendError::new(FailureScope::Recipient, "no mail server would accept the recipient's address");
        let to = names::mailable_email(&mail.to).ok().and_then(|to| to.parse::<Address>().ok());
        let id = format!("<{}@{}>", mail.reference, self.from.email.domain());
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.ok_or_else(not_mailable)?))
            .subject(mail.subject.as_str())
            .date(mail.date.into())
            .message_id(Some(id))
            // Suppresses automatic replies, such as vacation notices (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(body(&mail.html));
        let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body(&mail.text));
        let body = MultiPart::alternative().singlepart(text).singlepart(html);
        message.multipart(body).map_err(|error| SendError::new(FailureScope::Mail, error.to_string()))
    }
}

/// An open transport, with the connections that its mails share.
pub(super) struct OpenTransport<'a> {
    mailer: &'a Mailer,
    connections: Option<Connections<'a>>,
}

impl OpenTransport<'_> {
    pub(super) async fn send(&self, mail: &RenderedMail, attempt: &impl Attempt) -> Result<(), SendError> {
        let reference = &mail.reference;
        let kind = mail.kind.as_str();
        if let Some(connections) = &self.connections {
            return connections.send(&self.mailer.message(mail)?, attempt).await;
        }
        match &self.mailer.transport {
            MailTransport::Folder(folder) => {
                let bytes = self.mailer.message(mail)?.formatted();
                let folder = folder.clone();
                let name = reference.clone();
                let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
                let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                let failed = |error| {
                    SendError::new(FailureScope::Mail, format!("the outbox folder cannot be written to: {error}"))
                };
                return written.map_err(failed);
            }
            MailTransport::Console => {
                log::info!("mail.console: {kind} to {}\n{}\n\n{}", mail.to, mail.subject, mail.text);
            }
            MailTransport::Nowhere | MailTransport::Server(_) => {
                return Err(SendError::new(FailureScope::Us, "mail has no transport; set EMAIL_URL to a mail server"));
            }
        }
        Ok(())
    }

    /// Closes the connections to the mail server.
    pub(super) async fn close(&self) {
        if let Some(connections) = &self.connections {
            connections.close().await;
        }
    }
}

/// Leaves the text unencoded if possible, so that a link can be copied from an `.eml` file: a line may have at most 998 characters
/// (RFC 5322, section 2.1.1). lettre would encode lines of more than 76, and every `=` in them.
fn body(text: &str) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= 998) {
        Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}

/// Writes a whole file or none, so that a program that watches the folder never reads half a mail.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // Processes on different machines may share a folder and have the same process id.
    let draft = folder.join(format!(".{name}.{}.new", uuid::Uuid::new_v4().simple()));
    let written = write_new(&draft, bytes).and_then(|()| std::fs::rename(&draft, folder.join(format!("{name}.eml"))));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}

fn write_new(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::{Duration, MailTransport};
    use crate::config::{Environment, MailUrl};

    #[test]
    fn a_token_is_never_logged_in_production() {
        let transport_in = |environment| MailTransport::to(&MailUrl::Console, environment, Duration::ZERO);
        assert!(matches!(transport_in(Environment::Production), Ok(MailTransport::Nowhere)));
        assert!(matches!(transport_in(Environment::Development), Ok(MailTransport::Console)));
    }
}

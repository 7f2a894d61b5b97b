//! The steps of SMTP.

use super::error::{ConversationError, DONE, GO_ON, KNOWN, READY, expect};
use super::replies::{Replies, connect, encrypt};
use super::server::Server;
use super::step::MailStep;
use lettre::Message;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Tls};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use std::cell::Cell;
use std::time::Duration;

/// How long the server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// How far a conversation has come, for the error when it times out.
#[derive(Debug)]
pub(super) struct Progress(Cell<MailStep>);

impl Default for Progress {
    fn default() -> Self {
        Self(Cell::new(MailStep::Connect))
    }
}

impl Progress {
    pub(super) fn reach(&self, step: MailStep) {
        self.0.set(step);
    }

    pub(super) fn step(&self) -> MailStep {
        self.0.get()
    }
}

/// Opens a connection, encrypts it and authenticates.
pub(super) async fn greet(server: &Server, progress: &Progress) -> Result<AsyncSmtpConnection, ConversationError> {
    progress.reach(MailStep::Connect);
    let hello = ClientId::default();
    let address = (server.host.as_str(), server.port);
    let (from_the_start, later) = match &server.tls {
        Tls::Wrapper(tls) => (Some(tls.clone()), None),
        Tls::Required(tls) | Tls::Opportunistic(tls) => (None, Some(tls.clone())),
        Tls::None => (None, None),
    };
    let stream = connect(address, CONNECT_TIMEOUT, from_the_start).await?;
    let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(Replies::of(&stream)), &hello).await?;
    if let Some(tls) = later {
        progress.reach(MailStep::StartTls);
        if !connection.server_info().supports_feature(Extension::StartTls) {
            // Returns the error that describes this.
            connection.starttls(tls, &hello).await?;
            return Ok(connection);
        }
        expect(&connection.command(Starttls).await?, READY)?;
        // Also drops what was read in plaintext.
        drop(connection);
        encrypt(&stream, tls).await?;
        connection =
            AsyncSmtpConnection::connect_with_transport(Box::new(Replies::of_greeted(&stream)), &hello).await?;
    }
    if let Some(credentials) = &server.credentials {
        progress.reach(MailStep::Auth);
        expect(&connection.auth(DEFAULT_MECHANISMS, credentials).await?, KNOWN)?;
    }
    Ok(connection)
}

/// An attempt to send a mail, which is notified of its progress.
pub(in crate::service::mail) trait Attempt {
    /// The server has accepted the sender.
    fn sender_accepted(&self);

    /// The server waits for the mail. From its end on, the mail may arrive, whatever happens here.
    ///
    /// # Errors
    /// Why the mail must not be sent.
    async fn before_message(&self) -> Result<(), String>;
}

/// Hands over one mail.
pub(super) async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
    progress: &Progress,
    attempt: &impl Attempt,
) -> Result<(), ConversationError> {
    let envelope = message.envelope();
    let source = message.formatted();
    progress.reach(MailStep::Mail);
    let parameters = parameters(connection, message, &source)?;
    expect(&connection.command(Mail::new(envelope.from().cloned(), parameters)).await?, DONE)?;
    attempt.sender_accepted();
    for recipient in envelope.to() {
        progress.reach(MailStep::Rcpt);
        expect(&connection.command(Rcpt::new(recipient.clone(), Vec::new())).await?, DONE)?;
    }
    progress.reach(MailStep::Data);
    expect(&connection.command(Data).await?, GO_ON)?;
    attempt.before_message().await.map_err(ConversationError::Withheld)?;
    progress.reach(MailStep::Message);
    expect(&connection.message(&source).await?, DONE)
}

/// Whether a mail is not plain ASCII.
pub(super) fn is_special(message: &Message) -> bool {
    !has_ascii_recipients(message) || !message.formatted().is_ascii()
}

fn has_ascii_recipients(message: &Message) -> bool {
    message.envelope().to().iter().all(|to| AsRef::<str>::as_ref(to).is_ascii())
}

/// The parameters of `MAIL` for a mail that is not plain ASCII (RFC 6152, RFC 6531).
fn parameters(
    connection: &AsyncSmtpConnection,
    message: &Message,
    source: &[u8],
) -> Result<Vec<MailParameter>, ConversationError> {
    let offers = |extension| connection.server_info().supports_feature(extension);
    let utf8 = (!has_ascii_recipients(message)).then_some(MailParameter::SmtpUtfEight);
    if utf8.is_some() && !offers(Extension::SmtpUtfEight) {
        return Err(ConversationError::NoUtf8);
    }
    let eight_bit = (!source.is_ascii() && offers(Extension::EightBitMime))
        .then_some(MailParameter::Body(MailBodyParameter::EightBitMime));
    Ok(utf8.into_iter().chain(eight_bit).collect())
}

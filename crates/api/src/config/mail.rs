//! How mail leaves.

use super::hosts;
use super::reader::Reader;
use super::sections::Environment;
use lettre::Address;
use lettre::message::Mailbox;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum MailUrl {
    /// Onto the log: for development.
    Console,
    /// One `.eml` a mail into this folder.
    Folder(PathBuf),
    /// `smtp://` (STARTTLS) or `smtps://` (TLS from the first byte); may hold a password.
    Smtp(SecretString),
}

/// How mail leaves, and from whom.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `EMAIL_URL`: `console:`, `file:FOLDER`, `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`. Default: `console:`.
    pub url: MailUrl,
    /// `EMAIL_FROM`: the sender, `Name <address>` or an address. Default: `Latchkey <no-reply@localhost>`; none in
    /// production where mail goes to a server.
    pub from: String,
}

impl MailSettings {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Self {
        let url = reader.text("EMAIL_URL").map_or(MailUrl::Console, |value| parse(reader, &value));
        let from = match reader.text("EMAIL_FROM") {
            Some(from) => match mailable(&from) {
                Ok(from) => Some(from),
                Err(problem) => {
                    reader.problem("EMAIL_FROM", problem);
                    None
                }
            },
            None if environment.is_production() && matches!(url, MailUrl::Smtp(_)) => {
                let fix =
                    "is missing; set the sender that the server of EMAIL_URL accepts, such as no-reply@example.com";
                reader.problem("EMAIL_FROM", fix);
                None
            }
            None => None,
        };
        Self { url, from: from.unwrap_or_else(|| "Latchkey <no-reply@localhost>".to_owned()) }
    }
}

impl MailSettings {
    /// The sender's domain.
    #[must_use]
    pub fn sender_domain(&self) -> &str {
        let (_, domain) = self.from.rsplit_once('@').unwrap_or_default();
        domain.trim_end_matches('>')
    }
}

/// The sender as mail servers take it: with its domain in IDNA. Before the `@` few of them take more than ASCII.
fn mailable(from: &str) -> Result<String, &'static str> {
    const FIX: &str = "is not an address; write it as Latchkey <no-reply@example.com>";
    let mailbox: Mailbox = from.parse().map_err(|_| FIX)?;
    if !mailbox.email.user().is_ascii() {
        return Err("has more than ASCII before the @, which many mail servers refuse; use another address");
    }
    let domain = hosts::domain(mailbox.email.domain()).map_err(|_| FIX)?;
    if mailbox.email.domain().is_ascii() {
        return Ok(from.to_owned());
    }
    let email = Address::new(mailbox.email.user(), domain).map_err(|_| FIX)?;
    Ok(Mailbox::new(mailbox.name, email).to_string())
}

/// The value may hold a password, so no message repeats it.
fn parse(reader: &mut Reader, value: &str) -> MailUrl {
    if value == "console:" {
        return MailUrl::Console;
    }
    if let Some(folder) = value.strip_prefix("file:") {
        let folder = folder.strip_prefix("//").unwrap_or(folder);
        return MailUrl::Folder(PathBuf::from(if folder.is_empty() { "data/outbox" } else { folder }));
    }
    parse_server(value).unwrap_or_else(|problem| {
        reader.problem("EMAIL_URL", problem);
        MailUrl::Console
    })
}

fn parse_server(value: &str) -> Result<MailUrl, &'static str> {
    let is_server = |url: &Url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host() && url.fragment().is_none();
    let url = Url::parse(value).ok().filter(is_server);
    let url = url.ok_or("is none of console:, file:FOLDER, smtp://USER:PASSWORD@HOST:587 or smtps://…")?;
    Ok(MailUrl::Smtp(hosts::with_usable_host(&url)?.as_str().into()))
}

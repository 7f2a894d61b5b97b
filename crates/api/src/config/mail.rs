//! How mail leaves.

use super::reader::Reader;
use super::sections::Environment;
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
        let from = reader.text("EMAIL_FROM");
        match &from {
            Some(from) if from.parse::<lettre::message::Mailbox>().is_err() => {
                reader.problem("EMAIL_FROM", "is not an address; write it as Latchkey <no-reply@example.com>");
            }
            None if environment.is_production() && matches!(url, MailUrl::Smtp(_)) => {
                let fix =
                    "is missing; set the sender that the server of EMAIL_URL accepts, such as no-reply@example.com";
                reader.problem("EMAIL_FROM", fix);
            }
            _ => {}
        }
        Self { url, from: from.unwrap_or_else(|| "Latchkey <no-reply@localhost>".to_owned()) }
    }
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
    match Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "smtp" | "smtps") && url.has_host() && url.fragment().is_none() => {
            MailUrl::Smtp(value.into())
        }
        _ => {
            reader.problem("EMAIL_URL", "is none of console:, file:FOLDER, smtp://USER:PASSWORD@HOST:587 or smtps://…");
            MailUrl::Console
        }
    }
}

//! How mail is sent.

use super::declare::{settings, variables};
use super::hosts;
use super::paths;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, parsed};
use lettre::Address;
use lettre::message::Mailbox;
use secrecy::SecretString;
use std::path::PathBuf;
use url::Url;

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum MailUrl {
    /// To the log, for development.
    Console,
    /// To one `.eml` file per mail in this folder.
    Folder(PathBuf),
    /// `smtp://` (STARTTLS) or `smtps://` (TLS from the first byte); may hold a password.
    Smtp(SecretString),
}

variables! {
    EMAIL_URL: Optional<MailUrl> = parsed(
        parse,
        doc(
            "Where mail goes: `console:`, `file:FOLDER`, `smtp://USER:PASSWORD@HOST:587` or `smtps://…`. These mean the log, one \
             `.eml` file per mail, STARTTLS (except to this machine itself), and TLS from the first byte. `?tls=required` \
             requires STARTTLS to this machine, too; `?ca_file=PATH` trusts the authority in that PEM file in addition to the \
             public ones.",
        )
        .secret()
        .default_value("console:"),
    );
    EMAIL_FROM: Optional<String> = parsed(
        mailable,
        doc(
            "The sender, an address with or without a name. ASCII before the `@`; the domain may have other letters. `api check` \
             warns of a domain that is not on the internet. Required in production when `EMAIL_URL` is a server.",
        )
        .default_value("Latchkey <no-reply@localhost>")
        .example("Latchkey <no-reply@example.com>"),
    );
}

settings! {
    /// How mail is sent, and from which address.
    pub struct MailSettings {
        pub url: MailUrl = |reader: &mut SettingsReader| reader.find(&EMAIL_URL).unwrap_or(MailUrl::Console),
        /// The sender, `Name <address>` or an address.
        pub from: String = |reader: &mut SettingsReader| {
            reader.find(&EMAIL_FROM).unwrap_or_else(|| "Latchkey <no-reply@localhost>".to_owned())
        },
    }
    checked by check
}

fn check(settings: &MailSettings, reader: &mut SettingsReader) {
    if reader.is_production() && matches!(settings.url, MailUrl::Smtp(_)) && !reader.is_set(&EMAIL_FROM) {
        let fix = "is missing; set the sender that the server of EMAIL_URL accepts, such as no-reply@example.com";
        reader.problem(EMAIL_FROM.name(), fix);
    }
}

impl MailSettings {
    /// The sender's domain.
    pub fn sender_domain(&self) -> &str {
        let (_, domain) = self.from.rsplit_once('@').unwrap_or_default();
        domain.trim_end_matches('>')
    }
}

/// The sender in the form that mail servers accept: with its domain in IDNA. Few accept more than ASCII before the `@`.
fn mailable(from: &str) -> Result<String, String> {
    const FIX: &str = "is not an address; write it as Latchkey <no-reply@example.com>";
    let mailbox: Mailbox = from.parse().map_err(|_| FIX)?;
    if !mailbox.email.user().is_ascii() {
        return Err("has more than ASCII before the @, which many mail servers refuse; use another address".to_owned());
    }
    let domain = hosts::domain(mailbox.email.domain()).map_err(|_| FIX)?;
    if mailbox.email.domain().is_ascii() {
        return Ok(from.to_owned());
    }
    let email = Address::new(mailbox.email.user(), domain).map_err(|_| FIX)?;
    Ok(Mailbox::new(mailbox.name, email).to_string())
}

/// The value may hold a password, so no message repeats it.
fn parse(value: &str) -> Result<MailUrl, String> {
    if value == "console:" {
        return Ok(MailUrl::Console);
    }
    if let Some(folder) = value.strip_prefix("file:") {
        let folder = folder.strip_prefix("//").unwrap_or(folder);
        return Ok(MailUrl::Folder(paths::usable_folder(if folder.is_empty() { "data/outbox" } else { folder })?));
    }
    Ok(parse_server(value)?)
}

fn parse_server(value: &str) -> Result<MailUrl, &'static str> {
    let is_server = |url: &Url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host() && url.fragment().is_none();
    let url = Url::parse(value).ok().filter(is_server);
    let url = url.ok_or("is none of console:, file:FOLDER, smtp://USER:PASSWORD@HOST:587 or smtps://…")?;
    let url = hosts::with_usable_host(&url)?;
    if !matches!(url.path(), "" | "/") {
        return Err("has a path, and a mail server has none; remove what follows the host and its port");
    }
    Ok(MailUrl::Smtp(url.as_str().into()))
}

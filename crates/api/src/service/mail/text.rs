//! The words of each mail, as plain text and as HTML.
//!
//! Nothing that a user typed is repeated, no name and no address: whoever signs up with a stranger's address must not be
//! able to send them a message of their own in our name.

use crate::store::mail_outbox::{MailKind, MailRow};
use auth_types::device;
use secrecy::{ExposeSecret, SecretString};

/// A mail that is ready to be sent.
#[derive(Clone)]
pub(super) struct Letter {
    /// Names this attempt: in `Message-ID`, and as a file.
    pub(super) reference: String,
    pub(super) kind: MailKind,
    pub(super) to: String,
    pub(super) subject: &'static str,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) date: chrono::DateTime<chrono::Utc>,
}

/// The text holds a token.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("reference", &self.reference).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The front end that links lead to.
#[derive(Debug)]
pub(super) struct Site<'a> {
    url: &'a str,
}

impl<'a> Site<'a> {
    pub(super) const fn at(url: &'a str) -> Self {
        Self { url }
    }

    /// What people know it by: its host.
    fn name(&self) -> &'a str {
        let host = self.url.split_once("://").map_or(self.url, |(_, rest)| rest);
        host.split('/').next().unwrap_or(host)
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// In the fragment, which no browser sends to a server: no log and no referrer sees the token.
    fn page_with(&self, path: &str, token: &SecretString) -> String {
        format!("{}{path}#token={}", self.url, token.expose_secret())
    }
}

/// A piece of a mail.
enum Part {
    Words(String),
    Link { label: &'static str, url: String },
}

fn words(text: impl Into<String>) -> Part {
    Part::Words(text.into())
}

/// A mail whose link holds `token`.
pub(super) fn with_link(mail: &MailRow, site: &Site<'_>, to: String, token: &SecretString) -> Letter {
    let name = site.name();
    let (subject, parts) = match mail.kind {
        MailKind::ResetPassword => (
            "Choose a new password",
            vec![
                words(format!(
                    "Somebody asked to reset the password of your account at {name}. Open this link to choose a new one:"
                )),
                Part::Link { label: "Choose a new password", url: site.page_with("/reset-password", token) },
                words(
                    "The link works once, within an hour. If it was not you who asked, do nothing: your password stays as it is.",
                ),
                words(cause(mail)),
            ],
        ),
        MailKind::ChangeEmail => (
            "Confirm your new email address",
            vec![
                words(format!(
                    "Somebody wants to use this address for their account at {name}. If it was you, open this link:"
                )),
                Part::Link { label: "Confirm your new email address", url: site.page_with("/change-email", token) },
                words("The link works once, within 24 hours. If it was not you, do nothing, and nothing is changed."),
                words(cause(mail)),
            ],
        ),
        _ => (
            "Confirm your email address",
            vec![
                words(format!("An account at {name} was made with this address. If it is yours, open this link:")),
                Part::Link { label: "Confirm your email address", url: site.page_with("/verify-email", token) },
                words(
                    "The link works once, within 24 hours. If it was not you, do nothing: without your click the address stays unconfirmed.",
                ),
                words(cause(mail)),
            ],
        ),
    };
    letter(mail, mail.kind, to, subject, &parts)
}

/// A mail that tells something and proves nothing. `kind` is the mail's own, or what it turned out to be.
pub(super) fn notice(mail: &MailRow, kind: MailKind, site: &Site<'_>, to: String) -> Letter {
    let name = site.name();
    let not_you = |label| Part::Link { label, url: site.page("/forgot-password") };
    let (subject, parts) = match kind {
        MailKind::AccountExists => (
            "You already have an account",
            vec![
                words(format!(
                    "Somebody wanted to use this address for an account at {name}, but there is one already. If it was you, sign in:"
                )),
                Part::Link { label: "Sign in", url: site.page("/login") },
                words("If you do not remember the password, choose a new one:"),
                not_you("Choose a new password"),
                words("If it was not you, do nothing: nothing was changed."),
                words(cause(mail)),
            ],
        ),
        MailKind::EmailChangeRequested => (
            "Your email address is about to change",
            vec![
                words(format!(
                    "Somebody asked to use another address for your account at {name}. It changes when the new address is confirmed."
                )),
                words(
                    "If it was not you, choose a new password now. That stops the change and signs out every device:",
                ),
                not_you("Choose a new password"),
                words(cause(mail)),
            ],
        ),
        MailKind::EmailChanged => (
            "Your email address was changed",
            vec![
                words(format!("Your account at {name} has another address now, and this one is not used any more.")),
                words("If it was not you, somebody else has your account: write to those who run the site at once."),
                words(cause(mail)),
            ],
        ),
        MailKind::RefreshReused => (
            "A device was signed out",
            vec![
                words(format!(
                    "The sign-in of one of your devices at {name} was used by somebody who should not have it, or by an old copy of the device. That device was signed out."
                )),
                words("If you do not know why, choose a new password. That signs out every device:"),
                not_you("Choose a new password"),
                words(cause(mail)),
            ],
        ),
        MailKind::AccountDeleted => (
            "Your account was deleted",
            vec![
                words(format!(
                    "Your account at {name} was deleted, with all that was stored about you. Every device was signed out."
                )),
                words("If it was not you, somebody knew your password: change it wherever else you use it."),
                words(cause(mail)),
            ],
        ),
        _ => (
            "Your password was changed",
            vec![
                words(format!(
                    "The password of your account at {name} was changed, and every other device was signed out."
                )),
                words("If it was not you, choose a new password at once:"),
                not_you("Choose a new password"),
                words(cause(mail)),
            ],
        ),
    };
    letter(mail, kind, to, subject, &parts)
}

/// When and from where it was caused. The device is one of our own words for it.
fn cause(mail: &MailRow) -> String {
    let device = device::describe(mail.user_agent.as_deref());
    let address = mail.ip_address.as_deref().unwrap_or("unknown");
    format!("When: {}. Device: {device}. Address: {address}.", mail.created_at.format("%-d %B %Y, %H:%M UTC"))
}

fn letter(mail: &MailRow, kind: MailKind, to: String, subject: &'static str, parts: &[Part]) -> Letter {
    let reference = format!("{}-{}-{}", mail.created_at.format("%Y%m%dT%H%M%S%6f"), mail.id, mail.attempts);
    let plain: Vec<_> = parts
        .iter()
        .map(|part| match part {
            Part::Words(text) => text.clone(),
            Part::Link { url, .. } => url.clone(),
        })
        .collect();
    let html: String = parts
        .iter()
        .map(|part| match part {
            Part::Words(text) => format!("<p>{}</p>\n", escape(text)),
            Part::Link { label, url } => format!("<p><a href=\"{}\">{label}</a></p>\n", escape(url)),
        })
        .collect();
    Letter {
        reference,
        kind,
        to,
        subject,
        text: plain.join("\n\n") + "\n",
        html: format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{subject}</title></head>\n\
             <body>\n{html}</body>\n</html>\n"
        ),
        date: mail.created_at,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

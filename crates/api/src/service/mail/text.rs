//! The words of each mail, as plain text and as HTML.
//!
//! Nothing that a user typed is repeated, no name and no address: whoever signs up with a stranger's address must not be
//! able to send them a message of their own in our name.

mod links;
mod notices;

use crate::store::mail_outbox::{MailKind, MailRow};
use crate::store::one_time_tokens::Purpose;
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
    Text(String),
    Link { label: &'static str, url: String },
}

fn text(words: impl Into<String>) -> Part {
    Part::Text(words.into())
}

/// What a mail is made of.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) mail: &'a MailRow,
    pub(super) site: Site<'a>,
    /// The address that it goes to.
    pub(super) to: String,
}

/// A subject and what stands below it.
struct Words {
    subject: &'static str,
    parts: Vec<Part>,
}

/// What a kind of mail carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A link that proves who reads the mail.
    Link(Link),
    /// Something that a person must learn.
    Notice(Notice),
}

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Something for an account.
    Account(Purpose),
    /// Makes a pending registration an account.
    Registration,
}

/// What a person must learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    AccountExists,
    PasswordChanged,
    EmailChangeRequested,
    EmailChanged,
    RefreshReused,
    AccountDeleted,
}

impl From<MailKind> for Content {
    fn from(kind: MailKind) -> Self {
        match kind {
            MailKind::ResetPassword => Self::Link(Link::Account(Purpose::ResetPassword)),
            MailKind::VerifyEmail => Self::Link(Link::Account(Purpose::VerifyEmail)),
            MailKind::ChangeEmail => Self::Link(Link::Account(Purpose::ChangeEmail)),
            MailKind::ConfirmRegistration => Self::Link(Link::Registration),
            MailKind::AccountExists => Self::Notice(Notice::AccountExists),
            MailKind::PasswordChanged => Self::Notice(Notice::PasswordChanged),
            MailKind::EmailChangeRequested => Self::Notice(Notice::EmailChangeRequested),
            MailKind::EmailChanged => Self::Notice(Notice::EmailChanged),
            MailKind::RefreshReused => Self::Notice(Notice::RefreshReused),
            MailKind::AccountDeleted => Self::Notice(Notice::AccountDeleted),
        }
    }
}

/// A mail whose link holds `token`.
pub(super) fn with_link(draft: Draft<'_>, link: Link, token: &SecretString) -> Letter {
    let mut words = links::words_for(link, &draft.site, token);
    words.parts.push(text(cause(draft.mail)));
    letter(draft, &words)
}

/// A mail that reports something and proves nothing.
pub(super) fn notice(draft: Draft<'_>, notice: Notice) -> Letter {
    let mut words = notices::words_for(notice, &draft.site);
    words.parts.extend(repetitions(draft.mail).map(text));
    words.parts.push(text(cause(draft.mail)));
    letter(draft, &words)
}

/// How often it happened, when a mail stands for several notices of its kind that came too soon after each other.
fn repetitions(mail: &MailRow) -> Option<String> {
    let (times, first) = (mail.occurrences, mail.first_at.filter(|_| mail.occurrences > 1)?);
    Some(format!("This happened {times} times since {}. The last time:", minute(first)))
}

fn minute(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// When and from where it was caused. The device is one of our own words for it.
fn cause(mail: &MailRow) -> String {
    let device = device::describe(mail.user_agent.as_deref());
    let address = mail.ip_address.as_deref().unwrap_or("unknown");
    format!("When: {}. Device: {device}. Address: {address}.", minute(mail.created_at))
}

fn letter(draft: Draft<'_>, words: &Words) -> Letter {
    let Draft { mail, to, .. } = draft;
    let Words { subject, parts } = words;
    let reference = format!("{}-{}-{}", mail.created_at.format("%Y%m%dT%H%M%S%6f"), mail.id, mail.attempts);
    let plain: Vec<_> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Link { url, .. } => url.clone(),
        })
        .collect();
    let html: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => format!("<p>{}</p>\n", escape(text)),
            Part::Link { label, url } => format!("<p><a href=\"{}\">{label}</a></p>\n", escape(url)),
        })
        .collect();
    Letter {
        reference,
        kind: mail.kind,
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

//! The text of a mail as it is sent, in plain text and in HTML.

use crate::mails::{Content, FrontEnd, MailKind, MailPart};
use crate::store::mail_outbox::MailRow;
use auth_types::device;
use secrecy::SecretString;

/// A mail that is ready to be sent.
#[derive(Clone)]
pub(super) struct Letter {
    /// Identifies this attempt, in `Message-ID` and as a file name.
    pub(super) reference: String,
    pub(super) kind: MailKind,
    pub(super) to: String,
    pub(super) subject: &'static str,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) date: chrono::DateTime<chrono::Utc>,
}

/// Omits the text, which contains a token.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("reference", &self.reference).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The input for a letter.
#[derive(Debug)]
pub(super) struct LetterDraft<'a> {
    pub(super) mail: &'a MailRow,
    /// The kind of the letter, which may differ from the row's.
    pub(super) says: MailKind,
    pub(super) front_end: FrontEnd<'a>,
    pub(super) to: String,
}

/// Writes a letter. If it contains a link, the link's token is `token`.
pub(super) fn letter(draft: LetterDraft<'_>, token: &SecretString) -> Letter {
    let mail = draft.says.mail();
    let mut parts = match mail.content {
        Content::Link(_, body) => body(&draft.front_end, token),
        Content::Notice(_, body) => {
            let mut parts = body(&draft.front_end);
            parts.extend(repetitions(draft.mail).map(MailPart::Text));
            parts
        }
    };
    parts.push(MailPart::Text(cause(draft.mail)));
    format_letter(draft, mail.subject, &parts)
}

/// How often it happened, if a mail stands for several notices of its kind that were folded.
fn repetitions(mail: &MailRow) -> Option<String> {
    let times = mail.occurrences;
    let first = mail.first_at.filter(|_| mail.occurrences > 1)?;
    Some(format!("This happened {times} times since {}. The last time:", minute(first)))
}

fn minute(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The time, device and address of the cause. The device is one of a fixed set of descriptions.
fn cause(mail: &MailRow) -> String {
    let device = device::describe(mail.user_agent.as_deref());
    let address = mail.ip_address.as_deref().unwrap_or("unknown");
    format!("When: {}. Device: {device}. Address: {address}.", minute(mail.created_at))
}

fn format_letter(draft: LetterDraft<'_>, subject: &'static str, parts: &[MailPart]) -> Letter {
    let LetterDraft { mail, to, .. } = draft;
    let reference = format!("{}-{}-{}", mail.created_at.format("%Y%m%dT%H%M%S%6f"), mail.id, mail.attempts);
    let plain: Vec<_> = parts
        .iter()
        .map(|part| match part {
            MailPart::Text(text) => text.clone(),
            MailPart::Link { url, .. } => url.clone(),
        })
        .collect();
    let html: String = parts
        .iter()
        .map(|part| match part {
            MailPart::Text(text) => format!("<p>{}</p>\n", escape(text)),
            MailPart::Link { label, url } => format!("<p><a href=\"{}\">{label}</a></p>\n", escape(url)),
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

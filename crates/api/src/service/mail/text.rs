//! The text of a mail as it is sent, in plain text and in HTML.

use crate::mails::{Content, FrontEnd, LinkBody, MailKind, MailPart, NoticeBody};
use crate::store::mail_outbox::MailRow;
use auth_types::device;
use secrecy::SecretString;

/// A mail that is ready to be sent.
#[derive(Clone)]
pub(super) struct RenderedMail {
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
impl std::fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenderedMail")
            .field("reference", &self.reference)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// What a mail is rendered from.
#[derive(Debug)]
pub(super) struct MailDraft<'a> {
    pub(super) row: &'a MailRow,
    /// The kind of the mail, which may differ from the row's.
    pub(super) kind: MailKind,
    pub(super) front_end: FrontEnd<'a>,
    pub(super) to: String,
}

/// What the text of a mail is made from.
pub(super) enum MailBody {
    /// With the token of the link.
    Link(LinkBody, SecretString),
    Notice(NoticeBody),
}

impl MailBody {
    /// The body of a mail of this kind. A notice that is sent in place of a link has no use for the token.
    pub(super) fn of(kind: MailKind, token: SecretString) -> Self {
        match kind.mail().content {
            Content::Link(_, body) => Self::Link(body, token),
            Content::Notice(_, body) => Self::Notice(body),
        }
    }
}

/// Renders a mail.
pub(super) fn render(draft: MailDraft<'_>, body: &MailBody) -> RenderedMail {
    let mail = draft.kind.mail();
    let mut parts = match body {
        MailBody::Link(body, token) => body(&draft.front_end, token),
        MailBody::Notice(body) => {
            let mut parts = body(&draft.front_end);
            parts.extend(repetitions(draft.row).map(MailPart::Text));
            parts
        }
    };
    parts.push(MailPart::Text(cause(draft.row)));
    render_parts(draft, mail.subject, &parts)
}

/// How often it happened, if a mail stands for several notices of its kind that were merged.
fn repetitions(row: &MailRow) -> Option<String> {
    let times = row.occurrences;
    let first = row.first_at.filter(|_| row.occurrences > 1)?;
    Some(format!("This happened {times} times since {}. The last time:", minute(first)))
}

fn minute(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The time, device and address of the cause. The device is one of a fixed set of descriptions.
fn cause(row: &MailRow) -> String {
    let device = device::describe(row.user_agent.as_deref());
    let address = row.ip_address.as_deref().unwrap_or("unknown");
    format!("When: {}. Device: {device}. Address: {address}.", minute(row.created_at))
}

fn render_parts(draft: MailDraft<'_>, subject: &'static str, parts: &[MailPart]) -> RenderedMail {
    let MailDraft { row, to, .. } = draft;
    // The same at each attempt, so that mail servers and programs join the copies of a mail that was sent again. Merging others into a
    // notice makes it another mail.
    let reference = format!("{}-{}-{}", row.created_at.format("%Y%m%dT%H%M%S%6f"), row.id, row.occurrences);
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
    RenderedMail {
        reference,
        kind: row.kind,
        to,
        subject,
        text: plain.join("\n\n") + "\n",
        html: format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{subject}</title></head>\n\
             <body>\n{html}</body>\n</html>\n"
        ),
        date: row.created_at,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

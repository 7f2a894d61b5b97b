//! The text of a mail as it is sent, in plain text and in HTML.

use crate::mails::{Content, FrontEnd, LinkBody, MailKind, MailPart, MailText, NoticeBody, StoredKind};
use crate::store::mail_outbox::MailRow;
use auth_types::device;
use secrecy::SecretString;

/// A mail that is ready to be sent.
#[derive(Clone)]
pub(super) struct RenderedMail {
    /// Identifies this attempt, in `Message-ID` and as a file name.
    pub(super) reference: String,
    pub(super) kind: StoredKind,
    pub(super) to: String,
    pub(super) subject: String,
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
    pub(super) front_end: FrontEnd<'a>,
    pub(super) to: String,
}

/// What the text of a mail is made from. The kind may differ from the row's.
pub(super) enum MailBody {
    /// With the token of the link.
    Link(MailKind, LinkBody, SecretString),
    Notice(MailKind, NoticeBody),
    Feature(MailText),
}

impl MailBody {
    /// The body of a mail of this kind. A notice that is sent in place of a link has no use for the token.
    pub(super) fn of(kind: MailKind, token: SecretString) -> Self {
        match kind.mail().content {
            Content::Link(_, body) => Self::Link(kind, body, token),
            Content::Notice(_, body) => Self::Notice(kind, body),
        }
    }
}

/// Renders a mail.
pub(super) fn render(draft: MailDraft<'_>, body: &MailBody) -> RenderedMail {
    let cause = || MailPart::Text(cause(draft.row));
    match body {
        MailBody::Link(kind, body, token) => {
            let mut parts = body(&draft.front_end, token);
            parts.push(cause());
            render_parts(draft, kind.mail().subject, &parts)
        }
        MailBody::Notice(kind, body) => {
            let mut parts = body(&draft.front_end);
            parts.extend(repetitions(draft.row).map(MailPart::Text));
            parts.push(cause());
            render_parts(draft, kind.mail().subject, &parts)
        }
        // Its cause may be another user, or a job.
        MailBody::Feature(text) => {
            let parts = text.parts(draft.front_end);
            render_parts(draft, text.subject(), &parts)
        }
    }
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

fn render_parts(draft: MailDraft<'_>, subject: &str, parts: &[MailPart]) -> RenderedMail {
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
            MailPart::Text(text) => format!("<p>{}</p>\n", escape(text).replace('\n', "<br>\n")),
            MailPart::Link { label, url } => format!("<p><a href=\"{}\">{}</a></p>\n", escape(url), escape(label)),
        })
        .collect();
    RenderedMail {
        reference,
        kind: row.kind.clone(),
        to,
        subject: subject.to_owned(),
        text: plain.join("\n\n") + "\n",
        html: format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n\
             <body>\n{html}</body>\n</html>\n",
            escape(subject),
        ),
        date: row.created_at,
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

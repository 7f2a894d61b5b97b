//! To the old address of an account: it has another one now.

use super::mail::{Content, Mail, NoticeTo, QuotaShare};
use super::parts::{FrontEnd, MailPart, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your email address was changed",
    content: Content::Notice(NoticeTo::Recipient, body),
    send_within: Duration::hours(72),
    share: QuotaShare::Account,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>) -> Vec<MailPart> {
    vec![
        text(format!("Your account at {} has another address now, and this one is no longer used.", front_end.name())),
        text("If it was not you, someone else controls your account: contact the people who run the site at once."),
    ]
}

//! To the old address of an account: a change to another one was requested.

use super::mail::{Content, Mail, NoticeTo, QuotaShare};
use super::parts::{FrontEnd, MailPart, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your email address is about to change",
    content: Content::Notice(NoticeTo::Recipient, body),
    send_within: Duration::hours(72),
    share: QuotaShare::Account,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>) -> Vec<MailPart> {
    vec![
        text(format!(
            "Someone asked to use another address for your account at {}. The address changes when the new one is confirmed.",
            front_end.name()
        )),
        text(
            "If it was not you, choose a new password now, which stops the change and signs out every device. Do it here:",
        ),
        new_password(front_end),
    ]
}

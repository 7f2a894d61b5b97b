//! To the address that the account had at that moment: its password was changed.

use super::mail::{Content, Mail, NoticeTo, QuotaShare};
use super::parts::{FrontEnd, MailPart, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your password was changed",
    content: Content::Notice(NoticeTo::Recipient, body),
    send_within: Duration::hours(72),
    share: QuotaShare::Account,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>) -> Vec<MailPart> {
    vec![
        text(format!(
            "The password of your account at {} was changed, and every other device was signed out.",
            front_end.name()
        )),
        text("If it was not you, choose a new password at once:"),
        new_password(front_end),
    ]
}

//! To the address that the account had at that moment: a refresh token was reused, and its session was revoked.

use super::mail::{Content, Mail, NoticeTo, QuotaShare};
use super::parts::{FrontEnd, MailPart, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "A device was signed out",
    content: Content::Notice(NoticeTo::Recipient, body),
    send_within: Duration::hours(72),
    share: QuotaShare::Account,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>) -> Vec<MailPart> {
    vec![
        text(format!(
            "Someone may have copied the session of one of your devices at {}, or the device was restored from an old copy. That device was signed out.",
            front_end.name()
        )),
        text("If you do not know why, choose a new password, which signs out every device. Do it here:"),
        new_password(front_end),
    ]
}

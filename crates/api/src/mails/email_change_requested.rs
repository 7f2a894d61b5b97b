//! To the old address: somebody wants another one.

use super::mail::{Content, Mail, NoticeTo, Share};
use super::words::{Part, Site, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "Your email address is about to change",
    content: Content::Notice(NoticeTo::Recipient, words),
    worth_sending: Duration::hours(72),
    share: Share::Account,
    needs: None,
};

fn words(site: &Site<'_>) -> Vec<Part> {
    vec![
        text(format!(
            "Somebody asked to use another address for your account at {}. It changes when the new address is confirmed.",
            site.name()
        )),
        text("If it was not you, choose a new password now. That stops the change and signs out every device:"),
        new_password(site),
    ]
}

//! A link that makes this address the account's, to the new address.

use super::link::{Link, Purpose};
use super::mail::{Content, Mail, Share};
use super::words::{Part, Site, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Confirm your new email address",
    content: Content::Link(Link::Account(Purpose::ChangeEmail), words),
    worth_sending: Duration::hours(24),
    share: Share::Own,
    needs: None,
};

fn words(site: &Site<'_>, token: &SecretString) -> Vec<Part> {
    vec![
        text(format!(
            "Somebody wants to use this address for their account at {}. If it was you, open this link:",
            site.name()
        )),
        Part::Link { label: MAIL.subject, url: site.page_with("/change-email", token) },
        text("The link works once, within 24 hours. If it was not you, do nothing, and nothing is changed."),
    ]
}

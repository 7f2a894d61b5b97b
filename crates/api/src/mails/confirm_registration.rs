//! A link that makes a pending registration an account.

use super::link::Link;
use super::mail::{Content, Mail, Share};
use super::words::{Part, Site, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Confirm your email address",
    content: Content::Link(Link::Registration, words),
    worth_sending: Duration::hours(24),
    share: Share::Strangers,
    needs: None,
};

fn words(site: &Site<'_>, token: &SecretString) -> Vec<Part> {
    vec![
        text(format!("Somebody signed up at {} with this address. If it was you, open this link:", site.name())),
        Part::Link { label: MAIL.subject, url: site.page_with("/verify-email", token) },
        text(
            "The link works once, within 24 hours. If it was not you, do not confirm it: the account would have a password that somebody else chose. Without you no account is created.",
        ),
    ]
}

//! A link that confirms the account's address.

use super::link::{Link, Purpose};
use super::mail::{Content, Mail, Needs, Share};
use super::words::{Part, Site, text};
use chrono::Duration;
use secrecy::SecretString;

pub(super) static MAIL: Mail = Mail {
    subject: "Confirm your email address",
    content: Content::Link(Link::Account(Purpose::VerifyEmail), words),
    worth_sending: Duration::hours(24),
    share: Share::Strangers,
    needs: Some(Needs::Unconfirmed),
};

fn words(site: &Site<'_>, token: &SecretString) -> Vec<Part> {
    vec![
        text(format!("An account at {} was made with this address. If it is yours, open this link:", site.name())),
        Part::Link { label: MAIL.subject, url: site.page_with("/verify-email", token) },
        text(
            "The link works once, within 24 hours. If it was not you, open it and press \"I did not sign up\": that deletes the account. If you do nothing, the address stays unconfirmed.",
        ),
    ]
}

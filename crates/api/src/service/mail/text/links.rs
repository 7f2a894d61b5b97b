//! Mails with a link.

use super::{Link, Part, Site, Words, text};
use crate::store::one_time_tokens::Purpose;
use secrecy::SecretString;

pub(super) fn words_for(link: Link, site: &Site<'_>, token: &SecretString) -> Words {
    match link {
        Link::Account(Purpose::ResetPassword) => reset_password(site, token),
        Link::Account(Purpose::VerifyEmail) => verify_email(site, token),
        Link::Account(Purpose::ChangeEmail) => change_email(site, token),
        Link::Registration => confirm_registration(site, token),
    }
}

fn reset_password(site: &Site<'_>, token: &SecretString) -> Words {
    let subject = "Choose a new password";
    let parts = vec![
        text(format!(
            "Somebody asked to reset the password of your account at {}. Open this link to choose a new one:",
            site.name()
        )),
        Part::Link { label: subject, url: site.page_with("/reset-password", token) },
        text(
            "The link works once, within an hour. If it was not you who asked, do nothing: your password stays as it is.",
        ),
    ];
    Words { subject, parts }
}

fn verify_email(site: &Site<'_>, token: &SecretString) -> Words {
    let subject = "Confirm your email address";
    let parts = vec![
        text(format!("An account at {} was made with this address. If it is yours, open this link:", site.name())),
        Part::Link { label: subject, url: site.page_with("/verify-email", token) },
        text(
            "The link works once, within 24 hours. If it was not you, open it and press \"I did not sign up\": that deletes the account. If you do nothing, the address stays unconfirmed.",
        ),
    ];
    Words { subject, parts }
}

fn confirm_registration(site: &Site<'_>, token: &SecretString) -> Words {
    let subject = "Confirm your email address";
    let parts = vec![
        text(format!("Somebody signed up at {} with this address. If it was you, open this link:", site.name())),
        Part::Link { label: subject, url: site.page_with("/verify-email", token) },
        text(
            "The link works once, within 24 hours. If it was not you, do not confirm it: the account would have a password that somebody else chose. Without you no account is created.",
        ),
    ];
    Words { subject, parts }
}

fn change_email(site: &Site<'_>, token: &SecretString) -> Words {
    let subject = "Confirm your new email address";
    let parts = vec![
        text(format!(
            "Somebody wants to use this address for their account at {}. If it was you, open this link:",
            site.name()
        )),
        Part::Link { label: subject, url: site.page_with("/change-email", token) },
        text("The link works once, within 24 hours. If it was not you, do nothing, and nothing is changed."),
    ];
    Words { subject, parts }
}

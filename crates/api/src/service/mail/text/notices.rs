//! Mails that report something and prove nothing.

use super::{Notice, Part, Site, Words, text};

pub(super) fn words_for(notice: Notice, site: &Site<'_>) -> Words {
    match notice {
        Notice::AccountExists => account_exists(site),
        Notice::PasswordChanged => password_changed(site),
        Notice::EmailChangeRequested => email_change_requested(site),
        Notice::EmailChanged => email_changed(site),
        Notice::RefreshReused => refresh_reused(site),
        Notice::AccountDeleted => account_deleted(site),
    }
}

fn new_password(site: &Site<'_>) -> Part {
    Part::Link { label: "Choose a new password", url: site.page("/forgot-password") }
}

fn account_exists(site: &Site<'_>) -> Words {
    let parts = vec![
        text(format!(
            "Somebody wanted to use this address for an account at {}, but there is one already. If it was you, sign in:",
            site.name()
        )),
        Part::Link { label: "Sign in", url: site.page("/login") },
        text("If you do not remember the password, choose a new one:"),
        new_password(site),
        text("If it was not you, do nothing: nothing was changed."),
    ];
    Words { subject: "You already have an account", parts }
}

fn password_changed(site: &Site<'_>) -> Words {
    let parts = vec![
        text(format!(
            "The password of your account at {} was changed, and every other device was signed out.",
            site.name()
        )),
        text("If it was not you, choose a new password at once:"),
        new_password(site),
    ];
    Words { subject: "Your password was changed", parts }
}

fn email_change_requested(site: &Site<'_>) -> Words {
    let parts = vec![
        text(format!(
            "Somebody asked to use another address for your account at {}. It changes when the new address is confirmed.",
            site.name()
        )),
        text("If it was not you, choose a new password now. That stops the change and signs out every device:"),
        new_password(site),
    ];
    Words { subject: "Your email address is about to change", parts }
}

fn email_changed(site: &Site<'_>) -> Words {
    let parts = vec![
        text(format!("Your account at {} has another address now, and this one is not used any more.", site.name())),
        text("If it was not you, somebody else has your account: write to those who run the site at once."),
    ];
    Words { subject: "Your email address was changed", parts }
}

fn refresh_reused(site: &Site<'_>) -> Words {
    let parts = vec![
        text(format!(
            "The sign-in of one of your devices at {} was used by somebody who should not have it, or by an old copy of the device. That device was signed out.",
            site.name()
        )),
        text("If you do not know why, choose a new password. That signs out every device:"),
        new_password(site),
    ];
    Words { subject: "A device was signed out", parts }
}

fn account_deleted(site: &Site<'_>) -> Words {
    let parts = vec![
        text(format!(
            "Your account at {} was deleted, with all that was stored about you. Every device was signed out.",
            site.name()
        )),
        text("If it was not you, somebody knew your password: change it wherever else you use it."),
    ];
    Words { subject: "Your account was deleted", parts }
}

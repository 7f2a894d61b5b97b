//! To the owner of an account: someone wanted to use its address for a new account.

use super::mail::{Content, Mail, NoticeTo, QuotaShare};
use super::parts::{FrontEnd, MailPart, link, new_password, text};
use chrono::Duration;

pub(super) static MAIL: Mail = Mail {
    subject: "You already have an account",
    content: Content::Notice(NoticeTo::Owner, body),
    send_within: Duration::hours(24),
    share: QuotaShare::Unauthenticated,
    needs: None,
};

fn body(front_end: &FrontEnd<'_>) -> Vec<MailPart> {
    vec![
        text(format!(
            "Someone wanted to use this address for an account at {}, but it already has one. If it was you, sign in:",
            front_end.name()
        )),
        link("Sign in", front_end.page("/login")),
        text("If you do not remember the password, choose a new one:"),
        new_password(front_end),
        text("If it was not you, you need not do anything: nothing was changed."),
    ]
}

//! Whether the mail server lets us in, or the folder takes a file.

use super::{PATIENCE, no_answer_in_time, told, write_into};
use crate::check::finding::Finding;
use crate::check::{Facts, rules};
use crate::config::MailUrl;
use crate::service::mail::Mailer;

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    if facts.is_refused("EMAIL_URL") {
        return None;
    }
    let problem = match &facts.settings.mail.url {
        MailUrl::Console => None,
        MailUrl::Folder(folder) => write_into(folder).err(),
        MailUrl::Smtp(_) => match tokio::time::timeout(PATIENCE, greet(facts)).await {
            Ok(greeted) => greeted.err(),
            Err(_) => Some(no_answer_in_time()),
        },
    };
    problem.map(|problem| rules::MAIL_UNREACHABLE.found(problem).about("EMAIL_URL"))
}

/// Connects as mail will, signs in when the URL says who, and asks for nothing. No mail is sent.
async fn greet(facts: &Facts<'_>) -> Result<(), String> {
    let mailer = Mailer::new(&facts.settings.mail, facts.settings.environment).map_err(|error| told(&error))?;
    mailer.test().await.map_err(|error| told(&error))
}

//! Whether the mail server lets us in, or the folder takes a file. No mail is sent.

use super::{PATIENCE, no_answer_in_time, write_into};
use crate::check::finding::Finding;
use crate::check::{Facts, rules};
use crate::config::MailUrl;
use crate::service::mail::Mailer;
use crate::told::told;

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    let problem = match &facts.settings.mail.url {
        MailUrl::Folder(folder) => write_into(folder).err(),
        MailUrl::Console | MailUrl::Smtp(_) => {
            // One that cannot be made refuses the start, and is told as that.
            let mailer = Mailer::new(&facts.settings.mail, facts.settings.environment).ok()?;
            match tokio::time::timeout(PATIENCE, mailer.test()).await {
                Ok(answer) => answer.err().map(|error| told(&error)),
                Err(_) => Some(no_answer_in_time()),
            }
        }
    };
    problem.map(|problem| rules::MAIL_UNREACHABLE.found(problem).about("EMAIL_URL"))
}

//! Whether the mail server lets us in, or the folder takes a file. No mail is sent.

use super::ask::{PATIENCE, no_answer_in_time, write_into};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rule::CheckRule;
use crate::cli::check::rules;
use crate::config::MailUrl;
use crate::error_chain::error_chain;
use crate::service::mail::{MailMetrics, Mailer, TestError};

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    let (rule, problem) = match &facts.settings.mail.url {
        MailUrl::Folder(folder) => (&rules::MAIL_UNREACHABLE, write_into(folder).err()?),
        MailUrl::Console | MailUrl::Smtp(_) => {
            // One that cannot be made refuses the start, and is told as that.
            let mailer =
                Mailer::new(&facts.settings.mail, facts.settings.environment, PATIENCE, MailMetrics::default()).ok()?;
            match tokio::time::timeout(PATIENCE, mailer.test()).await {
                Ok(answer) => {
                    let error = answer.err()?;
                    (rule_of(&error), error_chain(&error))
                }
                Err(_) => (&rules::MAIL_UNREACHABLE, no_answer_in_time()),
            }
        }
    };
    Some(rule.found(problem).about("EMAIL_URL"))
}

fn rule_of(error: &TestError) -> &'static CheckRule {
    match error {
        TestError::Refuses(..) => &rules::MAIL_REFUSED,
        TestError::Unusable(_) => &rules::MAIL_UNREACHABLE,
    }
}

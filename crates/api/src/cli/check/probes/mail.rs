//! Checks that the mail server accepts the login, or the folder a file. No mail is sent.

use super::ask::{TIMEOUT, timed_out, write_into};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rule::CheckRule;
use crate::cli::check::rules;
use crate::config::MailUrl;
use crate::error_chain::error_chain;
use crate::service::mail::{MailMetrics, Mailer, ProbeError};

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    let (rule, problem) = match &facts.settings.mail.url {
        MailUrl::Folder(folder) => (&rules::MAIL_UNREACHABLE, write_into(folder).err()?),
        MailUrl::Console | MailUrl::Smtp(_) => {
            // A mailer that cannot be created prevents the start, which is reported elsewhere.
            let mailer =
                Mailer::new(&facts.settings.mail, facts.settings.environment, TIMEOUT, MailMetrics::default()).ok()?;
            match tokio::time::timeout(TIMEOUT, mailer.test()).await {
                Ok(result) => {
                    let error = result.err()?;
                    (rule_of(&error), error_chain(&error))
                }
                Err(_) => (&rules::MAIL_UNREACHABLE, timed_out()),
            }
        }
    };
    Some(rule.found(problem).about("EMAIL_URL"))
}

fn rule_of(error: &ProbeError) -> &'static CheckRule {
    match error {
        ProbeError::Refuses(..) => &rules::MAIL_REFUSED,
        ProbeError::Unusable(_) => &rules::MAIL_UNREACHABLE,
    }
}

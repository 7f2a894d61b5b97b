//! To the owner of a poll: it was closed.

use super::store;
use api::prelude::{AnyConnection, FeatureMail, MailContext, MailText, QueryResult};
use chrono::Duration;

/// About the poll with this id.
pub(super) static MAIL: FeatureMail<i64> = FeatureMail::new("fixture_polls.closed", Duration::days(1), write);

fn write(connection: &mut AnyConnection, context: &MailContext<'_>, poll: i64) -> QueryResult<Option<MailText>> {
    let found = store::find(connection, context.user.id, Some(poll))?;
    Ok(found.map(|poll| {
        MailText::new(format!("Closed: {}", poll.question))
            .paragraph(format!("Your poll at {} takes no more votes:", context.site()))
            .paragraph(poll.question)
            .link("See your polls", "/fixture-polls")
    }))
}

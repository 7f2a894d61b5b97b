//! Mail: written into the outbox together with what it is about, and sent by whichever process comes first.
//!
//! A request never waits for a mail server: it inserts a row. The worker takes what is due, makes the link's token if
//! there is one, and sends; what fails comes again later, until the mail is not worth sending any more. A process that
//! dies between sending and noting it makes another one send the mail again: at least once, never not at all.
//!
//! Requests are limited by client (`take_request`), mails by address when they are sent (`amounts`), and each client's
//! mails take turns with everybody else's.

mod amounts;
mod attempt;
mod in_flight;
mod nobody;
mod places;
mod prepare;
mod refusals;
mod registration;
mod smtp;
mod standing;
mod text;
mod transport;
mod worker;

pub(super) use amounts::{Amounts, WINDOW};
pub use smtp::TestError;
pub use transport::{Mailer, MailerError};
pub use worker::{deliver_due, stop};

use super::limits::{Budget, Throttled, Tries};
use super::{ClientInfo, Services};
use crate::names::Spellings;
use crate::store::mail_outbox::{MailKind, NewMail};
use crate::store::{AnyConnection, QueryResult, StoreError, mail_outbox, users};
use auth_types::UserId;
use chrono::{DateTime, Duration, Utc};

/// How often the outbox is looked at, seconds.
pub const POLL_SECONDS: u64 = 1;
/// How often what waits in it is counted, seconds: as often as Prometheus asks at most.
pub const MEASURE_SECONDS: u64 = 15;

/// A mail to the owner of an account, to an address that is or was theirs.
pub(super) fn to_user(
    kind: MailKind,
    (user, address): (UserId, &str),
    at: DateTime<Utc>,
    client: &ClientInfo,
) -> NewMail {
    NewMail { user: Some(user), ..to_address(kind, address, at, client) }
}

/// A mail to an address, whether it has an account or not: which of them is found out when it is sent, so that the request
/// does the same for both.
pub(super) fn to_address(kind: MailKind, address: &str, at: DateTime<Utc>, client: &ClientInfo) -> NewMail {
    NewMail {
        kind,
        user: None,
        registration: None,
        recipient: address.to_owned(),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        requester: client.network.map(|network| network.to_string()),
        at,
        expires_at: at + worth_sending(kind),
    }
}

/// The recipient of a mail that somebody asks for by an address: as the account has it that a sign-in by the same address
/// leads to. The same statement, whether there is one or not.
///
/// # Errors
/// When the database does not answer.
pub(super) fn recipient(connection: &mut AnyConnection, email: &Spellings) -> QueryResult<String> {
    let user = users::find_meant(connection, email)?;
    Ok(user.map_or_else(|| email.canonical().unwrap_or_default().to_owned(), |user| user.email_canonical))
}

/// Takes one of the mails that `client` may cause. Every request that causes a mail begins with it, whoever the mail goes
/// to; given back where none is caused after all.
///
/// # Errors
/// [`Throttled`].
pub(super) async fn take_request<'s>(services: &'s Services, client: &ClientInfo) -> Result<Tries<'s>, Throttled> {
    let mut tries = services.limits.tries(client);
    tries.by_client(Budget::MailClient).await?;
    Ok(tries)
}

/// The same for a mail that must be written whatever the client has caused before: a session has been revoked, or a
/// mailed link used.
pub(super) async fn charge(services: &Services, client: &ClientInfo) {
    // A spent budget refuses the client's next request.
    let _ = take_request(services, client).await;
}

/// How long after its cause a mail still helps anybody.
const fn worth_sending(kind: MailKind) -> Duration {
    match kind {
        MailKind::ResetPassword => Duration::hours(1),
        MailKind::VerifyEmail | MailKind::ChangeEmail | MailKind::ConfirmRegistration | MailKind::AccountExists => {
            Duration::hours(24)
        }
        MailKind::PasswordChanged
        | MailKind::EmailChangeRequested
        | MailKind::EmailChanged
        | MailKind::RefreshReused
        | MailKind::AccountDeleted => Duration::hours(72),
    }
}

/// Notes how much mail waits, and for how long, for `/metrics`.
///
/// # Errors
/// When the database does not answer; what was noted before stays.
pub async fn measure(services: &Services) -> Result<(), StoreError> {
    let now = services.now();
    let (waiting, oldest) = services.store.run(move |connection| mail_outbox::backlog(connection, now)).await?;
    let age = oldest.map_or(0, |written_at| (now - written_at).num_seconds().max(0));
    services.metrics.mail.waiting.set(waiting);
    services.metrics.mail.oldest_age.set(age);
    if oldest.is_none() {
        // Another process may have found the server willing, and sent the rest.
        services.mailer.refusals.forget();
        services.metrics.mail.server_refuses.set(0);
    }
    Ok(())
}

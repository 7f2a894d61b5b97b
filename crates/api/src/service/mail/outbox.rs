//! Mails that are written into the outbox, and what a request takes for that.

use crate::mails::MailKind;
use crate::names::Spellings;
use crate::service::limits::{Attempts, Budget, Throttled};
use crate::service::{Cause, ClientInfo, Services};
use crate::store::mail_outbox::NewMail;
use crate::store::{AnyConnection, QueryResult, users};
use auth_types::UserId;

/// A mail to the owner of an account, to an address that is or was theirs.
pub(in crate::service) fn to_user(kind: MailKind, (user, address): (UserId, &str), cause: &Cause) -> NewMail {
    NewMail { user: Some(user), ..to_address(kind, address, cause) }
}

/// A mail to an address, whether it has an account or not: which of them is found out when it is sent, so that the request
/// does the same for both.
pub(in crate::service) fn to_address(kind: MailKind, address: &str, cause: &Cause) -> NewMail {
    let Cause { shared_now: at, client, .. } = cause;
    NewMail {
        kind,
        user: None,
        registration: None,
        recipient: address.to_owned(),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        requester: client.network.map(|network| network.to_string()),
        at: at.0,
        expires_at: at.0 + kind.mail().worth_sending,
    }
}

/// The recipient of a mail that somebody asks for by an address: as the account has it that a sign-in by the same address
/// leads to. The same statement, whether there is one or not.
pub(in crate::service) fn recipient(connection: &mut AnyConnection, email: &Spellings) -> QueryResult<String> {
    let user = users::find_by_spelling(connection, email)?;
    Ok(user.map_or_else(|| email.canonical().unwrap_or_default().to_owned(), |user| user.email_canonical))
}

/// Takes one of the mails that `client` may cause. Every request that causes a mail begins with it, whoever the mail goes
/// to; given back where none is caused after all.
pub(in crate::service) async fn take_request<'s>(
    services: &'s Services,
    client: &ClientInfo,
) -> Result<Attempts<'s>, Throttled> {
    let mut attempts = services.limits.attempts(client);
    attempts.by_client(Budget::MailClient).await?;
    Ok(attempts)
}

/// The same for a mail that must be written whatever the client has caused before: a session has been revoked, or a
/// mailed link used.
pub(in crate::service) async fn charge(services: &Services, client: &ClientInfo) {
    // A spent budget refuses the client's next request.
    let _ = take_request(services, client).await;
}

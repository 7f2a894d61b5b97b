//! Mails that are inserted into the outbox, and what they cost the client that causes them.

use super::feature_mail::MailAbout;
use crate::mails::{MailKind, StoredKind};
use crate::names::Spellings;
use crate::service::limits::{Budget, Throttled};
use crate::service::{ClientInfo, RequestContext, Services};
use crate::store::mail_outbox::{self, NewMail};
use crate::store::{AnyConnection, QueryResult, users};
use auth_types::UserId;

/// A mail about an account, to an address that is or was its owner's.
pub(in crate::service) fn to_user(kind: MailKind, user: UserId, address: &str, context: &RequestContext) -> NewMail {
    NewMail { user: Some(user), ..to_address(kind, address, context) }
}

/// A mail to an address, whether it has an account or not. That is looked up when the mail is sent, so that the request does the
/// same in both cases.
pub(in crate::service) fn to_address(kind: MailKind, address: &str, context: &RequestContext) -> NewMail {
    let RequestContext { shared_at: at, client, .. } = context;
    NewMail {
        kind: kind.into(),
        user: None,
        pending_registration: None,
        about: None,
        recipient: address.to_owned(),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        requester: client.network.map(|network| network.to_string()),
        at: at.get(),
        expires_at: at.get() + kind.mail().send_within,
    }
}

/// Queues a feature's mail to a user, in the transaction of the feature's own work: it is sent if that commits. Of the client in `context`
/// only the network is stored, for the turns of the queue: the recipient may be another user, who sees the mail in their export.
pub fn queue_mail(
    connection: &mut AnyConnection,
    user: UserId,
    mail: MailAbout,
    context: &RequestContext,
) -> QueryResult<()> {
    let Some(recipient) = users::lock_address(connection, user)? else { return Ok(()) };
    let RequestContext { shared_at: at, client, .. } = context;
    let queued = NewMail {
        kind: StoredKind::Feature(mail.name.to_owned()),
        user: Some(user),
        pending_registration: None,
        about: Some(mail.key),
        recipient,
        ip_address: None,
        user_agent: None,
        requester: client.network.map(|network| network.to_string()),
        at: at.get(),
        expires_at: at.get() + mail.send_within,
    };
    mail_outbox::insert(connection, &queued)
}

/// The recipient of a mail that is requested for an address: the canonical address of the account that a sign-in with this address
/// would find. The statement is the same whether there is an account or not.
pub(in crate::service) fn recipient(connection: &mut AnyConnection, email: &Spellings) -> QueryResult<String> {
    let user = users::find_by_spelling(connection, email)?;
    Ok(user.map_or_else(|| email.canonical().unwrap_or_default().to_owned(), |user| user.email_canonical))
}

/// Charges `client` for one mail, runs `work`, and refunds the charge if `work` fails. If it succeeds, it has queued a mail.
pub(in crate::service) fn with_mail_charge<T, E: From<Throttled>>(
    services: &Services,
    client: &ClientInfo,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let work = Box::pin(work); // or each caller's future would hold it twice
    async move {
        let mut charges = services.limits.charges(client);
        charges.charge_client(Budget::MailClient).await?;
        let done = work.await;
        if done.is_err() {
            charges.refund().await;
        }
        done
    }
}

/// Charges `client` for a mail that is sent even if its budget is spent: a session was revoked, or a mailed link used.
pub(in crate::service) async fn charge_always(services: &Services, client: &ClientInfo) {
    // If the budget is spent, the client's next request is refused.
    let _ = services.limits.charges(client).charge_client(Budget::MailClient).await;
}

//! Changing an account's address: requested with the password, confirmed by a link to the new address, and announced to the
//! old one.

use crate::mails::MailKind;
use crate::names::{self, Name};
use crate::service::mail::{self, links};
use crate::service::passwords::reauthentication::{self, ReauthenticationError};
use crate::service::steps::{FingerprintedRequest, RepeatRecord, StepFingerprints};
use crate::service::{ClientInfo, CurrentUser, Error, RequestContext, Services};
use crate::store::events::EventKind;
use crate::store::users::UserRow;
use crate::store::{AnyConnection, QueryResult, events, mail_outbox, one_time_tokens, users};
use auth_types::requests::EmailChangeRequest;
use auth_types::{FieldErrors, validation};

/// Requests the change: mails a link to the new address and a notice to the old one. Whether another account has the new
/// address is checked when the mail is sent, and only its owner is informed.
///
/// # Errors
/// [`Error`]; then no change is pending.
pub async fn request(
    services: &Services,
    caller: CurrentUser,
    fingerprinted: FingerprintedRequest<EmailChangeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let step = fingerprinted.step.clone();
    step.once(services, request_once(services, caller, fingerprinted, client), |_| Ok(Some(()))).await
}

async fn request_once(
    services: &Services,
    caller: CurrentUser,
    FingerprintedRequest { request, step }: FingerprintedRequest<EmailChangeRequest>,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let new_email = check(&request).map_err(Error::Fields)?;
    let change = Change { new_email, password: request.password, step };
    let requester = client.clone();
    mail::with_mail_charge(services, &requester, reauthenticate_and_queue_link(services, caller, change, client)).await
}

/// A request whose fields are valid.
struct Change {
    new_email: String,
    password: String,
    step: StepFingerprints,
}

async fn reauthenticate_and_queue_link(
    services: &Services,
    caller: CurrentUser,
    Change { new_email, password, step }: Change,
    client: ClientInfo,
) -> Result<(), ReauthenticationError> {
    let account = reauthentication::find(services, caller).await?;
    let account = reauthentication::check(services, account, password, &client).await?;
    let context = services.context(client);
    let queueing = account.write(services, caller, move |connection, user, _| {
        step.complete(connection, RepeatRecord::default(), context.shared_at)?;
        queue_mails(connection, &user, &new_email, &context).map(Ok)
    });
    queueing.await
}

/// Validates the fields and returns the new address.
fn check(request: &EmailChangeRequest) -> Result<String, FieldErrors> {
    let mut errors = FieldErrors::new();
    let new_email = names::new_email(&request.new_email).map(|name| name.shown);
    let new_email = new_email.map_err(|message| errors.insert("new_email".to_owned(), vec![message]));
    if let Err(message) = validation::given_password(&request.password) {
        errors.insert("password".to_owned(), vec![message]);
    }
    new_email.ok().filter(|_| errors.is_empty()).ok_or(errors)
}

/// Whether an address is the account's and confirmed: then nothing changes, and no notice is sent.
fn is_confirmed_address(user: &UserRow, email: &str) -> bool {
    user.email == email && user.email_verified_at.is_some()
}

fn queue_mails(
    connection: &mut AnyConnection,
    user: &UserRow,
    new_email: &str,
    context: &RequestContext,
) -> QueryResult<()> {
    // Only the newest change is pending. A link to the same address stays valid until the next one is sent, which the address's
    // mail quota may prevent.
    one_time_tokens::spend_other_email_changes(connection, user.id, new_email, context.shared_at.get())?;
    mail_outbox::delete_of_user(connection, user.id, MailKind::ChangeEmail)?;
    if is_confirmed_address(user, new_email) {
        return Ok(());
    }
    let link = mail::to_user(MailKind::ChangeEmail, user.id, new_email, context);
    mail_outbox::insert(connection, &link)?;
    if !names::is_same_mailbox(&user.email, new_email) {
        let notice = mail::to_user(MailKind::EmailChangeRequested, user.id, &user.email, context);
        mail_outbox::insert(connection, &notice)?;
    }
    events::insert(connection, &context.event(user.id, EventKind::EmailChangeRequested))
}

/// Makes a confirmed address the account's, and returns whether the address is valid. Links to the old address are withdrawn.
pub(in crate::service) fn apply(
    connection: &mut AnyConnection,
    user: &UserRow,
    new_email: &str,
    context: &RequestContext,
) -> QueryResult<bool> {
    if is_confirmed_address(user, new_email) {
        return Ok(true);
    }
    let Ok(canonical) = names::canonical_email(new_email) else { return Ok(false) };
    let email = Name { shown: new_email.to_owned(), canonical };
    users::update_email(connection, user.id, &email, context.shared_at.get())?;
    links::withdraw_all(connection, user.id, context.shared_at.get())?;
    events::insert(connection, &context.event(user.id, EventKind::EmailChanged))?;
    if !names::is_same_mailbox(&user.email, new_email) {
        let notice = mail::to_user(MailKind::EmailChanged, user.id, &user.email, context);
        mail_outbox::insert(connection, &notice)?;
    }
    Ok(true)
}

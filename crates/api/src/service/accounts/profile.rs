//! The caller's own account.

use crate::names;
use crate::service::sessions::authorize::{self, Refusal};
use crate::service::sessions::grant::user_response;
use crate::service::{ClientInfo, CurrentUser, Services, event};
use crate::store::events::EventKind;
use crate::store::users::Profile;
use crate::store::{StoreError, events, users};
use auth_types::FieldErrors;
use auth_types::requests::UpdateMeRequest;
use auth_types::responses::UserResponse;

/// Why the account was not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("fields are not acceptable")]
    Fields(FieldErrors),
    #[error("another account has this username")]
    UsernameTaken,
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AccountError {
    /// The username is the only unique thing that is changed here.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(_) => Self::UsernameTaken,
            other => Self::Store(other),
        }
    }
}

/// The caller, as they see themselves.
///
/// # Errors
/// [`AccountError`].
pub async fn show(services: &Services, caller: CurrentUser) -> Result<UserResponse, AccountError> {
    let now = services.now();
    let user = services.store.run(move |connection| authorize::authorize(connection, caller, now)).await??;
    Ok(user_response(&user))
}

/// Changes what the caller may change about themselves.
///
/// # Errors
/// [`AccountError`]; nothing is changed then.
pub async fn update(
    services: &Services,
    caller: CurrentUser,
    request: &UpdateMeRequest,
    client: ClientInfo,
) -> Result<UserResponse, AccountError> {
    let profile = check(request).map_err(AccountError::Fields)?;
    let now = services.now();
    // Whoever changes nothing takes no lock and leaves no event.
    let current = services.store.run(move |connection| authorize::authorize(connection, caller, now)).await??;
    if profile.is_that_of(&current) {
        return Ok(user_response(&current));
    }
    let updated = services.store.write(move |connection| {
        let user = match authorize::authorize_change(connection, caller, now)? {
            Ok(user) if profile.is_that_of(&user) => return Ok(Ok(user)),
            Ok(user) => user,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(user) = users::update_profile(connection, user.id, &profile)? else {
            return Ok(Err(Refusal::UserInactive));
        };
        events::insert(connection, &event(caller.id, EventKind::ProfileChanged, now, &client))?;
        Ok(Ok(user))
    });
    Ok(user_response(&updated.await??))
}

fn check(request: &UpdateMeRequest) -> Result<Profile, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut note = |field: &str, message: String| {
        errors.insert(field.to_owned(), vec![message]);
    };
    let display_name = request.display_name.as_ref().map(|name| {
        let name = names::display_name(name.as_deref().unwrap_or_default());
        name.map_err(|message| note("display_name", message)).unwrap_or_default()
    });
    let username = request.username.as_ref().map(|name| {
        let name = names::new_username(name.as_deref().unwrap_or_default());
        name.map_err(|message| note("username", message)).unwrap_or_default()
    });
    let username_canonical = username.as_ref().map(|name| name.as_ref().map(|name| name.canonical.clone()));
    let username = username.map(|name| name.map(|name| name.shown));
    let profile = Profile { display_name, username, username_canonical };
    if errors.is_empty() { Ok(profile) } else { Err(errors) }
}

//! The caller's profile.

use super::user_view;
use crate::names;
use crate::service::sessions::refusal::AuthorizationRefusal;
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::EventKind;
use crate::store::users::ProfileChange;
use crate::store::{events, users};
use auth_types::FieldErrors;
use auth_types::requests::UpdateMeRequest;
use auth_types::responses::UserResponse;
use std::convert::Infallible;

/// Another account has the username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another account has this username")]
pub struct UsernameTaken;

/// Shows the caller's own profile.
pub async fn show(services: &Services, caller: CurrentUser) -> Result<UserResponse, Error<Infallible>> {
    let user = caller.read(services, |_, user| Ok(user)).await?;
    Ok(user_view::response(&user))
}

/// Changes what the caller may change about themselves.
///
/// # Errors
/// [`Error`]; then nothing is changed.
pub async fn update(
    services: &Services,
    caller: CurrentUser,
    request: &UpdateMeRequest,
    client: ClientInfo,
) -> Result<UserResponse, Error<UsernameTaken>> {
    let profile = check(request).map_err(Error::Fields)?;
    // A request that changes nothing takes no lock and records no event.
    let current = caller.read(services, |_, user| Ok(user)).await?;
    if profile.changes_nothing(&current) {
        return Ok(user_view::response(&current));
    }
    let context = services.context(client);
    let update = caller.write(services, move |connection, user, _| {
        if profile.changes_nothing(&user) {
            return Ok(Ok(user));
        }
        let Some(user) = users::update_profile(connection, user.id, &profile)? else {
            return Ok(Err(AuthorizationRefusal::UserInactive.into()));
        };
        events::insert(connection, &context.event(user.id, EventKind::ProfileChanged))?;
        Ok(Ok(user))
    });
    // The username is the only unique column that is changed here.
    let updated = update.await.map_err(|error| error.if_taken(UsernameTaken))?;
    Ok(user_view::response(&updated))
}

fn check(request: &UpdateMeRequest) -> Result<ProfileChange, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut add_error = |field: &str, message: String| {
        errors.insert(field.to_owned(), vec![message]);
    };
    let display_name = request.display_name.as_ref().map(|name| {
        let name = names::display_name(name.as_deref().unwrap_or_default());
        name.map_err(|message| add_error("display_name", message)).unwrap_or_default()
    });
    let username = request.username.as_ref().map(|name| {
        let name = names::new_username(name.as_deref().unwrap_or_default());
        name.map_err(|message| add_error("username", message)).unwrap_or_default()
    });
    let username_canonical = username.as_ref().map(|name| name.as_ref().map(|name| name.canonical.clone()));
    let username = username.map(|name| name.map(|name| name.shown));
    let profile = ProfileChange { display_name, username, username_canonical };
    if errors.is_empty() { Ok(profile) } else { Err(errors) }
}

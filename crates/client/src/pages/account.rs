//! `/account`

use super::picture::PictureForm;
use crate::components::{Button, FieldKind, Form, FormState, PageTitle, TextField, Wrong};
use crate::http::Api;
use crate::notices::Notices;
use crate::session::Session;
use auth_types::requests::UpdateMeRequest;
use auth_types::validation::{display_name, username};
use leptos::prelude::*;

/// The profile.
#[component]
pub fn AccountPage() -> impl IntoView {
    view! {
        <PageTitle text="Account" />
        <section class="panel">
            <PictureForm />
        </section>
        <section class="panel">
            <ProfileForm />
        </section>
    }
}

#[component]
fn ProfileForm() -> impl IntoView {
    let (session, notices) = (expect_context::<Session>(), expect_context::<Notices>());
    let form = FormState::new(&["display_name", "username"]);
    let user = untrack(|| session.user());
    let shown = user.as_ref().map(|user| user.display_name.clone()).unwrap_or_default();
    let called = user.and_then(|user| user.username).unwrap_or_default();
    let (shown, called) = (RwSignal::new(shown), RwSignal::new(called));
    let submit = move |()| {
        notices.say(None);
        let checked = check(&shown.get_untracked(), &called.get_untracked());
        form.submit(checked, move |changes| async move {
            session.set_user(Api::new(session).update_me(&changes).await?);
            notices.say(Some("Your profile is saved."));
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <TextField
                label="Display name"
                name="display_name"
                autocomplete="name"
                hint="What we call you. You can leave it empty."
                value=shown
                form=form
            />
            <TextField
                label="Username"
                name="username"
                kind=FieldKind::Name
                autocomplete="username"
                hint="A second name to sign in with. You can leave it empty."
                value=called
                form=form
            />
            <Button label="Save" kind="submit" pending=form.pending() />
        </Form>
    }
}

/// An empty field clears what was there.
fn check(shown: &str, called: &str) -> Result<UpdateMeRequest, Wrong> {
    let mut wrong = Wrong::new();
    let shown = display_name(shown).map(str::to_owned).map_err(|problem| wrong.insert("display_name", problem));
    let called = match called.trim() {
        "" => Ok(None),
        name => username(name).map(|name| Some(name.to_owned())).map_err(|problem| wrong.insert("username", problem)),
    };
    match (shown, called) {
        (Ok(shown), Ok(called)) => Ok(UpdateMeRequest { display_name: Some(Some(shown)), username: Some(called) }),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_username_is_cleared() {
        let changes = check(" Ada ", "  ").expect("changes");
        assert_eq!(changes.display_name, Some(Some("Ada".to_owned())));
        assert_eq!(changes.username, Some(None));
    }

    #[test]
    fn what_the_server_would_refuse_is_told_before_sending() {
        let wrong = check("a\nb", "a@b").expect_err("wrong fields");
        assert_eq!(wrong.keys().collect::<Vec<_>>(), [&"display_name", &"username"]);
    }
}

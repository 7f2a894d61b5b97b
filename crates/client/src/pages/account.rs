//! `/account`

use super::picture::PictureForm;
use crate::components::{Alert, Button, FieldKind, Form, FormState, PageTitle, TextField, Wrong};
use crate::download::save_json;
use crate::http::Api;
use crate::notices::Notices;
use crate::session::{PageSession, Session};
use auth_types::invisible::trimmed;
use auth_types::requests::{DeleteMeRequest, UpdateMeRequest};
use auth_types::validation::{display_name, given_password, username};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The profile, all that is stored, and the end of it.
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
        <section class="panel stack">
            <h2>"Your data"</h2>
            <Download />
        </section>
        <section class="panel stack">
            <h2>"Delete this account"</h2>
            <DeleteForm />
        </section>
    }
}

#[component]
fn ProfileForm() -> impl IntoView {
    let (session, notices) = (expect_context::<Session>(), expect_context::<Notices>());
    let page = expect_context::<PageSession>();
    let form = FormState::new(&["display_name", "username"]);
    let user = untrack(|| session.user());
    let shown = user.as_ref().map(|user| user.display_name.clone()).unwrap_or_default();
    let called = user.and_then(|user| user.username).unwrap_or_default();
    let (shown, called) = (RwSignal::new(shown), RwSignal::new(called));
    let submit = move |()| {
        notices.say(None);
        let checked = check(&shown.get_untracked(), &called.get_untracked());
        form.submit(checked, move |changes| async move {
            page.set_user(Api::new(page).update_me(&changes).await?);
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

/// Hands everything that is stored to the user, as a file.
#[component]
fn Download() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let (pending, problem) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let press = Callback::new(move |()| {
        pending.set(true);
        problem.set(None);
        spawn_local(async move {
            let exported = Api::new(page).export().await.map_err(|failure| failure.message());
            let unable = |_| "Your browser does not save files from this page.".to_owned();
            let saved = exported.and_then(|text| save_json("latchkey-export.json", &text).map_err(unable));
            pending.try_set(false);
            problem.try_set(saved.err());
        });
    });
    view! {
        <p>"A file with everything that is stored about you."</p>
        <Alert text=problem />
        <Button label="Download your data" pending=pending class="button button-quiet" on_press=press />
    }
}

#[component]
fn DeleteForm() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let form = FormState::new(&["password"]);
    let password = RwSignal::new(String::new());
    let submit = move |()| {
        let checked = check_deletion(password.get_untracked());
        form.submit(checked, move |request| async move { page.delete_account(&request, form.seed()).await });
    };
    view! {
        <p>
            "This deletes your account and all that is stored about you, and signs out every device. It cannot be undone."
        </p>
        <Form state=form on_submit=submit>
            <TextField
                label="Password"
                name="password"
                kind=FieldKind::Password
                autocomplete="current-password"
                value=password
                form=form
            />
            <Button label="Delete account" kind="submit" pending=form.pending() class="button button-danger" />
        </Form>
    }
}

fn check_deletion(password: String) -> Result<DeleteMeRequest, Wrong> {
    match given_password(&password) {
        Ok(_) => Ok(DeleteMeRequest { password }),
        Err(problem) => Err(Wrong::from([("password", problem)])),
    }
}

/// An empty field clears what was there.
fn check(shown: &str, called: &str) -> Result<UpdateMeRequest, Wrong> {
    let mut wrong = Wrong::new();
    let shown = display_name(shown).map(str::to_owned).map_err(|problem| wrong.insert("display_name", problem));
    let called = match trimmed(called) {
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
    fn nothing_is_deleted_without_a_password() {
        assert!(check_deletion(String::new()).expect_err("a wrong field").contains_key("password"));
        assert_eq!(check_deletion(" as it is ".to_owned()).expect("a request").password, " as it is ");
    }

    #[test]
    fn what_the_server_would_refuse_is_told_before_sending() {
        let wrong = check("a\nb", "a@b").expect_err("wrong fields");
        assert_eq!(wrong.keys().collect::<Vec<_>>(), [&"display_name", &"username"]);
    }
}

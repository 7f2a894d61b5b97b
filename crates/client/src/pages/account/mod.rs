//! `/account`

mod picture;

use crate::components::{Alert, Button, FieldKind, Form, FormErrors, FormState, TextDraft, TextField, UserAction};
use crate::download::save_text;
use crate::notices::Notices;
use crate::session::{Api, PageSession, SessionOwner};
use auth_types::invisible::trimmed;
use auth_types::requests::{DeleteMeRequest, UpdateMeRequest};
use auth_types::responses::UserResponse;
use auth_types::validation::{display_name, given_password, username};
use leptos::prelude::*;
use picture::PictureForm;

/// The profile, the download of all data, and the deletion of the account.
#[component]
pub fn AccountPage() -> impl IntoView {
    view! {
        <section class="panel">
            <PictureForm />
        </section>
        <section class="panel">
            <ProfileForm />
        </section>
        <section class="panel">
            <h2>"Your data"</h2>
            <Download />
        </section>
        <section class="panel">
            <h2>"Delete this account"</h2>
            <DeleteForm />
        </section>
    }
}

#[component]
fn ProfileForm() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let notices = expect_context::<Notices>();
    let page = expect_context::<PageSession>();
    let form = FormState::new(&["display_name", "username"]);
    let profile = ProfileDrafts::new();
    let follow = move || session.user().inspect(|user| profile.follow(user));
    untrack(follow);
    Effect::new(move || drop(follow()));
    let submit = move |()| {
        untrack(follow);
        let texts = profile.texts();
        form.submit(profile.changes(), move |changes| async move {
            let Some(changes) = changes else {
                notices.say("Nothing has changed, so there is nothing to save.");
                return Ok(());
            };
            let user = Api::new(page).update_me(&changes).await?;
            profile.saved(&texts, &user);
            page.set_user(user);
            notices.say("Your profile is saved.");
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
                value=profile.display_name.text
                form=form
            />
            <TextField
                label="Username"
                name="username"
                kind=FieldKind::Name
                autocomplete="username"
                hint="A second name to sign in with. You can leave it empty."
                value=profile.username.text
                form=form
            />
            <Button label="Save" kind="submit" pending=form.pending() />
        </Form>
    }
}

/// The user's changes to their names.
#[derive(Clone, Copy)]
struct ProfileDrafts {
    display_name: TextDraft,
    username: TextDraft,
}

impl ProfileDrafts {
    fn new() -> Self {
        Self { display_name: TextDraft::of(""), username: TextDraft::of("") }
    }

    fn follow(self, user: &UserResponse) {
        self.display_name.follow(&user.display_name);
        self.username.follow(user.username.as_deref().unwrap_or_default());
    }

    fn texts(self) -> [String; 2] {
        [self.display_name.text.get_untracked(), self.username.text.get_untracked()]
    }

    fn saved(self, [display_name, username]: &[String; 2], user: &UserResponse) {
        self.display_name.saved(display_name, &user.display_name);
        self.username.saved(username, user.username.as_deref().unwrap_or_default());
    }

    /// The changes to send, if any. An empty field clears its value.
    fn changes(self) -> Result<Option<UpdateMeRequest>, FormErrors> {
        check(self.display_name.changed().as_deref(), self.username.changed().as_deref())
    }
}

/// Downloads everything that is stored about the user, as a file.
#[component]
fn Download() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let action = UserAction::new();
    let download = move || async move {
        let text = Api::new(page).export().await.map_err(|failure| failure.message())?;
        save_text("latchkey-export.json", "application/json", &text)
            .map_err(|_| "Your browser does not save files from this page.".to_owned())
    };
    let press = Callback::new(move |()| action.start_explained(download(), |problem| problem));
    view! {
        <p>"A file with everything that is stored about you."</p>
        <Alert text=action.failure() />
        <Button label="Download your data" pending=action.signal() class="button button-quiet" on_press=press />
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

fn check_deletion(password: String) -> Result<DeleteMeRequest, FormErrors> {
    match given_password(&password) {
        Ok(_) => Ok(DeleteMeRequest { password }),
        Err(problem) => Err(FormErrors::from([("password".into(), problem)])),
    }
}

/// An unchanged field is neither checked nor sent: its value may be older than a rule.
fn check(new_name: Option<&str>, new_username: Option<&str>) -> Result<Option<UpdateMeRequest>, FormErrors> {
    if new_name.is_none() && new_username.is_none() {
        return Ok(None);
    }
    let mut errors = FormErrors::new();
    let new_name = new_name.map(|name| {
        display_name(name)
            .map(|name| Some(name.to_owned()))
            .map_err(|problem| errors.insert("display_name".into(), problem))
    });
    let new_username = new_username.map(|name| match trimmed(name) {
        "" => Ok(None),
        name => username(name)
            .map(|name| Some(name.to_owned()))
            .map_err(|problem| errors.insert("username".into(), problem)),
    });
    match (new_name.transpose(), new_username.transpose()) {
        (Ok(display_name), Ok(username)) => Ok(Some(UpdateMeRequest { display_name, username })),
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_username_is_cleared() {
        let changes = check(Some(" Ada "), Some("  ")).expect("good fields").expect("changes");
        assert_eq!(changes.display_name, Some(Some("Ada".to_owned())));
        assert_eq!(changes.username, Some(None));
    }

    #[test]
    fn only_changed_fields_are_checked_and_sent() {
        let changes = check(Some("Ada"), None).expect("good fields").expect("changes");
        assert_eq!((changes.display_name, changes.username), (Some(Some("Ada".to_owned())), None));
        assert!(check(None, None).expect("good fields").is_none());
    }

    #[test]
    fn nothing_is_deleted_without_a_password() {
        assert!(check_deletion(String::new()).expect_err("an error").contains_key("password"));
        assert_eq!(check_deletion(" as it is ".to_owned()).expect("a request").password, " as it is ");
    }

    #[test]
    fn invalid_fields_are_reported_before_sending() {
        let errors = check(Some("a\nb"), Some("a@b")).expect_err("errors");
        assert_eq!(errors.keys().collect::<Vec<_>>(), [&"display_name", &"username"]);
    }
}

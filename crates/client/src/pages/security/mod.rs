//! `/security`

mod recent_events;

use crate::components::{
    Button, FieldKind, Form, FormErrors, FormState, NewPasswordField, TextField, use_server_settings,
};
use crate::notices::Notices;
use crate::session::{Api, PageSession};
use auth_types::requests::{EmailChangeRequest, PasswordChangeRequest};
use auth_types::responses::PasswordRules;
use auth_types::validation::{email, given_password, new_password};
use leptos::prelude::*;
use recent_events::RecentEvents;

/// Changes of password and address, which ask for the password again, and the recent events.
#[component]
pub fn SecurityPage() -> impl IntoView {
    view! {
        <section class="panel">
            <h2>"Your password"</h2>
            <PasswordForm />
        </section>
        <section class="panel">
            <h2>"Your email"</h2>
            <EmailForm />
        </section>
        <RecentEvents />
    }
}

#[component]
fn PasswordForm() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let settings = use_server_settings();
    let form = FormState::new(&["current_password", "new_password"]);
    let current = RwSignal::new(String::new());
    let new = RwSignal::new(String::new());
    let submit = move |()| {
        let rules = untrack(|| settings.password_rules());
        let checked = check_password(current.get_untracked(), new.get_untracked(), rules);
        form.submit(checked, move |request| async move {
            page.change_password(&request, form.seed()).await?;
            // The new session builds the page again, which clears the message; so it is shown after that.
            request_animation_frame(move || {
                notices.say("Your password is changed. Every other device is signed out.");
            });
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <TextField
                label="Current password"
                name="current_password"
                kind=FieldKind::Password
                autocomplete="current-password"
                value=current
                form=form
            />
            <NewPasswordField label="New password" name="new_password" value=new form=form settings=settings />
            <Button label="Change password" kind="submit" pending=form.pending() />
        </Form>
    }
}

#[component]
fn EmailForm() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let form = FormState::new(&["new_email", "password"]);
    let address = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let submit = move |()| {
        let checked = check_email(&address.get_untracked(), password.get_untracked());
        form.submit(checked, move |request| async move {
            Api::new(page).change_email(&request, form.seed()).await?;
            address.try_set(String::new());
            password.try_set(String::new());
            notices.say("We have sent a link to the new address. Open it to finish the change.");
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <TextField
                label="New email"
                name="new_email"
                kind=FieldKind::Email
                autocomplete="email"
                hint="The change takes effect when you open the link that we send there."
                value=address
                form=form
            />
            <TextField
                label="Password"
                name="password"
                kind=FieldKind::Password
                autocomplete="current-password"
                value=password
                form=form
            />
            <Button label="Change email" kind="submit" pending=form.pending() />
        </Form>
    }
}

fn check_password(current: String, new: String, rules: PasswordRules) -> Result<PasswordChangeRequest, FormErrors> {
    let mut errors = FormErrors::new();
    if let Err(problem) = given_password(&current) {
        errors.insert("current_password".into(), problem);
    }
    if let Err(problem) = new_password(&new, rules) {
        errors.insert("new_password".into(), problem);
    }
    let request = PasswordChangeRequest { current_password: current, new_password: new };
    if errors.is_empty() { Ok(request) } else { Err(errors) }
}

fn check_email(address: &str, password: String) -> Result<EmailChangeRequest, FormErrors> {
    let mut errors = FormErrors::new();
    let address = email(address).map(str::to_owned).map_err(|problem| errors.insert("new_email".into(), problem));
    if let Err(problem) = given_password(&password) {
        errors.insert("password".into(), problem);
    }
    match address {
        Ok(new_email) if errors.is_empty() => Ok(EmailChangeRequest { new_email, password }),
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PASSWORD_RULES;

    #[test]
    fn invalid_fields_are_reported_before_sending() {
        let errors = check_password(String::new(), "short".to_owned(), PASSWORD_RULES).expect_err("errors");
        assert_eq!(errors.keys().collect::<Vec<_>>(), [&"current_password", &"new_password"]);
        let errors = check_email("ada", String::new()).expect_err("errors");
        assert_eq!(errors.keys().collect::<Vec<_>>(), [&"new_email", &"password"]);
    }

    #[test]
    fn passwords_are_sent_as_they_are() {
        let request =
            check_password(" old one ".to_owned(), " new and long ".to_owned(), PASSWORD_RULES).expect("a request");
        assert_eq!((request.current_password.as_str(), request.new_password.as_str()), (" old one ", " new and long "));
    }
}

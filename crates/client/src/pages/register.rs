//! `/register`

use crate::components::{
    Button, FieldKind, Form, FormErrors, FormState, KnownServerSettings, NewPasswordField, ResendLink, TextField,
    use_server_settings, with_query,
};
use crate::session::{PageSession, SignUpResult};
use auth_types::requests::RegisterRequest;
use auth_types::responses::{PasswordRules, Registration};
use auth_types::validation::{email, new_password};
use leptos::prelude::*;

/// Asks for an email address and a password, and creates an account.
#[component]
pub fn RegisterPage() -> impl IntoView {
    let settings = use_server_settings();
    let waiting = RwSignal::new(None::<String>);
    let registration = Memo::new(move |_| settings.registration());
    view! {
        {move || match (waiting.get(), registration.get()) {
            (Some(email), _) => view! { <Waiting email=email /> }.into_any(),
            (None, Some(Registration::Open)) => {
                view! { <RegisterForm settings=settings waiting=waiting /> }.into_any()
            }
            (None, Some(Registration::Closed)) => view! { <Closed /> }.into_any(),
            (None, None) => view! { <p class="loading">"Loading…"</p> }.into_any(),
        }}
        <p class="aside">
            "Have an account? " <a href=with_query("/login")>"Sign in"</a>
        </p>
    }
}

/// Only the operator of the service creates accounts.
#[component]
fn Closed() -> impl IntoView {
    view! { <p class="remark" role="alert">"New accounts are not accepted at the moment."</p> }
}

/// The address must be confirmed first.
#[component]
fn Waiting(email: String) -> impl IntoView {
    view! {
        <p class="remark" role="alert">
            "Almost done: we have sent you a mail. Open the link in it, in this browser, to confirm your email."
        </p>
        <ResendLink email=email />
    }
}

#[component]
fn RegisterForm(
    /// With the rules for passwords.
    settings: KnownServerSettings,
    /// The address that must be confirmed first, once it is known.
    waiting: RwSignal<Option<String>>,
) -> impl IntoView {
    let page = expect_context::<PageSession>();
    let form = FormState::new(&["email", "password"]);
    let address = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let submit = move |()| {
        let rules = untrack(|| settings.password_rules());
        let checked = check(&address.get_untracked(), password.get_untracked(), rules);
        form.submit(checked, move |request| async move {
            if page.register(&request, form.seed()).await? == SignUpResult::ConfirmEmail {
                waiting.try_set(Some(request.email));
            }
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <TextField label="Email" name="email" kind=FieldKind::Email autocomplete="email" value=address form=form />
            <NewPasswordField label="Password" name="password" value=password form=form settings=settings />
            <Button label="Create account" kind="submit" pending=form.pending() class="button button-wide" />
        </Form>
    }
}

fn check(address: &str, password: String, rules: PasswordRules) -> Result<RegisterRequest, FormErrors> {
    let mut errors = FormErrors::new();
    let address = email(address).map(str::to_owned).map_err(|problem| errors.insert("email".into(), problem));
    if let Err(problem) = new_password(&password, rules) {
        errors.insert("password".into(), problem);
    }
    match address {
        Ok(email) if errors.is_empty() => Ok(RegisterRequest { email, password, ..RegisterRequest::default() }),
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PASSWORD_RULES;

    #[test]
    fn invalid_fields_are_reported_before_sending() {
        let errors = check("ada", "short".to_owned(), PASSWORD_RULES).expect_err("errors");
        assert_eq!(errors.keys().collect::<Vec<_>>(), [&"email", &"password"]);
        let request = check(" ada@example.com ", " long enough ".to_owned(), PASSWORD_RULES).expect("a request");
        assert_eq!((request.email.as_str(), request.password.as_str()), ("ada@example.com", " long enough "));
    }
}

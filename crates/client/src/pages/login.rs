//! `/login`

use crate::components::{
    Button, FieldKind, Form, FormErrors, FormState, ResendLink, TextField, use_server_settings, with_query,
};
use crate::policy::RequestFailure;
use crate::session::{PageSession, SessionOwner, SignInState};
use auth_types::Reason;
use auth_types::invisible::trimmed;
use auth_types::requests::LoginRequest;
use auth_types::responses::Registration;
use auth_types::validation::{REQUIRED, email, given_password};
use leptos::prelude::*;

/// Asks for email or username and password. After the sign-in, the guard leads to the next page.
#[component]
pub fn LoginPage() -> impl IntoView {
    view! {
        <SignOutMessage />
        <LoginForm />
        <p class="aside">
            <SignUp /> <a href="/forgot-password">"Forgot password?"</a>
        </p>
    }
}

/// The link to the sign-up page, where new accounts are accepted.
#[component]
fn SignUp() -> impl IntoView {
    let settings = use_server_settings();
    let href = with_query("/register");
    let is_open = Memo::new(move |_| settings.registration() == Some(Registration::Open));
    view! {
        <Show when=move || is_open.get()>
            "New here? " <a href=href.clone()>"Create account"</a> <br />
        </Show>
    }
}

/// Why the user has to sign in again.
#[component]
fn SignOutMessage() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let message = move || match session.state() {
        SignInState::SignedOut(reason) => reason.message(),
        SignInState::Unknown | SignInState::SignedIn(_) => None,
    };
    move || message().map(|text| view! { <p class="remark" prop:textContent=text></p> })
}

#[component]
fn LoginForm() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let form = FormState::new(&["email", "password"]);
    let identifier = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let unconfirmed = RwSignal::new(None::<String>);
    let submit = move |()| {
        unconfirmed.set(None);
        let checked = check(&identifier.get_untracked(), password.get_untracked());
        form.submit(checked, move |request| async move {
            let signed_in = page.login(&request).await;
            if signed_in.as_ref().is_err_and(wants_confirmation) {
                unconfirmed.try_set(request.email);
            }
            signed_in
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <TextField
                label="Email or username"
                name="email"
                kind=FieldKind::Name
                autocomplete="username"
                value=identifier
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
            <Button label="Sign in" kind="submit" pending=form.pending() class="button button-wide" />
        </Form>
        {move || unconfirmed.get().filter(|name| email(name).is_ok()).map(|email| view! { <ResendLink email=email /> })}
    }
}

/// The password was right, but the address must be confirmed first.
fn wants_confirmation(failure: &RequestFailure) -> bool {
    matches!(failure, RequestFailure::Refused(refusal) if refusal.reason == Reason::EmailNotVerified)
}

/// The field may contain either name; the server decides which it is.
fn check(identifier: &str, password: String) -> Result<LoginRequest, FormErrors> {
    // As it was typed: the server knows the older forms of names, too.
    let identifier = identifier.trim();
    let mut errors = FormErrors::new();
    if trimmed(identifier).is_empty() {
        errors.insert("email".into(), REQUIRED.to_owned());
    }
    if let Err(problem) = given_password(&password) {
        errors.insert("password".into(), problem);
    }
    let email = Some(identifier.to_owned());
    if errors.is_empty() { Ok(LoginRequest { email, username: None, password }) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_trimmed_and_a_password_is_not() {
        let request = check(" ada@example.com\t", " secret ".to_owned()).expect("a request");
        assert_eq!((request.email.as_deref(), request.password.as_str()), (Some("ada@example.com"), " secret "));
    }

    #[test]
    fn both_empty_fields_are_reported() {
        let errors = check("  ", String::new()).expect_err("errors");
        assert_eq!(errors.keys().collect::<Vec<_>>(), [&"email", &"password"]);
    }
}

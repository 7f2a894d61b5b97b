//! `/reset-password#token=…`

use crate::components::{
    Button, CutLink, Form, FormErrors, FormState, IncompleteLink, NewPasswordField, use_server_settings,
};
use crate::http::{Http, PublicApi};
use crate::mailed_link::use_link_token;
use crate::policy::is_cut;
use auth_types::requests::PasswordResetConfirmRequest;
use auth_types::responses::PasswordRules;
use auth_types::validation::new_password;
use leptos::prelude::*;

/// Asks for a new password. This does not sign in: the user signs in with the new password.
#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let token = use_link_token();
    // The result of one link does not apply to the next.
    let done = RwSignal::new(None::<String>);
    let is_done = move || done.with(|done| done.is_some() && *done == token.get());
    let form = move || match token.get() {
        Some(token) => view! {
            <CutLink is_cut=is_cut(&token) />
            <PasswordForm token=token done=done />
        }
        .into_any(),
        None => view! { <IncompleteLink /> }.into_any(),
    };
    view! {
        <Show when=is_done fallback=form>
            <p class="remark" role="alert">
                "Your new password is set, and every device is signed out. Sign in with the new password."
            </p>
        </Show>
        <p class="aside">
            <a href="/login">"Sign in"</a>
            " or "
            <a href="/forgot-password">"ask for a new link"</a>
        </p>
    }
}

#[component]
fn PasswordForm(
    /// The token of the link.
    token: String,
    /// The token whose password is set.
    done: RwSignal<Option<String>>,
) -> impl IntoView {
    let public_api = PublicApi::new(expect_context::<Http>());
    let settings = use_server_settings();
    let form = FormState::new(&["new_password"]);
    let password = RwSignal::new(String::new());
    let submit = move |()| {
        let checked = check(&token, password.get_untracked(), untrack(|| settings.password_rules()));
        form.submit(checked, move |request| async move {
            public_api.reset_password(&request).await?;
            done.try_set(Some(request.token));
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <NewPasswordField label="New password" name="new_password" value=password form=form settings=settings />
            <Button label="Set password" kind="submit" pending=form.pending() class="button button-wide" />
        </Form>
    }
}

fn check(token: &str, password: String, rules: PasswordRules) -> Result<PasswordResetConfirmRequest, FormErrors> {
    match new_password(&password, rules) {
        Ok(_) => Ok(PasswordResetConfirmRequest { token: token.to_owned(), new_password: password }),
        Err(problem) => Err(FormErrors::from([("new_password".into(), problem)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PASSWORD_RULES;

    #[test]
    fn a_short_password_is_reported_before_sending() {
        assert!(check("t", "short".to_owned(), PASSWORD_RULES).expect_err("an error").contains_key("new_password"));
        let request = check("t", " long enough ".to_owned(), PASSWORD_RULES).expect("a request");
        assert_eq!((request.token.as_str(), request.new_password.as_str()), ("t", " long enough "));
    }
}

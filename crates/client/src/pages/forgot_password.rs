//! `/forgot-password`

use crate::components::{Button, FieldKind, Form, FormErrors, FormState, TextField};
use crate::http::{Http, PublicApi};
use auth_types::requests::PasswordResetRequest;
use auth_types::validation::email;
use leptos::prelude::*;

/// Asks for the address to mail a link to. The next message is the same for every address.
#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let is_sent = RwSignal::new(false);
    view! {
        <Show when=move || is_sent.get() fallback=move || view! { <AddressForm is_sent=is_sent /> }>
            <p class="remark" role="alert">
                "If there is an account with this email, we have sent a link to it. Open the link within an hour."
            </p>
        </Show>
        <p class="aside">
            "Remembered it? " <a href="/login">"Sign in"</a>
        </p>
    }
}

#[component]
fn AddressForm(
    /// Set when the mail is on its way.
    is_sent: RwSignal<bool>,
) -> impl IntoView {
    let public_api = PublicApi::new(expect_context::<Http>());
    let form = FormState::new(&["email"]);
    let address = RwSignal::new(String::new());
    let submit = move |()| {
        form.submit(check(&address.get_untracked()), move |request| async move {
            public_api.forgot_password(&request).await?;
            is_sent.try_set(true);
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <TextField
                label="Email"
                name="email"
                kind=FieldKind::Email
                autocomplete="email"
                hint="We send a link there to choose a new password."
                value=address
                form=form
            />
            <Button label="Send reset link" kind="submit" pending=form.pending() class="button button-wide" />
        </Form>
    }
}

fn check(address: &str) -> Result<PasswordResetRequest, FormErrors> {
    match email(address) {
        Ok(address) => Ok(PasswordResetRequest { email: address.to_owned() }),
        Err(problem) => Err(FormErrors::from([("email".into(), problem)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_an_invalid_one_is_reported() {
        assert_eq!(check(" ada@example.com ").expect("a request").email, "ada@example.com");
        assert!(check("ada").expect_err("an error").contains_key("email"));
    }
}

//! `/verify-email#token=…` and `/change-email#token=…`

use crate::components::{Button, Entrance, Form, FormState, IncompleteLink};
use crate::http::{Http, Visitor};
use crate::mailed_link::take_link_token;
use auth_types::requests::EmailVerifyRequest;
use leptos::prelude::*;

/// Confirms the address of an account.
#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    view! { <ConfirmPage title="Confirm your email" done="Thank you: your email is confirmed." /> }
}

/// Confirms the address that an account is to have.
#[component]
pub fn ChangeEmailPage() -> impl IntoView {
    view! { <ConfirmPage title="Confirm your new email" done="Your email is changed. Use the new one to sign in." /> }
}

/// Waits for a button, because programs that look through mail open links, too.
#[component]
fn ConfirmPage(title: &'static str, done: &'static str) -> impl IntoView {
    let token = StoredValue::new(take_link_token());
    let is_done = RwSignal::new(false);
    let form = move || match token.get_value() {
        Some(token) => view! { <ConfirmForm token=token is_done=is_done /> }.into_any(),
        None => view! { <IncompleteLink /> }.into_any(),
    };
    view! {
        <Entrance title=title>
            <Show when=move || is_done.get() fallback=form>
                <p class="remark" role="alert">{done}</p>
            </Show>
            <p class="aside">
                <a href="/">"Go to your account"</a>
            </p>
        </Entrance>
    }
}

#[component]
fn ConfirmForm(token: String, is_done: RwSignal<bool>) -> impl IntoView {
    let visitor = Visitor::new(expect_context::<Http>());
    let form = FormState::new(&[]);
    let submit = move |()| {
        let request = EmailVerifyRequest { token: token.clone(), ..Default::default() };
        form.submit(Ok(request), move |request| async move {
            visitor.confirm_email(&request).await?;
            is_done.try_set(true);
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=submit>
            <p>"One press on the button, and we know that this address is yours."</p>
            <Button label="Confirm email" kind="submit" pending=form.pending() class="button button-wide" />
        </Form>
    }
}

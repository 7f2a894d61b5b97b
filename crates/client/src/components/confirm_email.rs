//! The content of a page that confirms an address by a mailed link.

use super::{Button, CutLink, Form, FormState, IncompleteLink};
use crate::http::{Http, PublicApi};
use crate::mailed_link::use_link_token;
use crate::policy::is_cut;
use crate::session::{EmailConfirmation, SessionOwner};
use auth_types::requests::EmailVerifyRequest;
use auth_types::responses::VerifyNotice;
use leptos::prelude::*;

/// The texts of such a page.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmationTexts {
    /// The message after a confirmation.
    pub done: &'static str,
    /// The label of the button that rejects it.
    pub reject: &'static str,
    /// The message after a rejection.
    pub rejected: &'static str,
}

/// The result of a link.
#[derive(Debug, Clone)]
struct HandledLink {
    token: String,
    message: &'static str,
}

/// Waits for a button, because mail scanners open links, too.
#[component]
pub fn ConfirmEmail(
    /// Its texts.
    texts: ConfirmationTexts,
) -> impl IntoView {
    let token = use_link_token();
    let done = RwSignal::new(None::<HandledLink>);
    // The result of one link does not apply to the next.
    let message = move || done.get().filter(|done| token.get().as_ref() == Some(&done.token)).map(|done| done.message);
    let form = move || match token.get() {
        Some(token) => view! {
            <CutLink is_cut=is_cut(&token) />
            <ConfirmForm texts=texts token=token done=done />
        }
        .into_any(),
        None => view! { <IncompleteLink /> }.into_any(),
    };
    view! {
        <Show when=move || message().is_some() fallback=form>
            <p class="remark" role="alert" prop:textContent=move || message().unwrap_or_default()></p>
        </Show>
        <p class="aside">
            <a href="/">"Go to your account"</a>
        </p>
    }
}

#[component]
fn ConfirmForm(
    texts: ConfirmationTexts,
    token: String,
    /// Set to the result.
    done: RwSignal<Option<HandledLink>>,
) -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let public_api = PublicApi::new(expect_context::<Http>());
    let form = FormState::new(&[]);
    let token = StoredValue::new(token);
    // The first request, which pressing the button again repeats.
    let sent = StoredValue::new(None::<EmailVerifyRequest>);
    let submit = move |()| {
        let request = sent.get_value().unwrap_or_else(|| session.email_confirmation(token.get_value()));
        sent.set_value(Some(request.clone()));
        form.submit(Ok(request), move |request| async move {
            let confirmed = session.confirm_email(&request).await?;
            done.try_set(Some(HandledLink { token: request.token, message: describe(confirmed, texts) }));
            Ok(())
        });
    };
    let reject = Callback::new(move |()| {
        form.submit(Ok(token.get_value()), move |token| async move {
            public_api.reject_email(token.clone()).await?;
            done.try_set(Some(HandledLink { token, message: texts.rejected }));
            Ok(())
        });
    });
    view! {
        <Form state=form on_submit=submit>
            <p>"Press the button to confirm that this email is yours."</p>
            <Button label="Confirm email" kind="submit" pending=form.pending() class="button button-wide" />
            <Button label=texts.reject pending=form.pending() class="button button-quiet" on_press=reject />
        </Form>
    }
}

/// The message after a confirmation.
const fn describe(confirmed: EmailConfirmation, texts: ConfirmationTexts) -> &'static str {
    match (confirmed.notice, confirmed.signed_in) {
        (Some(VerifyNotice::UsernameTaken), true) => {
            "Your email is confirmed and you are signed in. Someone else took your username meanwhile: choose another one under Account."
        }
        (Some(VerifyNotice::UsernameTaken), false) => {
            "Your email is confirmed. Someone else took your username meanwhile: sign in with your email, and choose another one."
        }
        (_, true) => "Your email is confirmed and you are signed in.",
        (_, false) => texts.done,
    }
}

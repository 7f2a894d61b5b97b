//! What a page for a mailed link shows that confirms an address.

use super::{Button, CutLink, Form, FormState, IncompleteLink};
use crate::http::{Http, Visitor};
use crate::mailed_link::use_link_token;
use crate::policy::is_cut;
use crate::session::{EmailConfirmation, Session};
use auth_types::responses::VerifyNotice;
use leptos::prelude::*;

/// What such a page says.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmWords {
    /// When it is done.
    pub done: &'static str,
    /// The button of whoever did not ask for it.
    pub reject: &'static str,
    /// When that is done.
    pub rejected: &'static str,
}

/// What came of a link.
#[derive(Debug, Clone)]
struct HandledLink {
    token: String,
    said: &'static str,
}

/// Waits for a button, because programs that look through mail open links, too.
#[component]
pub fn ConfirmEmail(
    /// What it says.
    words: ConfirmWords,
) -> impl IntoView {
    let token = use_link_token();
    let done = RwSignal::new(None::<HandledLink>);
    // What came of one link says nothing about the next.
    let said = move || done.get().filter(|done| token.get().as_ref() == Some(&done.token)).map(|done| done.said);
    let form = move || match token.get() {
        Some(token) => view! {
            <CutLink is_cut=is_cut(&token) />
            <ConfirmForm words=words token=token done=done />
        }
        .into_any(),
        None => view! { <IncompleteLink /> }.into_any(),
    };
    view! {
        <Show when=move || said().is_some() fallback=form>
            <p class="remark" role="alert" prop:textContent=move || said().unwrap_or_default()></p>
        </Show>
        <p class="aside">
            <a href="/">"Go to your account"</a>
        </p>
    }
}

#[component]
fn ConfirmForm(
    words: ConfirmWords,
    token: String,
    /// What came of it.
    done: RwSignal<Option<HandledLink>>,
) -> impl IntoView {
    let (session, visitor) = (expect_context::<Session>(), Visitor::new(expect_context::<Http>()));
    let form = FormState::new(&[]);
    let token = StoredValue::new(token);
    let submit = move |()| {
        form.submit(Ok(token.get_value()), move |token| async move {
            let confirmed = session.page().confirm_email(token.clone()).await?;
            done.try_set(Some(HandledLink { token, said: describe(confirmed, words) }));
            Ok(())
        });
    };
    let reject = Callback::new(move |()| {
        form.submit(Ok(token.get_value()), move |token| async move {
            visitor.reject_email(token.clone()).await?;
            done.try_set(Some(HandledLink { token, said: words.rejected }));
            Ok(())
        });
    });
    view! {
        <Form state=form on_submit=submit>
            <p>"One press on the button, and we know that this address is yours."</p>
            <Button label="Confirm email" kind="submit" pending=form.pending() class="button button-wide" />
            <Button label=words.reject pending=form.pending() class="button button-quiet" on_press=reject />
        </Form>
    }
}

/// What to tell people.
const fn describe(confirmed: EmailConfirmation, words: ConfirmWords) -> &'static str {
    match (confirmed.notice, confirmed.signed_in) {
        (Some(VerifyNotice::UsernameTaken), true) => {
            "Your email is confirmed and you are signed in. Somebody else took your username meanwhile: choose another one under Account."
        }
        (Some(VerifyNotice::UsernameTaken), false) => {
            "Your email is confirmed. Somebody else took your username meanwhile: sign in with your email, and choose another one."
        }
        (_, true) => "Your email is confirmed and you are signed in.",
        (_, false) => words.done,
    }
}

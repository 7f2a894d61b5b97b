//! `/verify-email#token=…` and `/change-email#token=…`

use crate::components::{Button, CutLink, Entrance, Form, FormState, IncompleteLink};
use crate::http::{Http, Visitor};
use crate::mailed_link::use_link_token;
use crate::policy::is_cut;
use crate::session::{Confirmed, Session};
use auth_types::responses::VerifyNotice;
use leptos::prelude::*;

/// What a page says.
#[derive(Debug, Clone, Copy)]
struct Words {
    title: &'static str,
    done: &'static str,
    /// The button of whoever did not ask for it.
    reject: &'static str,
    rejected: &'static str,
}

const VERIFY: Words = Words {
    title: "Confirm your email",
    done: "Thank you: your email is confirmed.",
    reject: "I did not sign up",
    rejected: "Thank you: nobody has an account with your email by this sign-up.",
};

const CHANGE: Words = Words {
    title: "Confirm your new email",
    done: "Your email is changed. Use the new one to sign in.",
    reject: "I did not ask for this",
    rejected: "Thank you: the change is cancelled.",
};

/// What came of a link.
#[derive(Debug, Clone)]
struct Done {
    token: String,
    said: &'static str,
}

/// Confirms the address of an account, or of a sign-up.
#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    view! { <ConfirmPage words=VERIFY /> }
}

/// Confirms the address that an account is to have.
#[component]
pub fn ChangeEmailPage() -> impl IntoView {
    view! { <ConfirmPage words=CHANGE /> }
}

/// Waits for a button, because programs that look through mail open links, too.
#[component]
fn ConfirmPage(words: Words) -> impl IntoView {
    let token = use_link_token();
    let done = RwSignal::new(None::<Done>);
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
        <Entrance title=words.title>
            <Show when=move || said().is_some() fallback=form>
                <p class="remark" role="alert" prop:textContent=move || said().unwrap_or_default()></p>
            </Show>
            <p class="aside">
                <a href="/">"Go to your account"</a>
            </p>
        </Entrance>
    }
}

#[component]
fn ConfirmForm(
    words: Words,
    token: String,
    /// What came of it.
    done: RwSignal<Option<Done>>,
) -> impl IntoView {
    let (session, visitor) = (expect_context::<Session>(), Visitor::new(expect_context::<Http>()));
    let form = FormState::new(&[]);
    let token = StoredValue::new(token);
    let submit = move |()| {
        form.submit(Ok(token.get_value()), move |token| async move {
            let confirmed = session.page().confirm_email(token.clone()).await?;
            done.try_set(Some(Done { token, said: describe(confirmed, words) }));
            Ok(())
        });
    };
    let reject = Callback::new(move |()| {
        form.submit(Ok(token.get_value()), move |token| async move {
            visitor.reject_email(token.clone()).await?;
            done.try_set(Some(Done { token, said: words.rejected }));
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
const fn describe(confirmed: Confirmed, words: Words) -> &'static str {
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

//! `/change-email#token=…`

use crate::components::{ConfirmEmail, ConfirmWords};
use leptos::prelude::*;

const WORDS: ConfirmWords = ConfirmWords {
    done: "Your email is changed. Use the new one to sign in.",
    reject: "I did not ask for this",
    rejected: "Thank you: the change is cancelled.",
};

/// Confirms the address that an account is to have.
#[component]
pub fn ChangeEmailPage() -> impl IntoView {
    view! { <ConfirmEmail words=WORDS /> }
}

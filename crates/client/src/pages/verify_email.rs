//! `/verify-email#token=…`

use crate::components::{ConfirmEmail, ConfirmWords};
use leptos::prelude::*;

const WORDS: ConfirmWords = ConfirmWords {
    done: "Thank you: your email is confirmed.",
    reject: "I did not sign up",
    rejected: "Thank you: nobody has an account with your email by this sign-up.",
};

/// Confirms the address of an account, or of a sign-up.
#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    view! { <ConfirmEmail words=WORDS /> }
}

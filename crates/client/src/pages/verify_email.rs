//! `/verify-email#token=…`

use crate::components::{ConfirmEmail, ConfirmationTexts};
use leptos::prelude::*;

const TEXTS: ConfirmationTexts = ConfirmationTexts {
    done: "Thank you: your email is confirmed.",
    reject: "I did not sign up",
    rejected: "Thank you: this sign-up is cancelled, and no account has your email.",
};

/// Confirms the address of an account, or of a sign-up.
#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    view! { <ConfirmEmail texts=TEXTS /> }
}

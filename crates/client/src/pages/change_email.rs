//! `/change-email#token=…`

use crate::components::{ConfirmEmail, ConfirmationTexts};
use leptos::prelude::*;

const TEXTS: ConfirmationTexts = ConfirmationTexts {
    done: "Your email is changed. Use the new one to sign in.",
    reject: "I did not ask for this",
    rejected: "Thank you: the change is cancelled.",
};

/// Confirms the address that an account is to have.
#[component]
pub fn ChangeEmailPage() -> impl IntoView {
    view! { <ConfirmEmail texts=TEXTS /> }
}

//! The product's name and logo.

use leptos::prelude::*;

/// The logo, a key in a ring, and the name.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <span class="brand">
            <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
                <rect class="brand-tile" width="32" height="32" rx="9" />
                <circle class="brand-key" cx="12" cy="16" r="4.25" />
                <path class="brand-key" d="M16.25 16H25M22 16v3.5M25 16v2.5" />
            </svg>
            "Latchkey"
        </span>
    }
}

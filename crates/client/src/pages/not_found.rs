//! Anything else.

use crate::components::{Entrance, Lost};
use leptos::prelude::*;

/// What is shown at an address that the table of pages does not have.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Entrance title="Page not found">
            <Lost />
        </Entrance>
    }
}

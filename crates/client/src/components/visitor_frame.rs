//! The frame of the pages for visitors.

use super::{Brand, PageTitle};
use leptos::prelude::*;

/// A card in the middle of the screen.
#[component]
pub fn VisitorFrame(
    /// The heading.
    title: &'static str,
    children: Children,
) -> impl IntoView {
    view! {
        <main id="main" class="entrance" tabindex="-1">
            <div class="card">
                <Brand />
                <PageTitle text=title />
                {children()}
            </div>
        </main>
    }
}

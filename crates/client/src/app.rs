//! The application: its pages, and the contexts that they share.

use crate::components::{FirstPage, StatusRegion};
use crate::http::Http;
use crate::mailed_link::restore_address;
use crate::notices::Notices;
use crate::pages::{NotFoundPage, PAGES, routes};
use crate::session::SessionOwner;
use leptos::prelude::*;
use leptos_router::components::{Router, Routes};

/// Mounts the application, in place of the splash screen.
pub fn start() {
    restore_address(PAGES);
    leptos::mount::mount_to_body(App);
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
}

#[component]
fn App() -> impl IntoView {
    let notices = Notices::new(window().navigator().on_line());
    let http = Http::new(notices);
    let session = SessionOwner::start(http, notices);
    provide_context(notices);
    provide_context(http);
    provide_context(session);
    provide_context(FirstPage::new());
    provide_context(PAGES);
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <StatusRegion />
        <Router>
            <AllPages />
        </Router>
    }
}

#[component]
fn AllPages() -> impl IntoView {
    view! { <Routes fallback=NotFoundPage children=ToChildren::to_children(routes) /> }
}

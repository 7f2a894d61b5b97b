//! The routes, and who sees them.

use crate::components::{FirstPage, Shell, StatusRegion};
use crate::http::Http;
use crate::mailed_link::restore_address;
use crate::notices::Notices;
use crate::pages::{
    AccountPage, ChangeEmailPage, ForgotPasswordPage, HomePage, LoginPage, NotFoundPage, RegisterPage,
    ResetPasswordPage, SecurityPage, SessionsPage, VerifyEmailPage,
};
use crate::session::Session;
use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

/// Puts the application into the page, in place of what the page shows until then.
pub fn start() {
    restore_address();
    leptos::mount::mount_to_body(App);
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
}

/// Everything.
#[component]
fn App() -> impl IntoView {
    let notices = Notices::new();
    let http = Http::new(notices);
    let session = Session::start(http, notices);
    provide_context(notices);
    provide_context(http);
    provide_context(session);
    provide_context(FirstPage::new());
    view! {
        <a class="skip" href="#main" rel="external">"Skip to content"</a>
        <StatusRegion />
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/login") view=LoginPage />
                <Route path=path!("/register") view=RegisterPage />
                <Route path=path!("/forgot-password") view=ForgotPasswordPage />
                <Route path=path!("/reset-password") view=ResetPasswordPage />
                <Route path=path!("/verify-email") view=VerifyEmailPage />
                <Route path=path!("/change-email") view=ChangeEmailPage />
                <ParentRoute path=path!("") view=Shell>
                    <Route path=path!("") view=HomePage />
                    <Route path=path!("/account") view=AccountPage />
                    <Route path=path!("/security") view=SecurityPage />
                    <Route path=path!("/sessions") view=SessionsPage />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

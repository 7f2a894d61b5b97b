//! The frame of the pages for users.

use super::{Brand, Button, Protected, keep_fresh};
use crate::http::Api;
use crate::session::PageSession;
use leptos::prelude::*;
use leptos_router::components::{A, Outlet};

/// Header, navigation and, below them, the page.
#[component]
pub fn Shell() -> impl IntoView {
    view! {
        <Protected>
            <Header />
            <main id="main" class="page" tabindex="-1">
                <Outlet />
            </main>
        </Protected>
    }
}

#[component]
fn Header() -> impl IntoView {
    let page = expect_context::<PageSession>();
    keep_fresh(move || Api::new(page).me(), move |user| page.set_user(user));
    let sign_out = Callback::new(move |()| page.logout());
    view! {
        <header class="header">
            <div class="header-inner">
                <a class="home" href="/">
                    <Brand />
                </a>
                <nav aria-label="Account pages">
                    <ul>
                        <li>
                            <A href="/account">"Account"</A>
                        </li>
                        <li>
                            <A href="/security">"Security"</A>
                        </li>
                        <li>
                            <A href="/sessions">"Sessions"</A>
                        </li>
                    </ul>
                </nav>
                <Button label="Sign out" pending=false class="button button-quiet" on_press=sign_out />
            </div>
        </header>
    }
}

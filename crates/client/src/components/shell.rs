//! The frame of the pages for users.

use super::keep_fresh::keep_fresh;
use super::{Brand, Button, Protected};
use crate::policy::Pages;
use crate::session::{Api, PageSession, SessionOwner};
use auth_types::Role;
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
                <Navigation />
                <Button label="Sign out" pending=false class="button button-quiet" on_press=sign_out />
            </div>
        </header>
    }
}

/// The navigation entries that this user may see.
#[component]
fn Navigation() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let pages = expect_context::<Pages>();
    let role = Memo::new(move |_| session.user().map_or(Role::User, |user| user.role));
    let entry = |(path, name): (&'static str, &'static str)| {
        view! {
            <li>
                <A href=path>
                    <span prop:textContent=name></span>
                </A>
            </li>
        }
    };
    view! {
        <nav aria-label="Account pages">
            <ul>
                {move || pages.entries(role.get()).map(entry).collect_view()}
            </ul>
        </nav>
    }
}

//! Guards of pages: who may see which.

use super::{Brand, Button, Loader, NotFound, PageTitle, Waiting, load};
use crate::policy::{Audience, Pages, SIGN_IN, START, SignOutReason, accept_next, sign_in_path};
use crate::session::{Api, PageSession, SessionOwner, SignInState};
use auth_types::responses::UserResponse;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};

/// Shows its content to a user whom the server has confirmed, and redirects visitors to the sign-in page.
#[component]
pub fn Protected(children: ChildrenFn) -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    ask_visitors_to_sign_in(session);
    let shown = Memo::new(move |_| match session.state() {
        SignInState::SignedIn(epoch) => Some((epoch, session.user().is_some())),
        SignInState::Unknown | SignInState::SignedOut(_) => None,
    });
    move || {
        let (epoch, is_confirmed) = shown.get()?;
        // Everything below belongs to this session. The next session builds it again, forms included.
        provide_context(session.page_of(epoch));
        Some(if is_confirmed { children().into_any() } else { view! { <Confirming /> }.into_any() })
    }
}

fn ask_visitors_to_sign_in(session: SessionOwner) {
    let location = use_location();
    let navigate = use_navigate();
    let pages = expect_context::<Pages>();
    Effect::new(move |_| {
        let SignInState::SignedOut(reason) = session.state() else { return };
        let here = || {
            let search = location.search.get_untracked();
            let query = if search.is_empty() { String::new() } else { format!("?{search}") };
            format!("{}{query}{}", location.pathname.get_untracked(), location.hash.get_untracked())
        };
        let by_wish = matches!(reason, SignOutReason::ByUser | SignOutReason::Deleted);
        let to = if by_wish { SIGN_IN.to_owned() } else { sign_in_path(&here(), pages) };
        navigate(&to, replacing());
    });
}

/// Asks the server who the user is, and shows none of their data meanwhile.
#[component]
fn Confirming() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let me: Loader<UserResponse> = load(move || Api::new(page).me());
    Effect::new(move |_| {
        if let Some(user) = me.value.get() {
            page.set_user(user);
        }
    });
    let sign_out = Callback::new(move |()| page.logout());
    view! {
        <main id="main" class="entrance" tabindex="-1">
            <div class="card">
                <Brand />
                <h1>"One moment"</h1>
                <Waiting loader=me />
                <Show when=move || me.failure().is_some()>
                    <Button label="Sign out" pending=false class="button button-quiet" on_press=sign_out />
                </Show>
            </div>
        </main>
    }
}

/// Shows its content to visitors, and redirects users to the page that they wanted.
#[component]
pub fn VisitorsOnly(children: ChildrenFn) -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let query = use_query_map();
    let navigate = use_navigate();
    let pages = expect_context::<Pages>();
    Effect::new(move |_| {
        if matches!(session.state(), SignInState::SignedIn(_)) {
            let next = query.get_untracked().get("next");
            navigate(accept_next(next.as_deref().unwrap_or(START), pages), replacing());
        }
    });
    move || {
        let is_visitor = matches!(session.state(), SignInState::SignedOut(_));
        is_visitor.then(|| {
            provide_context(session.page());
            children()
        })
    }
}

/// Shows its content to administrators, and "Page not found" to other users.
#[component]
pub fn AdministratorsOnly(children: ChildrenFn) -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let is_admitted = Memo::new(move |_| session.user().is_some_and(|user| Audience::Administrators.admits(user.role)));
    let lost = || {
        view! {
            <PageTitle text="Page not found" />
            <NotFound />
        }
    };
    view! {
        <Show when=move || is_admitted.get() fallback=lost>
            {children()}
        </Show>
    }
}

fn replacing() -> NavigateOptions {
    NavigateOptions { replace: true, resolve: false, ..NavigateOptions::default() }
}

//! `/`

use crate::components::{Avatar, Moment, ResendLink};
use crate::session::SessionOwner;
use leptos::prelude::*;

/// The signed-in user, and links to the other pages.
///
/// A tile says what can be done, and its hint names the page: of two links with the same name, one would be the navigation's.
#[component]
pub fn HomePage() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let name = move || session.user().map(|user| user.display_name).filter(|name| !name.is_empty());
    let email = move || session.user().map(|user| user.email).unwrap_or_default();
    let since = Memo::new(move |_| session.user().map(|user| user.created_at));
    view! {
        <Show when=move || session.user().is_some_and(|user| !user.email_verified)>
            <Unconfirmed />
        </Show>
        <section class="panel">
            <div class="picture">
                <Avatar />
                {move || name().map(|name| view! { <p class="greeting" prop:textContent=format!("Hello, {name}")></p> })}
            </div>
            <dl class="facts">
                <div class="wide">
                    <dt>"Signed in as"</dt>
                    <dd class="email" prop:textContent=email></dd>
                </div>
                <div>
                    <dt>"Member since"</dt>
                    <dd>{move || since.get().map(|at| view! { <Moment at=at /> })}</dd>
                </div>
            </dl>
        </section>
        <ul class="tiles">
            <li>
                <a class="tile" href="/account" aria-describedby="tile-account">"Change your profile"</a>
                <p class="hint" id="tile-account">"Your name, your username and your picture, under Account."</p>
            </li>
            <li>
                <a class="tile" href="/security" aria-describedby="tile-security">"Change your password or email"</a>
                <p class="hint" id="tile-security">"What you sign in with, under Security."</p>
            </li>
            <li>
                <a class="tile" href="/sessions" aria-describedby="tile-sessions">"See your devices"</a>
                <p class="hint" id="tile-sessions">"Where you are signed in, under Sessions. Sign out what you do not know."</p>
            </li>
        </ul>
    }
}

/// Reminds the user of the mailed link that confirms the address.
#[component]
fn Unconfirmed() -> impl IntoView {
    let session = expect_context::<SessionOwner>();
    let email = Signal::derive(move || session.user().map(|user| user.email).unwrap_or_default());
    view! {
        <section class="panel panel-row">
            <p>"Your email is not confirmed yet. Open the link in the mail that we sent you."</p>
            <ResendLink email=email />
        </section>
    }
}

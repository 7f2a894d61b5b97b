//! The mail with the link, again.

use super::{Alert, Button, keep_focus};
use crate::http::{Http, Visitor};
use crate::notices::Notices;
use crate::session::{Api, PageSession, Session, State};
use crate::tokens;
use auth_types::requests::EmailResendRequest;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A button that asks for the mail that confirms an address. What happens is told in the status region.
#[component]
pub fn ResendLink(
    /// The address.
    #[prop(into)]
    email: Signal<String>,
) -> impl IntoView {
    let (visitor, notices) = (Visitor::new(expect_context::<Http>()), expect_context::<Notices>());
    let (session, page) = (expect_context::<Session>(), expect_context::<PageSession>());
    let pending = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let press = Callback::new(move |()| {
        pending.set(true);
        failure.set(None);
        let is_signed_in = matches!(untrack(|| session.state()), State::SignedIn(_));
        let request = EmailResendRequest { email: email.get_untracked(), registration: tokens::read_registration() };
        spawn_local(async move {
            // The link may have been opened elsewhere since the page was loaded; of whoever is signed in that is known.
            let user = if is_signed_in { Api::new(page).me().await.ok() } else { None };
            if let Some(user) = user.filter(|user| user.email_verified) {
                pending.try_set(false);
                keep_focus(|| page.set_user(user));
                notices.say(Some("Your email is confirmed. There is no need for another link."));
                return;
            }
            let result = visitor.resend_confirmation(&request).await;
            pending.try_set(false);
            match result {
                // By now the page may be somebody else's, who has asked for nothing.
                Ok(()) if !page.is_current() => {}
                Ok(()) if is_signed_in => notices.say(Some("The link is on its way to you. Look into your mail.")),
                Ok(()) => notices.say(Some(
                    "If your email is not confirmed yet, the link is on its way to you. Look into your mail.",
                )),
                Err(problem) => drop(failure.try_set(Some(problem.message()))),
            }
        });
    });
    view! {
        <Alert text=failure />
        <Button label="Send the link again" pending=pending class="button button-quiet" on_press=press />
    }
}

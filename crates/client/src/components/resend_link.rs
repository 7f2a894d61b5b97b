//! The mail with the link, again.

use super::{Alert, Button};
use crate::http::{Http, Visitor};
use crate::notices::Notices;
use crate::session::PageSession;
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
    let page = expect_context::<PageSession>();
    let pending = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let press = Callback::new(move |()| {
        pending.set(true);
        failure.set(None);
        let request = EmailResendRequest { email: email.get_untracked(), registration: tokens::read_registration() };
        spawn_local(async move {
            let result = visitor.resend_confirmation(&request).await;
            pending.try_set(false);
            match result {
                // By now the page may be somebody else's, who has asked for nothing.
                Ok(()) if !page.is_current() => {}
                Ok(()) => notices.say(Some("The link is on its way to you. Look into your mail.")),
                Err(problem) => drop(failure.try_set(Some(problem.message()))),
            }
        });
    });
    view! {
        <Alert text=failure />
        <Button label="Send the link again" pending=pending class="button button-quiet" on_press=press />
    }
}

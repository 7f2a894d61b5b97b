//! Asks for the confirmation mail again.

use super::{Alert, Button, UserAction, keep_focus};
use crate::http::{Http, PublicApi};
use crate::local_storage;
use crate::notices::Notices;
use crate::session::{Api, PageSession, SessionOwner, SignInState};
use auth_types::requests::EmailResendRequest;
use leptos::prelude::*;

const SENT: &str = "The link is on its way to you. Check your mail.";
const SENT_IF_NEEDED: &str = "If your email is not confirmed yet, the link is on its way to you. Check your mail.";

/// A button that asks for the mail that confirms an address. The status region shows the result.
#[component]
pub fn ResendLink(
    /// The address.
    #[prop(into)]
    email: Signal<String>,
) -> impl IntoView {
    let public_api = PublicApi::new(expect_context::<Http>());
    let notices = expect_context::<Notices>();
    let session = expect_context::<SessionOwner>();
    let page = expect_context::<PageSession>();
    let action = UserAction::new();
    let send = move || async move {
        let is_signed_in = matches!(untrack(|| session.state()), SignInState::SignedIn(_));
        let request =
            EmailResendRequest { email: email.get_untracked(), registration: local_storage::read_browser_secret() };
        // A signed-in user may have opened the link elsewhere since the page was loaded.
        let user = if is_signed_in { Api::new(page).me().await.ok() } else { None };
        if let Some(user) = user.filter(|user| user.email_verified) {
            keep_focus(|| page.set_user(user));
            notices.say("Your email is confirmed. There is no need for another link.");
            return Ok(());
        }
        public_api.resend_confirmation(&request).await?;
        // Another user may have signed in by now, who has not asked for a link.
        if page.is_current() {
            notices.say(if is_signed_in { SENT } else { SENT_IF_NEEDED });
        }
        Ok(())
    };
    let press = Callback::new(move |()| action.start(send()));
    view! {
        <Alert text=action.failure() />
        <Button label="Send the link again" pending=action.signal() class="button button-quiet" on_press=press />
    }
}

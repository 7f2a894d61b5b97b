//! `/sessions`

use crate::components::{Alert, Button, Loader, Moment, UserAction, Waiting, focus_by_id, focus_heading, load};
use crate::notices::Notices;
use crate::policy::newest_devices;
use crate::session::{Api, PageSession};
use auth_types::SessionId;
use auth_types::responses::SessionResponse;
use chrono::{DateTime, Utc};
use leptos::prelude::*;

/// How many devices are shown at once. Thousands, as left by a program that signs in repeatedly, would keep the browser busy
/// for seconds.
const AT_ONCE: usize = 20;

/// The devices where this user is signed in.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let fetch = move || async move { Ok(in_order(Api::new(page).sessions().await?)) };
    let devices = load(fetch).keep_fresh(|shown, newest| newest_devices(&shown.unwrap_or_default(), newest));
    let failure = RwSignal::new(None);
    let limit = RwSignal::new(AT_ONCE);
    view! {
        <p class="lead">"These devices are signed in to your account. Sign out any that you do not know."</p>
        <Alert text=failure />
        <Show when=move || devices.value.with(Option::is_some) fallback=move || view! { <Waiting loader=devices /> }>
            <ul class="list">
                <For each=move || shown(devices, limit.get()) key=|device| device.id let:device>
                    <Device device=device devices=devices failure=failure />
                </For>
            </ul>
            <ShowMore devices=devices limit=limit />
            <SignOutEverywhere failure=failure />
        </Show>
    }
}

/// This device first, then the others, most recently used first.
fn in_order(mut devices: Vec<SessionResponse>) -> Vec<SessionResponse> {
    devices.sort_by_key(|device| (!device.current, std::cmp::Reverse(device.last_used_at)));
    devices
}

fn shown(devices: Loader<Vec<SessionResponse>>, limit: usize) -> Vec<SessionResponse> {
    devices.value.with(|devices| devices.iter().flatten().take(limit).cloned().collect())
}

/// How many devices are shown, and a button for more.
#[component]
fn ShowMore(devices: Loader<Vec<SessionResponse>>, limit: RwSignal<usize>) -> impl IntoView {
    let count = Memo::new(move |_| devices.value.with(|devices| devices.as_ref().map_or(0, Vec::len)));
    let press = Callback::new(move |()| {
        let first = limit.get_untracked();
        limit.set(first + AT_ONCE);
        let id = devices.value.with_untracked(|devices| Some(devices.as_ref()?.get(first)?.id));
        if let Some(id) = id {
            focus_by_id(element_id(id));
        }
    });
    let is_cut_off = Memo::new(move |_| limit.get() < count.get());
    view! {
        <Show when=move || is_cut_off.get()>
            <div class="stack">
                <p
                    class="hint"
                    prop:textContent=move || format!("{} of {} devices are shown.", limit.get(), count.get())
                ></p>
                <Button label="Show more" pending=false class="button button-quiet" on_press=press />
            </div>
        </Show>
    }
}

fn element_id(session: SessionId) -> String {
    format!("session-{session}")
}

#[component]
fn Device(
    device: SessionResponse,
    devices: Loader<Vec<SessionResponse>>,
    failure: RwSignal<Option<String>>,
) -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let action = UserAction::reporting_to(failure);
    let id = device.id;
    let is_current = device.current;
    let end = Callback::new(move |()| {
        if is_current {
            return page.logout();
        }
        action.start(async move {
            Api::new(page).end_session(id).await?;
            notices.say("The device is signed out.");
            focus_heading();
            devices.value.try_update(|devices| devices.iter_mut().for_each(|all| all.retain(|one| one.id != id)));
            Ok(())
        });
    });
    let name = format!("device-{id}");
    let device =
        Memo::new(move |_| devices.value.with(|all| find(all.as_deref(), id)).unwrap_or_else(|| device.clone()));
    view! {
        <li id=element_id(id) class="list-item" tabindex="-1" aria-labelledby=name.clone()>
            <div class="list-item-name">
                <h2 id=name.clone() prop:textContent=move || device.with(|device| device.device.clone())></h2>
                {is_current.then(|| view! { <p class="badge">"This device"</p> })}
            </div>
            <DeviceFacts device=device />
            <Button label="Sign out this device" pending=action.signal() class="button button-quiet" on_press=end />
        </li>
    }
}

fn find(devices: Option<&[SessionResponse]>, id: SessionId) -> Option<SessionResponse> {
    devices?.iter().find(|device| device.id == id).cloned()
}

#[component]
fn DeviceFacts(#[prop(into)] device: Signal<SessionResponse>) -> impl IntoView {
    let moment = move |of: fn(&SessionResponse) -> DateTime<Utc>| Signal::derive(move || device.with(of));
    let address = Memo::new(move |_| device.with(|device| device.ip_address.clone()));
    view! {
        <dl class="facts">
            <div>
                <dt>"Signed in"</dt>
                <dd>
                    <Moment at=moment(|device| device.created_at) />
                </dd>
            </div>
            <div>
                <dt>"Last used"</dt>
                <dd>
                    <Moment at=moment(|device| device.last_used_at) />
                </dd>
            </div>
            <div>
                <dt>"Expires if not used"</dt>
                <dd>
                    <Moment at=moment(|device| device.expires_at) />
                </dd>
            </div>
            {move || {
                address
                    .get()
                    .map(|address| {
                        view! {
                            <div>
                                <dt>"IP address"</dt>
                                <dd prop:textContent=address></dd>
                            </div>
                        }
                    })
            }}
        </dl>
    }
}

#[component]
fn SignOutEverywhere(failure: RwSignal<Option<String>>) -> impl IntoView {
    let page = expect_context::<PageSession>();
    let action = UserAction::reporting_to(failure);
    let press = Callback::new(move |()| action.start(page.logout_everywhere()));
    view! {
        <section class="panel panel-row">
            <p>"Lost a device, or not sure? Sign out everywhere, this device included."</p>
            <Button label="Sign out everywhere" pending=action.signal() class="button button-danger" on_press=press />
        </section>
    }
}

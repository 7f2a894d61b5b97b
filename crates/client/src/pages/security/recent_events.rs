//! The account's recent events: a part of `/security`.

use crate::components::{Alert, Button, Loader, Moment, UserAction, Waiting, focus_by_id, load};
use crate::policy::newest_events;
use crate::session::{Api, PageSession};
use auth_types::device;
use auth_types::events::{EventResponse, EventsResponse};
use leptos::prelude::*;

/// The newest events, and older ones on demand.
#[component]
pub(super) fn RecentEvents() -> impl IntoView {
    let api = Api::new(expect_context::<PageSession>());
    let page = load(move || api.events("")).keep_fresh(newest_events);
    view! {
        <section class="panel">
            <h2>"Recent events"</h2>
            <p>"Is there something that you did not do? Change your password: that signs out every other device."</p>
            <Show when=move || page.value.with(Option::is_some) fallback=move || view! { <Waiting loader=page /> }>
                <ul class="events">
                    <For each=move || shown(page) key=|event| event.id let:event>
                        <Event event=event />
                    </For>
                </ul>
                <ShowMore page=page />
            </Show>
        </section>
    }
}

fn shown(page: Loader<EventsResponse>) -> Vec<EventResponse> {
    page.value.get().map(|page| page.results).unwrap_or_default()
}

#[component]
fn Event(event: EventResponse) -> impl IntoView {
    let device = event.user_agent.as_deref().map(|agent| device::describe(Some(agent)));
    let source = [device, event.ip_address].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        <li id=element_id(event.id) class="event" tabindex="-1">
            <p class="event-kind" prop:textContent=event.kind.description()></p>
            <p class="details">
                <Moment at=event.at />
                {(!source.is_empty()).then(|| view! { <span prop:textContent=format!(" · {source}")></span> })}
            </p>
        </li>
    }
}

/// Adds the next page to what is shown.
#[component]
fn ShowMore(page: Loader<EventsResponse>) -> impl IntoView {
    let api = Api::new(expect_context::<PageSession>());
    let action = UserAction::new();
    let next = Memo::new(move |_| page.value.with(|page| page.as_ref().and_then(|page| page.next.clone())));
    let press = Callback::new(move |()| {
        let Some(cursor) = next.get_untracked() else { return };
        action.start(async move {
            append(page, api.events(&cursor).await?);
            Ok(())
        });
    });
    view! {
        <Alert text=action.failure() />
        <Show when=move || next.with(Option::is_some)>
            <Button label="Show more" pending=action.signal() class="button button-quiet" on_press=press />
        </Show>
    }
}

fn append(page: Loader<EventsResponse>, more: EventsResponse) {
    let first = more.results.first().map(|event| event.id);
    page.value.try_update(|page| {
        if let Some(page) = page {
            page.results.extend(more.results);
            page.next = more.next;
        }
    });
    // The button may have been removed, so move the focus to the first new event.
    if let Some(first) = first {
        focus_by_id(element_id(first));
    }
}

fn element_id(event: i64) -> String {
    format!("event-{event}")
}

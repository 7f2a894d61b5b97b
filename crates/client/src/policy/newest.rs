//! Merges a list that was fetched again into the one that is shown.

use auth_types::events::EventsResponse;
use auth_types::responses::SessionResponse;
use std::collections::BTreeMap;

/// The current devices, each at the position where it is shown, so that no button moves while the user is about to press it.
/// New ones come after this device.
pub fn newest_devices(shown: &[SessionResponse], mut newest: Vec<SessionResponse>) -> Vec<SessionResponse> {
    // A map, because there may be thousands.
    let positions: BTreeMap<_, _> =
        shown.iter().zip(1_usize..).map(|(known, position)| (known.id.0, position)).collect();
    newest.sort_by_key(|device| (!device.current, positions.get(&device.id.0).copied().unwrap_or_default()));
    newest
}

/// The newest events, followed by those that are shown. If more than a page of events is new, only the new page is shown,
/// because events between the two would be missing.
pub fn newest_events(shown: Option<EventsResponse>, newest: EventsResponse) -> EventsResponse {
    let Some(shown) = shown else { return newest };
    let Some(known) =
        newest.results.iter().position(|event| Some(event.id) == shown.results.first().map(|first| first.id))
    else {
        return newest;
    };
    let results = newest.results.into_iter().take(known).chain(shown.results).collect();
    EventsResponse { results, next: shown.next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn device(n: u8, current: bool) -> SessionResponse {
        let at = "2026-11-27T12:00:00Z";
        serde_json::from_value(json!({
            "id": format!("00000000-0000-4000-8000-0000000000{n:02}"), "current": current, "created_at": at,
            "last_used_at": at, "expires_at": at, "ip_address": null, "user_agent": null, "device": n.to_string(),
        }))
        .expect("a device")
    }

    fn events(ids: &[i64], next: Option<&str>) -> EventsResponse {
        let event = |id: &i64| json!({"id": id, "kind": "logged_in", "at": "2026-11-27T12:00:00Z", "ip_address": null, "user_agent": null, "detail": {}});
        let results: Vec<_> = ids.iter().map(event).collect();
        serde_json::from_value(json!({"results": results, "next": next})).expect("events")
    }

    fn ids(page: &EventsResponse) -> Vec<i64> {
        page.results.iter().map(|event| event.id).collect()
    }

    #[test]
    fn devices_stay_where_they_are_and_new_ones_come_after_this_one() {
        let shown = vec![device(1, true), device(2, false), device(3, false), device(4, false)];
        let newest = vec![device(1, true), device(4, false), device(9, false), device(2, false)];
        let names: Vec<_> = newest_devices(&shown, newest).into_iter().map(|device| device.device).collect();
        assert_eq!(names, ["1", "9", "2", "4"]);
    }

    #[test]
    fn older_events_stay_below_the_newest() {
        let shown = events(&[7, 6, 5, 4, 3], Some("further"));
        let page = newest_events(Some(shown.clone()), events(&[9, 8, 7, 6], Some("second")));
        assert_eq!((ids(&page), page.next.as_deref()), (vec![9, 8, 7, 6, 5, 4, 3], Some("further")));
        let page = newest_events(Some(shown), events(&[20, 19, 18], Some("second")));
        assert_eq!((ids(&page), page.next.as_deref()), (vec![20, 19, 18], Some("second")));
        assert_eq!(ids(&newest_events(None, events(&[1], None))), [1]);
    }
}

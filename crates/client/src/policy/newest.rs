//! Lists that are asked for again while somebody reads them.

use auth_types::events::EventsResponse;
use auth_types::responses::SessionResponse;
use std::collections::BTreeMap;

/// The devices as they are now, each where it is shown: nothing moves under the hand of whoever is about to press a button. New
/// ones come after this device.
pub fn newest_devices(shown: &[SessionResponse], mut newest: Vec<SessionResponse>) -> Vec<SessionResponse> {
    // A map, because there may be thousands.
    let places: BTreeMap<_, _> = shown.iter().zip(1_usize..).map(|(known, place)| (known.id.0, place)).collect();
    newest.sort_by_key(|device| (!device.current, places.get(&device.id.0).copied().unwrap_or_default()));
    newest
}

/// The newest events before those that are shown. Where more have happened than a page holds, the page begins with it again:
/// between the two something would be missing.
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

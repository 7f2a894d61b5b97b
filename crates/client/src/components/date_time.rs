//! Times in the user's language.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeDelta, Utc};
use js_sys::{Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// How browsers write the value of `<input type="datetime-local">`.
const FIELD_FORM: &str = "%Y-%m-%dT%H:%M";

/// A point in time, in the user's language and time zone.
#[component]
pub fn Moment(
    /// The time.
    #[prop(into)]
    at: Signal<DateTime<Utc>>,
) -> impl IntoView {
    view! { <time datetime=move || at.get().to_rfc3339() prop:textContent=move || local(at.get())></time> }
}

/// The text of a field of the kind `DateTime` for an instant.
pub fn local_text(at: DateTime<Utc>) -> String {
    text_in_zone(at, offset_at)
}

/// The instant of the text of such a field; `None` if the text is empty or not a time.
pub fn instant_of(text: &str) -> Option<DateTime<Utc>> {
    instant_in_zone(text, offset_at)
}

/// The offset of the user's zone from UTC at an instant.
fn offset_at(at: DateTime<Utc>) -> FixedOffset {
    #[expect(clippy::cast_possible_truncation, reason = "a number of minutes within a day")]
    let minutes = date(at).get_timezone_offset() as i32;
    FixedOffset::west_opt(minutes * 60).unwrap_or_else(|| Utc.fix())
}

fn text_in_zone(at: DateTime<Utc>, offset_at: impl Fn(DateTime<Utc>) -> FixedOffset) -> String {
    at.with_timezone(&offset_at(at)).format(FIELD_FORM).to_string()
}

fn instant_in_zone(text: &str, offset_at: impl Fn(DateTime<Utc>) -> FixedOffset) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, FIELD_FORM).ok()?;
    // The offset depends on the instant. Near a change of the clocks there are two, before and after it.
    let instants = [-1, 1].map(|days| {
        let near = local.checked_add_signed(TimeDelta::days(days))?;
        Some(local.checked_sub_offset(offset_at(near.and_utc()))?.and_utc())
    });
    // An hour that is repeated means its first occurrence, and one that is skipped the time after the change.
    let shown = instants.into_iter().flatten().find(|at| at.with_timezone(&offset_at(*at)).naive_local() == local);
    shown.or(instants[0])
}

fn date(at: DateTime<Utc>) -> js_sys::Date {
    #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
    js_sys::Date::new(&JsValue::from_f64(at.timestamp_millis() as f64))
}

fn local(at: DateTime<Utc>) -> String {
    let options = Object::new();
    for (name, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        // Setting a property of a new object does not fail.
        let _: Result<bool, JsValue> = Reflect::set(&options, &name.into(), &value.into());
    }
    date(at).to_locale_string("default", &options).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Berlin in 2026: summer time from 29 March to 25 October, 01:00 UTC.
    fn berlin(at: DateTime<Utc>) -> FixedOffset {
        let is_summer = (1_774_746_000..1_792_890_000).contains(&at.timestamp());
        FixedOffset::east_opt(if is_summer { 7_200 } else { 3_600 }).expect("an offset")
    }

    /// New York in 2026: summer time from 8 March, 07:00 UTC, to 1 November, 06:00 UTC.
    fn new_york(at: DateTime<Utc>) -> FixedOffset {
        let is_summer = (1_772_953_200..1_793_512_800).contains(&at.timestamp());
        FixedOffset::west_opt(if is_summer { 14_400 } else { 18_000 }).expect("an offset")
    }

    #[test]
    fn a_local_time_is_the_same_instant_in_utc_on_both_sides_of_a_change_of_the_clocks() {
        type Zone = fn(DateTime<Utc>) -> FixedOffset;
        let cases: [(&str, Zone, &str); 10] = [
            ("2026-01-01T00:30", berlin, "2025-12-31T23:30:00Z"),
            ("2026-03-29T01:30", berlin, "2026-03-29T00:30:00Z"),
            ("2026-03-29T03:30", berlin, "2026-03-29T01:30:00Z"),
            ("2026-10-25T01:30", berlin, "2026-10-24T23:30:00Z"),
            ("2026-10-25T02:30", berlin, "2026-10-25T00:30:00Z"),
            ("2026-10-25T03:30", berlin, "2026-10-25T02:30:00Z"),
            ("2026-03-08T01:30", new_york, "2026-03-08T06:30:00Z"),
            ("2026-03-08T03:30", new_york, "2026-03-08T07:30:00Z"),
            ("2026-11-01T01:30", new_york, "2026-11-01T05:30:00Z"),
            ("2026-11-01T03:30", new_york, "2026-11-01T08:30:00Z"),
        ];
        for (text, zone, utc) in cases {
            let instant: DateTime<Utc> = utc.parse().expect("an instant");
            assert_eq!(instant_in_zone(text, zone), Some(instant), "{text}");
            assert_eq!(text_in_zone(instant, zone), text);
        }
    }

    #[test]
    fn a_local_time_that_is_skipped_is_the_one_after_the_change() {
        assert_eq!(instant_in_zone("2026-03-29T02:30", berlin), "2026-03-29T01:30:00Z".parse().ok());
        assert_eq!(instant_in_zone("2026-03-08T02:30", new_york), "2026-03-08T07:30:00Z".parse().ok());
    }

    #[test]
    fn an_empty_field_has_no_instant() {
        assert_eq!(["", "2026-03-04", "soon"].map(|text| instant_in_zone(text, berlin)), [None; 3]);
    }
}

//! Times in the user's language.

use chrono::{DateTime, Utc};
use js_sys::{Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// A point in time, in the user's language and time zone.
#[component]
pub fn Moment(
    /// The time.
    #[prop(into)]
    at: Signal<DateTime<Utc>>,
) -> impl IntoView {
    view! { <time datetime=move || at.get().to_rfc3339() prop:textContent=move || local(at.get())></time> }
}

fn local(at: DateTime<Utc>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
    let date = js_sys::Date::new(&JsValue::from_f64(at.timestamp_millis() as f64));
    let options = Object::new();
    for (name, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        // Setting a property of a new object does not fail.
        let _: Result<bool, JsValue> = Reflect::set(&options, &name.into(), &value.into());
    }
    date.to_locale_string("default", &options).into()
}

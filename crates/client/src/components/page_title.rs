//! The heading of a page, and the focus.

use crate::notices::Notices;
use leptos::html::H1;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};

/// Whether the current page is the one that the browser opened. The browser sets the focus on that one.
#[derive(Debug, Clone, Copy)]
pub struct FirstPage(StoredValue<bool>);

impl FirstPage {
    /// No other page has been opened yet.
    pub fn new() -> Self {
        Self(StoredValue::new(true))
    }

    fn is_over(self) -> bool {
        let first = self.0.get_value();
        self.0.set_value(false);
        !first
    }
}

impl Default for FirstPage {
    fn default() -> Self {
        Self::new()
    }
}

/// Moves the focus to the heading: on another page, or when the focused element was removed.
pub fn focus_heading() {
    focus(document().query_selector("h1").ok().flatten());
}

/// Moves the focus to the element with this id, once it is on the page, so that reading continues there.
pub fn focus_by_id(id: String) {
    request_animation_frame(move || focus(document().get_element_by_id(&id)));
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // An element with a tabindex takes the focus.
        let _: Result<(), JsValue> = element.focus();
    }
}

/// Changes what the page shows. If that removes the focused element, the focus moves to the heading.
pub fn keep_focus(change: impl FnOnce()) {
    let focused = document().active_element();
    change();
    request_animation_frame(move || {
        if focused.is_some_and(|focused| !focused.is_connected()) {
            focus_heading();
        }
    });
}

/// The page's heading. It also names the document, and takes the focus when one page follows another.
#[component]
pub fn PageTitle(
    /// The heading.
    text: &'static str,
) -> impl IntoView {
    let heading = NodeRef::<H1>::new();
    let follows = expect_context::<FirstPage>().is_over();
    document().set_title(&format!("{text} · Latchkey"));
    expect_context::<Notices>().clear();
    heading.on_load(move |_| {
        if follows {
            focus_heading();
        }
    });
    view! { <h1 tabindex="-1" node_ref=heading prop:textContent=text></h1> }
}

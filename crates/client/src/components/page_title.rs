//! Where a page begins, for eyes and for screen readers.

use crate::notices::Notices;
use leptos::html::H1;
use leptos::prelude::*;

/// Whether the page on the screen is the one that the browser opened. The browser looks after the focus of that one.
#[derive(Debug, Clone, Copy)]
pub struct FirstPage(StoredValue<bool>);

impl FirstPage {
    /// It is, so far.
    #[must_use]
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

/// The page's heading; also names the document, and takes the focus when one page follows another.
#[component]
pub fn PageTitle(
    /// The heading.
    text: &'static str,
) -> impl IntoView {
    let heading = NodeRef::<H1>::new();
    let follows = expect_context::<FirstPage>().is_over();
    document().set_title(&format!("{text} · Latchkey"));
    expect_context::<Notices>().say(None);
    heading.on_load(move |heading| {
        if follows {
            // A heading with a tabindex takes the focus.
            let _: Result<(), wasm_bindgen::JsValue> = heading.focus();
        }
    });
    view! { <h1 tabindex="-1" node_ref=heading>{text}</h1> }
}

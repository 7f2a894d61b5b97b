//! Buttons with a pending state.

use leptos::prelude::*;

/// A button that cannot be pressed again while its action is running. It keeps its name and the focus.
#[component]
pub fn Button(
    /// The name.
    #[prop(into)]
    label: Signal<String>,
    /// Whether its action is running.
    #[prop(into)]
    pending: Signal<bool>,
    /// `submit` in a form.
    #[prop(default = "button")]
    kind: &'static str,
    /// Its CSS classes.
    #[prop(default = "button")]
    class: &'static str,
    /// Its action; a submit button has none, because the form submits.
    #[prop(optional, into)]
    on_press: Option<Callback<()>>,
) -> impl IntoView {
    let press = move |_| {
        if let Some(on_press) = on_press.filter(|_| !pending.get_untracked()) {
            on_press.run(());
        }
    };
    view! {
        <button
            type=kind
            class=class
            aria-disabled=move || pending.get().then_some("true")
            aria-busy=move || pending.get().then_some("true")
            on:click=press
            prop:textContent=label
        ></button>
    }
}

//! Forms: one request at a time, and errors at their fields.

use super::{Alert, UserAction};
use crate::notices::Notices;
use crate::policy::{CHECK_FIELDS, RequestFailure};
use futures::future::{FutureExt, LocalBoxFuture};
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Field name → its error. [`auth_types::FieldErrors`] is the form of them that the API sends.
pub type FormErrors = BTreeMap<Cow<'static, str>, String>;

/// What takes the focus when a field is refused: an input, or the first input of a group.
const FIRST_INVALID: &str = ":is(input, select, textarea)[aria-invalid=true], fieldset[aria-invalid=true] input";

/// Reads the text of a control that is on the page.
type ReadText = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// An element that a user writes or chooses a text in.
pub trait TextControl {
    /// Its current text.
    fn text(&self) -> String;
}

macro_rules! text_controls {
    ($($element:ident),+) => {
        $(impl TextControl for web_sys::$element {
            fn text(&self) -> String {
                self.value()
            }
        })+
    };
}
text_controls!(HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement);

/// Counts the forms of this tab.
static FORMS: AtomicU32 = AtomicU32::new(1);

/// The state of a form, apart from its values.
#[derive(Debug, Clone, Copy)]
pub struct FormState {
    fields: StoredValue<&'static [&'static str]>,
    errors: RwSignal<FormErrors>,
    action: UserAction,
    notices: Notices,
    /// Distinguishes the form's elements from those of other forms.
    number: u32,
    element: NodeRef<html::Form>,
    texts: StoredValue<Vec<(ReadText, RwSignal<String>)>>,
    /// Of the form's idempotency keys.
    seed: StoredValue<Uuid>,
}

impl FormState {
    /// A form with these fields, named as the API names them. `choices` stands for a list's own fields, too: `choices.0`, `choices.1` and so on.
    pub fn new(fields: &'static [&'static str]) -> Self {
        Self {
            fields: StoredValue::new(fields),
            errors: RwSignal::new(FormErrors::new()),
            action: UserAction::new(),
            notices: expect_context(),
            number: FORMS.fetch_add(1, Ordering::Relaxed),
            element: NodeRef::new(),
            texts: StoredValue::new(Vec::new()),
            seed: StoredValue::new(Uuid::new_v4()),
        }
    }

    /// Whether a request is running.
    pub fn pending(self) -> Signal<bool> {
        self.action.signal()
    }

    /// The id of a field of this form, unique among all forms.
    pub fn id_of(self, field: &str) -> String {
        format!("{field}-{}", self.number)
    }

    /// The seed of the form's idempotency key. It stays the same until the request succeeds, so that pressing the button again
    /// repeats the request.
    pub fn seed(self) -> Uuid {
        self.seed.get_value()
    }

    /// The error of a field.
    pub fn error_of(self, name: &str) -> Option<String> {
        self.errors.with(|errors| errors.get(name).cloned())
    }

    /// Has a field's text read from its `<input>`, `<select>` or `<textarea>` when the form is submitted.
    pub fn reads<E>(self, control: NodeRef<E>, value: RwSignal<String>)
    where
        E: html::ElementType + 'static,
        E::Output: TextControl + JsCast + Clone + 'static,
    {
        let text = move || control.try_get_untracked().flatten().map(|control| control.text());
        self.texts.update_value(|texts| texts.push((Box::new(text), value)));
    }

    /// Reads the current texts of the fields. Password managers and browsers fill fields without an event, or with one that the
    /// client does not handle.
    fn read_texts(self) {
        self.texts.with_value(|texts| {
            for (read, value) in texts {
                if let Some(text) = read().filter(|text| value.get_untracked() != *text) {
                    value.set(text);
                }
            }
        });
    }

    /// Sends a valid request, or shows the errors. The message about the last action goes away first.
    pub fn submit<T, F, S>(self, checked: Result<T, FormErrors>, send: S)
    where
        S: FnOnce(T) -> F,
        F: Future<Output = Result<(), RequestFailure>> + 'static,
    {
        self.notices.clear();
        match checked {
            Ok(request) => self.run(send(request).boxed_local()),
            Err(errors) => self.refuse(errors),
        }
    }

    fn refuse(self, errors: FormErrors) {
        self.action.show_failure(Some(CHECK_FIELDS.to_owned()));
        self.mark(errors);
    }

    fn run(self, request: LocalBoxFuture<'static, Result<(), RequestFailure>>) {
        self.mark(FormErrors::new());
        let work = async move {
            let result = request.await;
            if result.is_ok() {
                self.seed.try_set_value(Uuid::new_v4());
            }
            result
        };
        self.action.start_explained(work, move |failure| {
            self.mark(self.fields.with_value(|fields| errors_of(&failure, fields)));
            failure.message()
        });
    }

    /// Shows the errors of single fields, and focuses the first of these fields.
    fn mark(self, errors: FormErrors) {
        let in_fields = !errors.is_empty();
        self.errors.set(errors);
        if in_fields {
            request_animation_frame(move || self.focus_first_error());
        }
    }

    fn focus_first_error(self) {
        let form = self.element.try_get_untracked().flatten();
        let field = form.and_then(|form| form.query_selector(FIRST_INVALID).ok().flatten());
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
            // An input takes the focus.
            let _: Result<(), wasm_bindgen::JsValue> = field.focus();
        }
    }
}

/// The errors of those in `fields`, and of the items of lists among them.
fn errors_of(failure: &RequestFailure, fields: &[&'static str]) -> FormErrors {
    let Some(errors) = failure.field_errors() else { return FormErrors::new() };
    let shown = errors.iter().filter(|(name, _)| fields.contains(&name.split('.').next().unwrap_or_default()));
    shown.map(|(name, messages)| (Cow::Owned(name.clone()), messages.join(" "))).collect()
}

/// A form: its fields, and above them its error.
#[component]
pub fn Form(
    /// Its state.
    state: FormState,
    /// Called on a submit, by button or Enter, when no request is running.
    #[prop(into)]
    on_submit: Callback<()>,
    children: Children,
) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !state.action.is_pending() {
            state.read_texts();
            on_submit.run(());
        }
    };
    view! {
        <form class="form" method="post" novalidate on:submit=submit node_ref=state.element>
            <Alert text=state.action.failure() />
            {children()}
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_one_name_in_two_forms_have_ids_of_their_own() {
        Owner::new().with(|| {
            provide_context(Notices::new(true));
            let one = FormState::new(&["password"]);
            let other = FormState::new(&["password"]);
            assert_ne!(one.id_of("password"), other.id_of("password"));
            assert_eq!(one.id_of("password"), one.id_of("password"));
        });
    }

    #[test]
    fn an_error_of_a_lists_item_is_shown_at_its_field() {
        let names = ["question", "choices", "choices.2", "choicest", "kind"];
        let refused = names.map(|name| (name.to_owned(), vec!["Say something.".to_owned()]));
        let failure = RequestFailure::Unsendable(refused.into());
        let shown = errors_of(&failure, &["choices", "kind"]);
        assert_eq!(shown.keys().collect::<Vec<_>>(), ["choices", "choices.2", "kind"]);
    }
}

//! Labelled fields.

use super::{FormState, KnownServerSettings};
use leptos::html::Input;
use leptos::prelude::*;

/// The kind of text in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Prose.
    Text,
    /// A name to sign in with: no capitalisation, no spell check.
    Name,
    /// An email address.
    Email,
    /// A password.
    Password,
    /// A whole number. Not `type="number"`, which changes with the mouse wheel and hides what is not a number.
    Number,
    /// A day: the text is `YYYY-MM-DD`, or empty, however the browser shows it.
    Day,
}

impl FieldKind {
    const fn input_type(self) -> &'static str {
        // Not `email`: browsers change and validate such input themselves; `inputmode` sets the keyboard.
        match self {
            Self::Password => "password",
            Self::Day => "date",
            Self::Text | Self::Name | Self::Email | Self::Number => "text",
        }
    }

    const fn input_mode(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("email"),
            Self::Number => Some("numeric"),
            Self::Text | Self::Name | Self::Password | Self::Day => None,
        }
    }

    const fn is_prose(self) -> bool {
        matches!(self, Self::Text)
    }
}

/// One line of text with its label and its error.
#[component]
pub fn TextField(
    /// The label, which is the field's name.
    label: &'static str,
    /// The name in requests and responses.
    name: &'static str,
    /// Its kind.
    #[prop(default = FieldKind::Text)]
    kind: FieldKind,
    /// The hint for password managers and browsers.
    autocomplete: &'static str,
    /// A sentence about what is expected.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    /// The text.
    value: RwSignal<String>,
    /// The form that it belongs to.
    form: FormState,
) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    form.reads(input, value);
    let error = Memo::new(move |_| form.error_of(name));
    let id = form.id_of(name);
    view! {
        <div class="field">
            <label for=id.clone() prop:textContent=label></label>
            <input
                id=id.clone()
                name=name
                type=kind.input_type()
                inputmode=kind.input_mode()
                autocomplete=autocomplete
                autocapitalize=(!kind.is_prose()).then_some("none")
                spellcheck=(!kind.is_prose()).then_some("false")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described_by(&id, hint.is_some(), error)
                node_ref=input
                prop:value=value
                on:input:target=move |event| value.set(event.target().value())
                on:change:target=move |event| value.set(event.target().value())
            />
            {hint.map(|hint| view! { <p class="hint" id=hint_id(&id) prop:textContent=hint></p> })}
            <FieldError id=error_id(&id) error=error />
        </div>
    }
}

/// A file chooser.
#[component]
pub fn FileField(
    /// The label, which is the field's name.
    label: &'static str,
    /// The name in requests and responses.
    name: &'static str,
    /// The media types that are accepted.
    accept: &'static str,
    /// A sentence about what is expected.
    hint: &'static str,
    /// The input element, which has the file.
    input: NodeRef<Input>,
    /// The form that it belongs to.
    form: FormState,
) -> impl IntoView {
    let error = Memo::new(move |_| form.error_of(name));
    let id = form.id_of(name);
    view! {
        <div class="field">
            <label for=id.clone() prop:textContent=label></label>
            <input
                id=id.clone()
                name=name
                type="file"
                accept=accept
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described_by(&id, true, error)
                node_ref=input
            />
            <p class="hint" id=hint_id(&id) prop:textContent=hint></p>
            <FieldError id=error_id(&id) error=error />
        </div>
    }
}

/// The error of a field.
#[component]
fn FieldError(id: String, error: Memo<Option<String>>) -> impl IntoView {
    move || error.get().map(|text| view! { <p class="field-error" id=id.clone() prop:textContent=text></p> })
}

fn hint_id(field: &str) -> String {
    format!("{field}-hint")
}

fn error_id(field: &str) -> String {
    format!("{field}-error")
}

/// The ids of the elements that describe the field with this id.
fn described_by(field: &str, has_hint: bool, error: Memo<Option<String>>) -> impl Fn() -> Option<String> + use<> {
    let hint = has_hint.then(|| hint_id(field));
    let error_id = error_id(field);
    move || {
        let error = error.with(Option::is_some).then(|| error_id.clone());
        let ids: Vec<_> = hint.iter().cloned().chain(error).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}

/// A field for a new password, with a hint about good ones.
#[component]
pub fn NewPasswordField(
    /// The label, which is the field's name.
    label: &'static str,
    /// The name in requests and responses.
    name: &'static str,
    /// The text.
    value: RwSignal<String>,
    /// The form that it belongs to.
    form: FormState,
    /// What the server wants of it.
    settings: KnownServerSettings,
) -> impl IntoView {
    let hint = move || {
        let least = settings.password_rules().min_length;
        format!("At least {least} characters. A few unusual words make a good one.")
    };
    view! {
        <TextField
            label=label
            name=name
            kind=FieldKind::Password
            autocomplete="new-password"
            hint=Signal::derive(hint)
            value=value
            form=form
        />
    }
}

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
    /// A time of day: the text is `HH:MM`, or empty.
    Time,
    /// A day and a time in the user's zone: the text is `YYYY-MM-DDTHH:MM`, or empty. [`instant_of`](super::instant_of) and
    /// [`local_text`](super::local_text) convert it.
    DateTime,
}

impl FieldKind {
    const fn input_type(self) -> &'static str {
        // Not `email`: browsers change and validate such input themselves; `inputmode` sets the keyboard.
        match self {
            Self::Password => "password",
            Self::Day => "date",
            Self::Time => "time",
            Self::DateTime => "datetime-local",
            Self::Text | Self::Name | Self::Email | Self::Number => "text",
        }
    }

    const fn input_mode(self) -> Option<&'static str> {
        match self {
            Self::Email => Some("email"),
            Self::Number => Some("numeric"),
            Self::Text | Self::Name | Self::Password | Self::Day | Self::Time | Self::DateTime => None,
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
    #[prop(into)]
    label: String,
    /// The name in requests and responses.
    #[prop(into)]
    name: String,
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
    let id = form.id_of(&name);
    view! {
        <div class="field">
            <label for=id.clone() prop:textContent=label></label>
            <input
                id=id.clone()
                name=name.clone()
                type=kind.input_type()
                inputmode=kind.input_mode()
                autocomplete=autocomplete
                autocapitalize=(!kind.is_prose()).then_some("none")
                spellcheck=(!kind.is_prose()).then_some("false")
                aria-invalid=is_invalid(form, &name)
                aria-describedby=described_by(form, &name, hint.is_some())
                node_ref=input
                prop:value=value
                on:input:target=move |event| value.set(event.target().value())
                on:change:target=move |event| value.set(event.target().value())
            />
            {hint.map(|hint| view! { <p class="hint" id=hint_id(&id) prop:textContent=hint></p> })}
            <FieldError form=form name=name />
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
    let id = form.id_of(name);
    view! {
        <div class="field">
            <label for=id.clone() prop:textContent=label></label>
            <input
                id=id.clone()
                name=name
                type="file"
                accept=accept
                aria-invalid=is_invalid(form, name)
                aria-describedby=described_by(form, name, true)
                node_ref=input
            />
            <p class="hint" id=hint_id(&id) prop:textContent=hint></p>
            <FieldError form=form name=name />
        </div>
    }
}

/// The error of a field, below it.
#[component]
pub fn FieldError(
    /// The form that the field belongs to.
    form: FormState,
    /// The field's name in requests and responses.
    #[prop(into)]
    name: String,
) -> impl IntoView {
    let id = error_id(&form.id_of(&name));
    let error = Memo::new(move |_| form.error_of(&name));
    move || error.get().map(|text| view! { <p class="field-error" id=id.clone() prop:textContent=text></p> })
}

/// The id of the hint of the field with this id.
pub fn hint_id(field: &str) -> String {
    format!("{field}-hint")
}

fn error_id(field: &str) -> String {
    format!("{field}-error")
}

/// The `aria-invalid` of a field, for its `<input>` or for the `<fieldset role="radiogroup">` of several. The first field that is refused
/// takes the focus.
pub fn is_invalid(form: FormState, name: &str) -> impl Fn() -> Option<&'static str> + use<> {
    let name = name.to_owned();
    move || form.error_of(&name).map(|_| "true")
}

/// The `aria-describedby` of a field: the ids of its hint, if it has one, and of its [`FieldError`].
pub fn described_by(form: FormState, name: &str, has_hint: bool) -> impl Fn() -> Option<String> + use<> {
    let name = name.to_owned();
    let id = form.id_of(&name);
    move || {
        let error = form.error_of(&name).map(|_| error_id(&id));
        let ids: Vec<_> = has_hint.then(|| hint_id(&id)).into_iter().chain(error).collect();
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

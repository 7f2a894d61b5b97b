//! Translates serde's errors into messages for people who fill in a form.

use auth_types::validation::REQUIRED;
use serde_json::{Value, json};

/// What an error says about the value at its path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SerdeFinding {
    /// The field that the error is about, if it is not about the value itself.
    pub(super) field: Option<String>,
    /// `None` where the replacement leads to an error that says more.
    pub(super) message: Option<String>,
    /// A value of the expected kind; `None` where the field must not exist.
    pub(super) replacement: Option<Value>,
}

impl SerdeFinding {
    fn new(message: impl Into<String>, replacement: Value) -> Self {
        Self { field: None, message: Some(message.into()), replacement: Some(replacement) }
    }

    fn of_field(self, name: &str) -> Self {
        Self { field: Some(name.to_owned()), ..self }
    }
}

/// Parses serde's messages: its errors have no structured form.
pub(super) fn finding(error: &serde_json::Error) -> SerdeFinding {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(words, _)| words);
    if let Some(name) = quoted(message, "missing field `") {
        return SerdeFinding::new(REQUIRED, "".into()).of_field(name);
    }
    if let Some(name) = quoted(message, "unknown field `") {
        return SerdeFinding { replacement: None, ..SerdeFinding::new("There is no such field.", Value::Null) }
            .of_field(name);
    }
    // The message quotes the sent value before this, which may contain the same text.
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    match expected {
        Some(expected) if message.starts_with("unknown variant") => choices(expected),
        Some(expected) => kind(expected, message),
        None => unknown(),
    }
}

fn quoted<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    message.strip_prefix(before)?.split('`').next()
}

/// The message about a value whose type does not describe what it expects.
const NOT_VALID: &str = "Not a valid value.";

/// Many types say what they take to a value of another kind. A null would not do: an optional field takes it.
fn unknown() -> SerdeFinding {
    SerdeFinding::new(NOT_VALID, true.into())
}

/// Whether a message, about a field or something in it, is only [`NOT_VALID`].
pub(super) fn is_vague(message: &str) -> bool {
    message.ends_with(NOT_VALID)
}

/// The message for a type that describes nothing itself but takes this text.
pub(super) fn form_of(taken: &str) -> String {
    format!("Must have the form of {taken}.")
}

/// Values of common types with their own text form: instants, dates, times, ids, addresses.
pub(super) fn samples() -> impl Iterator<Item = Value> {
    const TEXTS: [&str; 8] = [
        "2000-01-01T00:00:00Z",
        "2000-01-01T00:00:00",
        "2000-01-01",
        "00:00:00",
        "00000000-0000-0000-0000-000000000000",
        "127.0.0.1",
        "127.0.0.1:80",
        "https://example.com/",
    ];
    TEXTS.into_iter().map(Value::from).chain([1.into(), "1".into()])
}

fn of_form(taken: &str) -> SerdeFinding {
    SerdeFinding::new(form_of(taken), taken.into())
}

fn choices(expected: &str) -> SerdeFinding {
    let names: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
    match names.as_slice() {
        [] => unknown(),
        [only] => SerdeFinding::new(format!("Must be \"{only}\"."), json!(only)),
        [first, ..] => SerdeFinding::new(format!("Must be one of {}.", names.join(", ")), json!(first)),
    }
}

fn kind(expected: &str, message: &str) -> SerdeFinding {
    if let Some(integer) = Integer::named(expected) {
        return SerdeFinding::new(integer.sentence(message), 1.into());
    }
    match expected {
        "a string" | "a borrowed string" => SerdeFinding::new("Not a valid string.", "".into()),
        "a boolean" => SerdeFinding::new("Must be true or false.", false.into()),
        "f32" | "f64" => SerdeFinding::new("Must be a number.", 0.into()),
        // An enum variant: a wrong name leads to an error that lists the right ones.
        "string or map" | "map with a single key" => SerdeFinding { message: None, ..SerdeFinding::new("", "".into()) },
        "a sequence" => SerdeFinding::new("Must be a list.", json!([])),
        "a map" => SerdeFinding::new("Must be an object.", json!({})),
        _ if expected.starts_with("struct ") => SerdeFinding::new("Must be an object.", json!({})),
        _ if expected.starts_with("a tuple") || expected.starts_with("an array") => list_of(expected),
        // chrono's words for its days and times: their form says more.
        "a formatted date and time string" => of_form("2000-01-01T00:00:00"),
        "a formatted date string" => of_form("2000-01-01"),
        "a formatted time string" => of_form("00:00:00"),
        // serde's convention for custom types: "an RFC 3339 formatted date and time string".
        _ if expected.starts_with("a ") || expected.starts_with("an ") => {
            SerdeFinding::new(format!("Must be {expected}."), Value::Null)
        }
        _ => unknown(),
    }
}

/// "a tuple of size 2", "an array of length 2".
fn list_of(expected: &str) -> SerdeFinding {
    match expected.rsplit(' ').next().and_then(|length| length.parse().ok()) {
        Some(length) => {
            SerdeFinding::new(format!("Must be a list of {length} items."), vec![Value::Null; length].into())
        }
        None => unknown(),
    }
}

/// A type of whole numbers.
struct Integer {
    lowest: i128,
    highest: u128,
}

impl Integer {
    fn named(expected: &str) -> Option<Self> {
        let (name, is_nonzero) = match expected.strip_prefix("a nonzero ") {
            Some(name) => (name, true),
            None => (expected, false),
        };
        let (sign, bits) = name.split_at_checked(1)?;
        let bits: u32 = if bits == "size" { usize::BITS } else { bits.parse().ok()? };
        let highest = |bits: u32| 1_u128.checked_shl(bits).map_or(u128::MAX, |above| above - 1);
        match sign {
            "u" => Some(Self { lowest: i128::from(is_nonzero), highest: highest(bits) }),
            "i" => {
                let highest = highest(bits.checked_sub(1)?);
                Some(Self { lowest: -i128::try_from(highest).ok()? - 1, highest })
            }
            _ => None,
        }
    }

    /// The message; includes the range if the number is outside of it.
    fn sentence(&self, message: &str) -> String {
        let fraction = quoted(message, "invalid type: floating point `").and_then(|number| number.parse::<f64>().ok());
        let is_whole = message.starts_with("invalid value: ") || fraction.is_some_and(|number| number.fract() == 0.0);
        if is_whole {
            format!("Must be a whole number from {} to {}.", self.lowest, self.highest)
        } else {
            "Must be a whole number.".to_owned()
        }
    }
}

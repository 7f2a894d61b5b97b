//! JSON objects as requests, and what is wrong with them field by field.
//!
//! A body can be 64 KiB of very small members. As a tree in memory they cost milliseconds on a thread that serves
//! connections, so nothing here keeps more of a body than any request of ours has.

mod shape;

use crate::problem::Problem;
use auth_types::FieldErrors;
use auth_types::validation::REQUIRED;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::{Deserializer, Value};
use shape::{Fields, MOST_FIELDS, Shape};

/// A JSON object as a request.
///
/// # Errors
/// A 400 that says what is wrong.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let shape: Shape = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let Shape::Object(fields) = shape else {
        return Err(Problem::body_malformed("The body must be a JSON object."));
    };
    if !fields.with_nul.is_empty() {
        let nul = fields.with_nul.into_iter().map(|name| (name, vec!["Null characters are not allowed.".to_owned()]));
        return Err(Problem::fields_invalid(nul.collect()));
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Problem::fields_invalid(explain::<T>(fields, body, &error)),
        Category::Io | Category::Syntax | Category::Eof => malformed(&error),
    })
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::body_malformed(format!("JSON parse error at line {} column {}.", error.line(), error.column()))
}

/// Names every field that is missing or of a wrong type; of an object with too many fields the first such one.
fn explain<T: DeserializeOwned>(fields: Fields, body: &[u8], first: &serde_json::Error) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if fields.are_all {
        explain_all::<T>(fields, &mut errors);
    } else if let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut Deserializer::from_slice(body))
        && quoted("duplicate", error.inner()).is_none()
    {
        let (field, message, _) = explained(&error);
        errors.insert(field, vec![message.to_owned()]);
    }
    if errors.is_empty() {
        let twice = quoted("duplicate", first).unwrap_or_else(|| "body".to_owned());
        errors.insert(twice, vec!["This field comes twice.".to_owned()]);
    }
    errors
}

/// serde stops at the first error, so each field is replaced by a text or a flag, which is what our fields take, until
/// nothing more is found. A field that comes twice is one here.
fn explain_all<T: DeserializeOwned>(fields: Fields, errors: &mut FieldErrors) {
    let mut value = Value::Object(fields.kept);
    for _ in 0..MOST_FIELDS {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&value) else { break };
        let (field, message, replacement) = explained(&error);
        let Some(slot) = value.as_object_mut() else { break };
        slot.insert(field.clone(), replacement);
        errors.insert(field, vec![message.to_owned()]);
    }
}

/// The field that an error is about, the message about it, and a value that it takes.
fn explained(error: &serde_path_to_error::Error<serde_json::Error>) -> (String, &'static str, Value) {
    let (path, text) = (error.path().to_string(), Value::String(String::new()));
    match quoted("missing", error.inner()) {
        Some(field) => (field, REQUIRED, text),
        None if error.inner().to_string().contains("expected a boolean") => {
            (path, "Must be true or false.", Value::Bool(false))
        }
        None => (path, "Not a valid string.", text),
    }
}

/// The name in serde's message "missing field `name`".
fn quoted(what: &str, error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    let rest = message.strip_prefix(what)?.strip_prefix(" field `")?;
    rest.split('`').next().map(str::to_owned)
}

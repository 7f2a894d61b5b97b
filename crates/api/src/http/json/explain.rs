//! Finds what is wrong with a JSON object, field by field.

use super::expected::{SerdeFinding, finding, form_of, is_vague, samples};
use auth_types::FieldErrors;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};
use serde_path_to_error::{Path, Segment, deserialize};

/// A longer body is not kept as a tree, and only its first wrong field is reported.
const KEPT_BYTES: usize = 8 * 1024;
/// How many errors of a body are collected at most: a missing field may cause one for each field of its type.
const MAX_STEPS: usize = 64;

/// Reports every field that is missing or has a wrong type; for a long body only the first.
pub(super) fn explain<T: DeserializeOwned>(body: &[u8], first: &serde_json::Error) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if body.len() <= KEPT_BYTES {
        explain_all::<T>(serde_json::from_slice(body).unwrap_or_default(), &mut errors);
    } else if let Err(error) = deserialize::<_, T>(&mut Deserializer::from_slice(body)) {
        let (path, finding) = locate(&error);
        add_error(&mut errors, &path, finding.message);
    }
    if errors.is_empty() {
        errors.insert(
            duplicate_field(first).unwrap_or_else(|| "body".to_owned()),
            vec!["This field comes twice.".to_owned()],
        );
    }
    errors
}

/// serde stops at the first error, so each wrong value is replaced by a valid one until no error is left. Duplicate fields
/// have been merged here.
fn explain_all<T: DeserializeOwned>(mut value: Value, errors: &mut FieldErrors) {
    let mut current = Vec::new();
    let mut tried = Vec::new();
    for _ in 0..MAX_STEPS {
        let error = deserialize::<_, T>(&value).err();
        let next = error.as_ref().map(locate);
        let is_taken = next.as_ref().is_none_or(|(path, _)| *path != current);
        if is_taken && let Some(Some(Value::String(taken))) = tried.last() {
            add_error(errors, &current, Some(form_of(taken)));
        }
        let Some((path, finding)) = next else { return };
        add_error(errors, &path, finding.message);
        if is_taken {
            current = path;
            tried.clear();
        }
        // A custom type accepts only its own text form. If it accepts none of the samples, the search ends here: the
        // remaining errors are reported once the client has corrected this field.
        let mut replacements = std::iter::once(finding.replacement).chain(samples().map(Some));
        let Some(new) = replacements.find(|new| !tried.contains(new)) else { return };
        if !replace(&mut value, &current, new.clone()) {
            return;
        }
        tried.push(new);
    }
}

/// The path of an error, from the top-level field down, and what it says.
fn locate(error: &serde_path_to_error::Error<serde_json::Error>) -> (Vec<PathStep>, SerdeFinding) {
    let finding = finding(error.inner());
    let mut path: Vec<_> = steps(error.path()).collect();
    let field = finding.field.clone().map(PathStep::Name);
    // For an unknown field, serde's path may end with its name already.
    if field.is_some() && path.last() != field.as_ref() {
        path.extend(field);
    }
    (path, finding)
}

/// A step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PathStep {
    Name(String),
    Item(usize),
}

fn steps(path: &Path) -> impl Iterator<Item = PathStep> {
    path.iter().filter_map(|segment| match segment {
        Segment::Map { key } => Some(PathStep::Name(key.clone())),
        Segment::Enum { variant } => Some(PathStep::Name(variant.clone())),
        Segment::Seq { index } => Some(PathStep::Item(*index)),
        Segment::Unknown => None,
    })
}

/// Keeps the first message about each field that is not vague; a message about a nested value names its path.
fn add_error(errors: &mut FieldErrors, path: &[PathStep], message: Option<String>) {
    let (Some((PathStep::Name(field), inside)), Some(message)) = (path.split_first(), message) else { return };
    let named = |step: &PathStep| match step {
        PathStep::Name(name) => name.clone(),
        PathStep::Item(index) => format!("Item {}", index + 1),
    };
    let inside: Vec<_> = inside.iter().map(named).collect();
    let message = if inside.is_empty() { message } else { format!("{}: {message}", inside.join(", ")) };
    let known = errors.entry(field.clone()).or_default();
    if known.iter().all(|known| is_vague(known)) {
        *known = vec![message];
    }
}

/// Returns whether the path exists.
fn replace(value: &mut Value, path: &[PathStep], new: Option<Value>) -> bool {
    let Some((last, before)) = path.split_last() else { return false };
    let parent = before.iter().try_fold(value, |value, step| match step {
        PathStep::Name(name) => value.get_mut(name),
        PathStep::Item(index) => value.get_mut(index),
    });
    match (parent, last, new) {
        (Some(Value::Object(fields)), PathStep::Name(name), Some(new)) => _ = fields.insert(name.clone(), new),
        (Some(Value::Object(fields)), PathStep::Name(name), None) => return fields.remove(name).is_some(),
        (Some(Value::Array(items)), PathStep::Item(index), Some(new)) if *index < items.len() => items[*index] = new,
        _ => return false,
    }
    true
}

/// The name in serde's message "duplicate field `name`".
fn duplicate_field(error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    let rest = message.strip_prefix("duplicate field `")?;
    rest.split('`').next().map(str::to_owned)
}

//! What is wrong with a JSON object, field by field.

use super::expected::{SerdeFinding, finding, is_vague, samples};
use auth_types::FieldErrors;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Value};
use serde_path_to_error::{Path, Segment, deserialize};

/// A body that is longer is not kept as a tree: its first wrong field is named, and no other.
const KEPT_BYTES: usize = 8 * 1024;
/// How many errors of a body are looked for: a field that is missing has one for each thing that its type wants.
const MOST_STEPS: usize = 64;

/// Names every field that is missing or of a wrong type; of a long body the first such one.
pub(super) fn explain<T: DeserializeOwned>(body: &[u8], first: &serde_json::Error) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if body.len() <= KEPT_BYTES {
        explain_all::<T>(serde_json::from_slice(body).unwrap_or_default(), &mut errors);
    } else if let Err(error) = deserialize::<_, T>(&mut Deserializer::from_slice(body)) {
        let (place, finding) = found(&error);
        note(&mut errors, &place, finding.message);
    }
    if errors.is_empty() {
        errors.insert(twice(first).unwrap_or_else(|| "body".to_owned()), vec!["This field comes twice.".to_owned()]);
    }
    errors
}

/// serde stops at the first error, so each wrong value is replaced by one that is taken, until nothing more is found. A field
/// that comes twice is one here.
fn explain_all<T: DeserializeOwned>(mut value: Value, errors: &mut FieldErrors) {
    let (mut tried_at, mut tried) = (Vec::new(), Vec::new());
    for _ in 0..MOST_STEPS {
        let Err(error) = deserialize::<_, T>(&value) else { return };
        let (place, finding) = found(&error);
        note(errors, &place, finding.message);
        if place != tried_at {
            (tried_at, tried) = (place, Vec::new());
        }
        // A type of somebody else's reads texts of its own form only. Where none of those is taken, nobody can say what is: the
        // rest is reported when this is right.
        let mut replacements = std::iter::once(finding.replacement).chain(samples().map(Some));
        let Some(new) = replacements.find(|new| !tried.contains(new)) else { return };
        if !replace(&mut value, &tried_at, new.clone()) {
            return;
        }
        tried.push(new);
    }
}

/// Where an error is, from the field down, and what it says.
fn found(error: &serde_path_to_error::Error<serde_json::Error>) -> (Vec<PathStep>, SerdeFinding) {
    let finding = finding(error.inner());
    let mut place: Vec<_> = steps(error.path()).collect();
    let field = finding.field.clone().map(PathStep::Name);
    // Of a field that is not known serde's path may have the name already.
    if field.is_some() && place.last() != field.as_ref() {
        place.extend(field);
    }
    (place, finding)
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

/// Keeps the first message about each field that says what it takes; one about what is in the field says where.
fn note(errors: &mut FieldErrors, place: &[PathStep], message: Option<String>) {
    let (Some((PathStep::Name(field), inside)), Some(message)) = (place.split_first(), message) else { return };
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

/// Returns whether there is such a place.
fn replace(value: &mut Value, place: &[PathStep], new: Option<Value>) -> bool {
    let Some((last, before)) = place.split_last() else { return false };
    let around = before.iter().try_fold(value, |value, step| match step {
        PathStep::Name(name) => value.get_mut(name),
        PathStep::Item(index) => value.get_mut(index),
    });
    match (around, last, new) {
        (Some(Value::Object(fields)), PathStep::Name(name), Some(new)) => _ = fields.insert(name.clone(), new),
        (Some(Value::Object(fields)), PathStep::Name(name), None) => return fields.remove(name).is_some(),
        (Some(Value::Array(items)), PathStep::Item(index), Some(new)) if *index < items.len() => items[*index] = new,
        _ => return false,
    }
    true
}

/// The name in serde's message "duplicate field `name`".
fn twice(error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    let rest = message.strip_prefix("duplicate field `")?;
    rest.split('`').next().map(str::to_owned)
}

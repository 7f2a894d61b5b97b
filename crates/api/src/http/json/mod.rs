//! Parses JSON objects as requests, and reports errors field by field.
//!
//! A body can be 64 KiB of very small members. As a tree in memory they cost milliseconds on a thread that serves
//! connections, so no more of a body is kept than honest requests have.

mod expected;
mod explain;
mod shape;
#[cfg(test)]
mod tests;

use crate::problem::Problem;
use explain::explain;
use serde::de::DeserializeOwned;
use shape::Shape;

/// Parses a JSON object as a request. The error is a 400 that describes what is wrong.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let shape: Shape = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let Shape::Object { with_nul } = shape else {
        return Err(Problem::body_malformed("The body must be a JSON object."));
    };
    if !with_nul.is_empty() {
        let nul = with_nul.into_iter().map(|name| (name, vec!["Null characters are not allowed.".to_owned()]));
        return Err(Problem::fields_invalid(nul.collect()));
    }
    // The body has been read as JSON before, so a field is wrong, even if serde calls it a syntax error.
    serde_json::from_slice(body).map_err(|error| Problem::fields_invalid(explain::<T>(body, &error)))
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::body_malformed(format!("JSON parse error at line {} column {}.", error.line(), error.column()))
}

//! What can be observed of a response, without the values that are new each time.

use crate::support::TestResponse;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A step, and everything that can be observed of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Observation {
    pub what: String,
    pub status: u16,
    pub headers: Vec<String>,
    pub body: Value,
    /// The statements and the hashing, or rows.
    pub work: Vec<String>,
}

/// Whether times and waits can be compared: only where the clock stands at the same instant in both runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    Runs,
    Stands,
}

impl Observation {
    pub fn response(what: String, response: &TestResponse, time: Time) -> Self {
        let body = serde_json::from_slice(&response.body).unwrap_or_else(|_| Value::from(response.text()));
        let (status, headers) = (response.status.as_u16(), headers(response, time));
        Self { what, status, headers, body: steady(&body, time), work: Vec::new() }
    }

    pub fn work(what: String, work: Vec<String>) -> Self {
        Self { what, status: 0, headers: Vec::new(), body: Value::Null, work }
    }
}

/// Names and values; for times that run, only the name.
fn headers(response: &TestResponse, time: Time) -> Vec<String> {
    let line = |(name, value): (&str, &str)| match name {
        "date" | "x-request-id" | "content-length" => format!("{name}: …"),
        "retry-after" if time == Time::Runs => format!("{name}: {}", a_number(value)),
        "ratelimit" if time == Time::Runs => format!("{name}: {}", without_time(value)),
        _ => format!("{name}: {value}"),
    };
    let pairs = response.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    // A connection is closed where the refusal was sent before the body was read.
    let pairs = pairs.filter(|(name, _)| *name != "connection" || time == Time::Stands);
    let mut headers: Vec<_> = pairs.map(line).collect();
    headers.sort();
    headers
}

fn a_number(value: &str) -> &'static str {
    if value.parse::<u32>().is_ok() { "a number" } else { "no number" }
}

/// `"a";r=5;t=60, "b";r=1;t=2` → `"a";r=5, "b";r=1`.
fn without_time(value: &str) -> String {
    let (first, others) = value
        .split_once(";t=")
        .map_or((value, ""), |(first, rest)| (first, rest.trim_start_matches(|c: char| c.is_ascii_digit())));
    if others.is_empty() { first.to_owned() } else { format!("{first}{}", without_time(others)) }
}

/// The value without tokens and ids, and without times that run.
pub fn steady(value: &Value, time: Time) -> Value {
    match value {
        Value::String(text) => steady_text(text, time).into(),
        Value::Array(items) => items.iter().map(|item| steady(item, time)).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, value)| (name.clone(), steady_member(name, value, time))).collect(),
        ),
        other => other.clone(),
    }
}

fn steady_member(name: &str, value: &Value, time: Time) -> Value {
    let runs = name == "server_time" || name.ends_with("_in");
    let runs = runs || (name == "detail" && value.as_str().is_some_and(|text| text.contains("again in")));
    // `clock` comes from the database, whose clock runs.
    if name == "id" || name == "clock" || runs && time == Time::Runs { kind(value) } else { steady(value, time) }
}

/// The kind of a value, without its content.
fn kind(value: &Value) -> Value {
    json!(match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    })
}

/// Words of more than twenty characters are new each time, unless they are addresses or times that stand. A rounded time is
/// shorter, but it runs, too.
pub fn steady_text(text: &str, time: Time) -> String {
    let steady = |word: &str| {
        let is_time = word.parse::<DateTime<Utc>>().is_ok();
        let is_new = if is_time { time == Time::Runs } else { word.len() > 20 && !word.contains('@') };
        if is_new { "…".to_owned() } else { word.to_owned() }
    };
    text.split_whitespace().map(steady).collect::<Vec<_>>().join(" ")
}

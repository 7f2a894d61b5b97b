//! What can be seen of an answer, without what is new each time.

use crate::support::TestResponse;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Something that was done, and all that can be seen of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub what: String,
    pub status: u16,
    pub headers: Vec<String>,
    pub body: Value,
    /// Statements and hashing, or rows.
    pub work: Vec<String>,
}

/// Whether times and waits can be compared: they can where the clock stands at the same instant in both worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    Runs,
    Stands,
}

impl Seen {
    pub fn answer(what: String, answer: &TestResponse, time: Time) -> Self {
        let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| Value::from(answer.text()));
        let (status, headers) = (answer.status.as_u16(), headers(answer, time));
        Self { what, status, headers, body: steady(&body, time), work: Vec::new() }
    }

    pub fn work(what: String, work: Vec<String>) -> Self {
        Self { what, status: 0, headers: Vec::new(), body: Value::Null, work }
    }
}

/// Names and values; of a time that runs, only that it is there.
fn headers(answer: &TestResponse, time: Time) -> Vec<String> {
    let told = |(name, value): (&str, &str)| match name {
        "date" | "x-request-id" | "content-length" => format!("{name}: …"),
        "retry-after" if time == Time::Runs => format!("{name}: {}", a_number(value)),
        "ratelimit" if time == Time::Runs => format!("{name}: {}", without_time(value)),
        _ => format!("{name}: {value}"),
    };
    let pairs = answer.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    // A connection ends where a refusal was quicker than the body.
    let pairs = pairs.filter(|(name, _)| *name != "connection" || time == Time::Stands);
    let mut headers: Vec<_> = pairs.map(told).collect();
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

/// The same without tokens and ids, and without times that run.
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
    // The database has a clock of its own, which runs.
    if name == "id" || name == "clock" || runs && time == Time::Runs { kind(value) } else { steady(value, time) }
}

/// What a value is, whatever it says.
fn kind(value: &Value) -> Value {
    json!(match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    })
}

/// Words of more than twenty characters are new each time, unless they are addresses or times that stand. A rounded time is
/// shorter, and runs all the same.
pub fn steady_text(text: &str, time: Time) -> String {
    let steady = |word: &str| {
        let is_time = word.parse::<DateTime<Utc>>().is_ok();
        let is_new = if is_time { time == Time::Runs } else { word.len() > 20 && !word.contains('@') };
        if is_new { "…".to_owned() } else { word.to_owned() }
    };
    text.split_whitespace().map(steady).collect::<Vec<_>>().join(" ")
}

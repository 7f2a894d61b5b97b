//! Every kind of field, and the message about a value of another kind.

use super::parse;
use auth_types::FieldErrors;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU16;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only the errors are checked")]
struct Everything {
    text: String,
    list: Vec<String>,
    small: u8,
    signed: i32,
    large: i64,
    huge: u64,
    some: NonZeroU16,
    number: f64,
    flag: bool,
    map: BTreeMap<String, i64>,
    object: Nested,
    objects: Vec<Nested>,
    choice: Choice,
    only: Only,
    pair: (i64, i64),
    at: chrono::DateTime<chrono::Utc>,
    until: chrono::DateTime<chrono::Utc>,
    there: chrono::NaiveDateTime,
    day: chrono::NaiveDate,
    time: chrono::NaiveTime,
    id: uuid::Uuid,
    address: IpAddr,
    maybe: Option<u8>,
    perhaps: Option<chrono::NaiveDate>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only the errors are checked")]
struct Nested {
    name: String,
    count: u8,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Plain,
    InColour,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Only {
    This,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the errors are checked")]
struct Strict {
    text: String,
    count: u8,
}

fn valid() -> Map<String, Value> {
    let valid = json!({
        "text": "t", "list": ["a"], "small": 1, "signed": -1, "large": 1, "huge": 1, "some": 1, "number": 0.5, "flag": true,
        "map": {"a": 1}, "object": {"name": "n", "count": 1}, "objects": [], "choice": "plain", "only": "this",
        "pair": [1, 2], "at": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z", "there": "2026-01-01T00:00:00",
        "day": "2026-01-01", "time": "12:30:00", "id": "0198a2b4-7c1e-7000-8000-000000000001", "address": "::1", "maybe": null, "perhaps": null
    });
    object(valid)
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { panic!("{value} is not an object") };
    fields
}

fn errors_of<T: DeserializeOwned + std::fmt::Debug>(body: &Value) -> FieldErrors {
    let Err(problem) = parse::<T>(body.to_string().as_bytes()) else { panic!("{body} is accepted") };
    problem.body("id").errors
}

#[track_caller]
fn assert_errors(wrong: &Value, expected: &[(&str, &str)]) {
    let mut body = valid();
    body.extend(object(wrong.clone()));
    let expected = expected.iter().map(|(field, message)| ((*field).to_owned(), vec![(*message).to_owned()]));
    assert_eq!(errors_of::<Everything>(&body.into()), expected.collect::<FieldErrors>(), "{wrong}");
}

#[test]
fn a_valid_object_is_accepted() {
    let body = Value::from(valid()).to_string();
    assert!(parse::<Everything>(body.as_bytes()).is_ok());
}

#[test]
fn a_value_of_another_kind_is_refused_with_the_expected_kind() {
    assert_errors(&json!({"text": 1}), &[("text", "Not a valid string.")]);
    assert_errors(&json!({"flag": "yes"}), &[("flag", "Must be true or false.")]);
    for wrong in [json!("a"), json!({"a": 1}), json!(1), json!(null)] {
        assert_errors(&json!({"list": wrong}), &[("list", "Must be a list.")]);
        assert_errors(&json!({"pair": wrong}), &[("pair", "Must be a list of 2 items.")]);
    }
    for wrong in [json!("a"), json!(true), json!(null)] {
        assert_errors(&json!({"map": wrong}), &[("map", "Must be an object.")]);
        assert_errors(&json!({"object": wrong}), &[("object", "Must be an object.")]);
    }
    for wrong in [json!("1"), json!(1.5), json!([1]), json!(null)] {
        assert_errors(&json!({"small": wrong}), &[("small", "Must be a whole number.")]);
    }
    assert_errors(&json!({"maybe": "1"}), &[("maybe", "Must be a whole number.")]);
    assert_errors(&json!({"number": "1"}), &[("number", "Must be a number.")]);
    for wrong in [json!(1), json!("yesterday"), json!("2026-01-01"), json!(null)] {
        assert_errors(&json!({"at": wrong}), &[("at", "Must be an RFC 3339 formatted date and time string.")]);
    }
}

#[test]
fn a_day_or_a_time_is_refused_by_the_form_that_is_taken() {
    for wrong in [json!("tomorrow"), json!("2026-02-30"), json!(""), json!(7), json!(null)] {
        assert_errors(&json!({"day": wrong}), &[("day", "Must have the form of 2000-01-01.")]);
        assert_errors(&json!({"time": wrong}), &[("time", "Must have the form of 00:00:00.")]);
        assert_errors(&json!({"there": wrong}), &[("there", "Must have the form of 2000-01-01T00:00:00.")]);
    }
    for wrong in [json!("tomorrow"), json!(7)] {
        assert_errors(&json!({"perhaps": wrong}), &[("perhaps", "Must have the form of 2000-01-01.")]);
    }
}

#[test]
fn a_number_out_of_range_is_refused_with_the_range() {
    for wrong in [json!(256), json!(-1), json!(1e20)] {
        assert_errors(&json!({"small": wrong}), &[("small", "Must be a whole number from 0 to 255.")]);
    }
    assert_errors(
        &json!({"signed": 3_000_000_000_u32}),
        &[("signed", "Must be a whole number from -2147483648 to 2147483647.")],
    );
    assert_errors(&json!({"some": 0}), &[("some", "Must be a whole number from 1 to 65535.")]);
    assert_errors(&json!({"huge": -1}), &[("huge", "Must be a whole number from 0 to 18446744073709551615.")]);
    let large = "Must be a whole number from -9223372036854775808 to 9223372036854775807.";
    assert_errors(&json!({"large": u64::MAX}), &[("large", large)]);
}

#[test]
fn an_unknown_choice_is_refused_with_the_choices() {
    for wrong in [json!("x"), json!(1), json!(null), json!(["plain"]), json!("x`, expected one of `y")] {
        assert_errors(&json!({"choice": wrong}), &[("choice", "Must be one of plain, in_colour.")]);
    }
    assert_errors(&json!({"only": "that"}), &[("only", "Must be \"this\".")]);
}

#[test]
fn an_error_inside_a_field_is_reported_with_its_path() {
    assert_errors(&json!({"list": ["a", 1]}), &[("list", "Item 2: Not a valid string.")]);
    assert_errors(&json!({"map": {"a": 1, "b": "x"}}), &[("map", "b: Must be a whole number.")]);
    assert_errors(&json!({"object": {"name": "n"}}), &[("object", "count: This field is required.")]);
    let objects = json!([{"name": "n", "count": 1}, {"name": 7, "count": "x"}]);
    assert_errors(&json!({"objects": objects}), &[("objects", "Item 2, count: Must be a whole number.")]);
}

#[test]
fn exactly_the_wrong_fields_are_reported() {
    let expected = [
        ("text", "Not a valid string."),
        ("list", "Item 1: Not a valid string."),
        ("object", "name: This field is required."),
        ("choice", "Must be one of plain, in_colour."),
        ("small", "Must be a whole number from 0 to 255."),
    ];
    assert_errors(&json!({"text": [], "list": [1, 2], "object": {}, "choice": {}, "small": 300}), &expected);
    assert_eq!(errors_of::<Everything>(&json!({})).len(), 22, "all but the two optional ones");
}

/// Each of these types accepts only its own text form.
#[test]
fn fields_of_custom_types_do_not_hide_errors_of_the_next_field() {
    let at = "Must be an RFC 3339 formatted date and time string.";
    let names = ["at", "until", "there", "day", "time", "id", "address"];
    for wrong in [json!("never"), json!(7), json!(""), json!(null)] {
        let mut body = valid();
        body.extend(names.map(|name| (name.to_owned(), wrong.clone())));
        body.insert("choice".to_owned(), json!("x"));
        let errors = errors_of::<Everything>(&body.into());
        assert_eq!(errors.len(), names.len() + 1, "{wrong}: {errors:?}");
        assert_eq!((&errors["at"], &errors["until"]), (&vec![at.to_owned()], &vec![at.to_owned()]));
    }
}

#[test]
fn an_unknown_field_is_reported_where_none_is_allowed() {
    let errors = errors_of::<Strict>(&json!({"text": 1, "count": 1, "x": 2, "y": 3}));
    let expected =
        json!({"text": ["Not a valid string."], "x": ["There is no such field."], "y": ["There is no such field."]});
    assert_eq!(json!(errors), expected);
}

#[test]
fn the_first_wrong_field_of_a_long_body_is_reported() {
    let long = "x".repeat(10_000);
    let mut body = valid();
    body.extend(object(json!({"choice": 1, "text": long})));
    assert_eq!(json!(errors_of::<Everything>(&body.into())), json!({"choice": ["Not a valid value."]}));
}

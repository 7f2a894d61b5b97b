//! JSON bodies: read within bounds, and told what is wrong with them field by field.

use super::extract::services;
use super::watch::Requests;
use crate::clock::Stopwatch;
use crate::gate::Hold;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest, web};
use auth_types::FieldErrors;
use auth_types::limits::BODY_MAX_BYTES;
use auth_types::validation::REQUIRED;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use std::time::Duration;

/// More fields than any request has.
const MOST_FIELDS: usize = 16;

/// A request's JSON body.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            content_type(&request, &["application/json"])?;
            let patience = services(&request)?.settings.patience.body;
            let (body, _hold) = read(&request, payload, (BODY_MAX_BYTES, patience)).await?;
            parse(&body).map(Self)
        })
    }
}

/// Which of the media types that are taken the body has, by its place in the list.
///
/// # Errors
/// 415.
pub(super) fn content_type(request: &HttpRequest, taken: &[&str]) -> Result<usize, Problem> {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let place = taken.iter().position(|taken| media_type.eq_ignore_ascii_case(taken));
    place.ok_or_else(|| Problem::content_type_unsupported(taken))
}

/// The whole body, of so many bytes at most and within this time, or less while connections are scarce; and its hold on
/// the memory that all bodies share, for as long as it is kept.
///
/// # Errors
/// 413, 408; 400 when it ends early; 503 when its share of the memory is used up.
pub(super) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    (limit, patience): (usize, Duration),
) -> Result<(web::Bytes, Hold), Problem> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64) {
        return Err(Problem::body_too_large(limit));
    }
    let payload = web::Payload::from_request(request, &mut payload).into_inner();
    let mut payload = payload.map_err(|_| Problem::body_malformed("The body cannot be read."))?;
    let services = services(request)?;
    let mut hold = services.bodies.hold();
    let mut body = BytesMut::new();
    let mut time = BodyTime { whole: patience, hurry: services.settings.patience.hurry, since: Stopwatch::start() };
    while let Some(chunk) = time.next(&mut payload, request).await? {
        if body.len() + chunk.len() > limit {
            return Err(Problem::body_too_large(limit));
        }
        hold.grow(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), hold))
}

/// The time of one body.
struct BodyTime {
    whole: Duration,
    hurry: Duration,
    since: Stopwatch,
}

impl BodyTime {
    /// The next piece; `None` after the last.
    async fn next(&mut self, payload: &mut web::Payload, request: &HttpRequest) -> Result<Option<web::Bytes>, Problem> {
        loop {
            let left = self.whole.saturating_sub(self.since.elapsed());
            let Ok(next) = tokio::time::timeout(left.min(self.hurry), payload.next()).await else {
                self.check(request)?;
                continue;
            };
            self.check(request)?;
            return next.transpose().map_err(|_| Problem::body_malformed("The body ended early."));
        }
    }

    fn check(&self, request: &HttpRequest) -> Result<(), Problem> {
        let must_hurry = || request.conn_data::<Requests>().is_some_and(Requests::must_hurry);
        let passed = self.since.elapsed();
        if passed >= self.whole || (passed >= self.hurry && must_hurry()) {
            return Err(Problem::body_timeout());
        }
        Ok(())
    }
}

/// A JSON object as a request.
///
/// # Errors
/// A 400 that says what is wrong.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let Value::Object(fields) = &value else {
        return Err(Problem::body_malformed("The body must be a JSON object."));
    };
    let with_nul = fields.iter().filter(|(name, value)| name.contains('\0') || has_nul(value));
    let nul: FieldErrors =
        with_nul.map(|(name, _)| (name.clone(), vec!["Null characters are not allowed.".to_owned()])).collect();
    if !nul.is_empty() {
        return Err(Problem::fields_invalid(nul));
    }
    // From the bytes, not from the value: there a field that comes twice would be the last one silently.
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Problem::fields_invalid(explain::<T>(value, &error)),
        Category::Io | Category::Syntax | Category::Eof => malformed(&error),
    })
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::body_malformed(format!("JSON parse error at line {} column {}.", error.line(), error.column()))
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Names every field that is missing or of a wrong type. serde stops at the first, so each is replaced by a text or a
/// flag, which is what our fields take, until nothing more is found.
fn explain<T: DeserializeOwned>(mut value: Value, first: &serde_json::Error) -> FieldErrors {
    let mut errors = FieldErrors::new();
    // Each round reads all members, so an object of thousands gets the first error only.
    let rounds = if value.as_object().is_some_and(|fields| fields.len() > MOST_FIELDS) { 1 } else { MOST_FIELDS };
    for _ in 0..rounds {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&value) else { break };
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let is_flag = message.ends_with("expected a boolean");
        let (field, told) = match missing {
            Some(field) => (field.to_owned(), REQUIRED.to_owned()),
            None if is_flag => (error.path().to_string(), "Must be true or false.".to_owned()),
            None => (error.path().to_string(), "Not a valid string.".to_owned()),
        };
        let Some(slot) = value.as_object_mut() else { break };
        slot.insert(field.clone(), if is_flag { Value::Bool(false) } else { Value::String(String::new()) });
        errors.insert(field, vec![told]);
    }
    if errors.is_empty() {
        let message = first.to_string();
        let twice = message.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next());
        errors.insert(twice.unwrap_or("body").to_owned(), vec!["This field comes twice.".to_owned()]);
    }
    errors
}

//! The query of a request, read like a body.

use super::json;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use std::future::{Ready, ready};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{RefOr, Schema, schema::Type};

/// A request's query parameters. A parameter that `T` does not have is ignored, and of one that is repeated the first counts.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The parameters of `T`, as the OpenAPI document describes them.
pub(super) fn parameters<T: IntoParams>() -> Vec<Parameter> {
    T::into_params(|| Some(ParameterIn::Query))
}

impl<T: DeserializeOwned + IntoParams> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = parameters::<T>();
        let mut fields = Map::new();
        for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
            if let Some(parameter) = known.iter().find(|parameter| parameter.name == name)
                && let Some(value) = typed(&value, parameter)
            {
                fields.entry(name).or_insert(value);
            }
        }
        ready(json::parse(Value::from(fields).to_string().as_bytes()).map(Self))
    }
}

/// The value by its declared type. One that does not fit stays a text, which the type then refuses; an empty one that cannot be a
/// text counts as missing, because forms send those.
fn typed(value: &str, parameter: &Parameter) -> Option<Value> {
    let is = |kind: Type| match &parameter.schema {
        Some(RefOr::T(Schema::Object(object))) => match &object.schema_type {
            SchemaType::Type(only) => *only == kind,
            SchemaType::Array(kinds) => kinds.contains(&kind),
            SchemaType::AnyValue => false,
        },
        _ => false,
    };
    let other = if is(Type::Boolean) {
        value.parse().ok().map(Value::Bool)
    } else if is(Type::Integer) || is(Type::Number) {
        value.parse::<Number>().ok().map(Value::Number)
    } else {
        return Some(value.into());
    };
    if value.is_empty() { None } else { Some(other.unwrap_or_else(|| value.into())) }
}

//! The requests that an attacker can send: the operations of the OpenAPI document, filled in.

use super::{SUBJECT, SUBJECT_NAME};
use crate::support::PASSWORD;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

/// The values that the attacker fills in.
pub struct Round {
    pub address: &'static str,
    pub username: &'static str,
    /// Sent as the username by the attacker's signed-in requests.
    pub own_username: &'static str,
}

pub const ROUNDS: [Round; 5] = [
    Round { address: SUBJECT, username: "newcomer", own_username: "first-name" },
    // Does a username that was sent with the address reserve anything?
    Round { address: "other@example.org", username: "newcomer", own_username: "second-name" },
    // Again: has the first round left anything behind?
    Round { address: SUBJECT, username: "newcomer", own_username: "newcomer" },
    Round { address: SUBJECT_NAME, username: "latecomer", own_username: "third-name" },
    Round { address: SUBJECT, username: "latecomer", own_username: "fourth-name" },
];

/// An operation of the document.
pub struct Operation {
    method: Method,
    path: String,
    pub is_protected: bool,
    /// Name → type of the JSON body's members.
    pub fields: Vec<(String, String)>,
    media_type: Option<String>,
}

pub fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let content = operation["requestBody"]["content"].as_object();
            let media_type = content.and_then(|content| content.keys().next().cloned());
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                is_protected: operation["security"].to_string().contains("bearer"),
                fields: fields(document, schema),
                media_type,
            });
        }
    }
    operations
}

fn fields(document: &Value, schema: &Value) -> Vec<(String, String)> {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let schema = pointer.map_or(schema, |pointer| document.pointer(pointer).unwrap());
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    properties.iter().map(|(name, property)| (name.clone(), property["type"].to_string())).collect()
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The request, filled in; `open` begins one.
    pub fn request(&self, round: &Round, open: impl FnOnce(Method, &str) -> RequestBuilder) -> RequestBuilder {
        let request = open(self.method.clone(), &self.url()).header("User-Agent", "an attacker");
        match self.media_type.as_deref() {
            Some("application/json") => request.json(&self.body(round)),
            Some(other) => request.header("Content-Type", other).body("something"),
            None => request,
        }
    }

    /// The path, with an id that does not exist for each of its parameters.
    fn url(&self) -> String {
        let parts: Vec<_> = self.path.split(['{', '}']).collect();
        let fill = |(index, part): (usize, &&str)| {
            if index % 2 == 0 { (*part).to_owned() } else { "018f0000-0000-7000-8000-000000000000".to_owned() }
        };
        parts.iter().enumerate().map(fill).collect()
    }

    fn body(&self, round: &Round) -> Value {
        let username = if self.is_protected { round.own_username } else { round.username };
        let value = |(name, kind): &(String, String)| {
            let value = match name.as_str() {
                _ if kind.contains("boolean") => json!(true),
                _ if name.contains("email") => json!(round.address),
                _ if name.contains("username") => json!(username),
                _ if name.contains("password") => json!(PASSWORD),
                _ => json!("something"),
            };
            (name.clone(), value)
        };
        self.fields.iter().map(value).collect::<Map<_, _>>().into()
    }
}

//! Routes of features, which the tests know by the OpenAPI document only.

use super::acts::{Act, of_features};
use crate::support::surface::{filled, json_body, sample};
use crate::support::{Process, TestDb, send};
use auth_types::responses::TokenResponse;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// An operation of a feature's that may change something.
#[derive(Debug, PartialEq, Eq)]
pub struct FeatureRoute {
    pub operation: String,
    path: String,
    method: Method,
    body: Option<Value>,
    /// What makes the thing that the path is about: a `POST` to the path before its first parameter.
    creation: Option<Box<FeatureRoute>>,
    /// Whether something in the features' tables shows that it was done.
    pub changes_something: bool,
}

impl FeatureRoute {
    fn of(document: &Value, path: &str, method: &str) -> Self {
        let operation = &document["paths"][path][method];
        let collection = path.split_once('{').map(|(before, _)| before);
        let is_made = |path: &&str| document["paths"][path]["post"].is_object();
        Self {
            operation: operation["operationId"].as_str().unwrap().to_owned(),
            path: path.to_owned(),
            method: method.to_uppercase().parse().unwrap(),
            body: json_body(document, operation).map(|schema| sample(document, schema)),
            creation: collection.filter(is_made).map(|path| Box::new(Self::of(document, path, "post"))),
            changes_something: true,
        }
    }

    pub fn request(&self, process: &Process, tokens: &TokenResponse, thing: &str) -> RequestBuilder {
        let request = process.request(self.method.clone(), &filled(&self.path, thing)).bearer_auth(&tokens.access);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// Makes what the path is about, and returns its id.
    pub async fn make_thing(&self, process: &Process, tokens: &TokenResponse) -> String {
        let Some(creation) = &self.creation else { return "1".to_owned() };
        let made = send(creation.request(process, tokens, "1")).await;
        assert!(made.status.is_success(), "{}: {}", creation.operation, made.text());
        made.json::<Value>()["id"].to_string().trim_matches('"').to_owned()
    }
}

/// The act of a feature's route; `None` where nothing is there for it to be done with.
pub async fn act(document: &Value, route: (&str, &str), (db, process): (&TestDb, &Process)) -> Option<Act> {
    let (path, method) = route;
    // As an act it is copied from test to test.
    let tried: &'static FeatureRoute = Box::leak(Box::new(FeatureRoute::of(document, path, method)));
    let act = Act::OfFeature(tried);
    let person = act.prepare(db, process, 0).await;
    let before = of_features(db);
    let answer = act.send(process, &person).await;
    let hint = "a feature's fields get their #[schema(example = ...)], or a value of their type";
    assert!(answer.status.is_success() || answer.status == 404, "{}: {}; {hint}", tried.operation, answer.text());
    let changes_something = of_features(db) != before;
    let known = FeatureRoute { changes_something, ..FeatureRoute::of(document, path, method) };
    answer.status.is_success().then(|| Act::OfFeature(Box::leak(Box::new(known))))
}

//! One row of the route table: a route and its description in the OpenAPI document.

use super::bounds::{self, Bounds, Declaration, RequestBudgets};
use super::cookies::CSRF_HEADER;
use super::query;
use super::schemes;
use crate::service::accounts::picture;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use auth_types::limits::IDEMPOTENCY_KEY_MAX_BYTES;
use auth_types::requests::{CookieRefreshRequest, RefreshRequest};
use auth_types::responses::{CookieTokenResponse, TokenResponse, TokenTransport};
use auth_types::{ProblemBody, Role};
use std::fmt;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, schema::Type};
use utoipa::{IntoParams, ToSchema};

/// The statuses with which a request body may be refused before its content is checked.
const BODY_REFUSALS: [u16; 3] = [400, 413, 415];

/// Schemas that the document's `components` hold, by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A method of a path, its bounds, its handler and its description.
pub struct Endpoint {
    pub(super) path: &'static str,
    pub(super) method: HttpMethod,
    pub(super) declaration: Declaration,
    pub(super) operation: OperationBuilder,
    pub(super) operation_id: &'static str,
    pub(super) schemas: Schemas,
    make_routes: Box<dyn Fn(Declaration) -> Vec<Route>>,
}

/// The constructors, one per method.
macro_rules! methods {
    ($($name:ident => $variant:ident [$($method:ident),+]),+) => {$(
        pub fn $name<H, A>(path: &'static str, bounds: Bounds, handler: H) -> Self
        where
            H: Handler<A>,
            A: FromRequest + 'static,
            H::Output: Responder + 'static,
        {
            let make_routes = move |declaration: Declaration| {
                let enforce = move |request, next| bounds::enforce(declaration, request, next);
                vec![$(web::method(Method::$method).to(handler.clone()).wrap(from_fn(enforce))),+]
            };
            Self::new(path, HttpMethod::$variant, bounds, Box::new(make_routes))
        }
    )+};
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("operation_id", &self.operation_id).finish_non_exhaustive()
    }
}

impl Endpoint {
    methods!(get => Get [GET, HEAD], post => Post [POST], put => Put [PUT], patch => Patch [PATCH], delete => Delete [DELETE]);

    fn new(
        path: &'static str,
        method: HttpMethod,
        bounds: Bounds,
        make_routes: Box<dyn Fn(Declaration) -> Vec<Route>>,
    ) -> Self {
        let mut operation = OperationBuilder::new();
        for name in path.split(['{', '}']).skip(1).step_by(2) {
            let text = Schema::Object(ObjectBuilder::new().schema_type(Type::String).build());
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            operation = operation.parameter(parameter.required(Required::True).schema(Some(text)).build());
        }
        // These refusals follow from the declaration: a spent budget, a full queue, and the origin check.
        let is_counted = bounds.requests != RequestBudgets::Uncounted;
        let is_unsafe = method != HttpMethod::Get;
        let implied = [(is_counted, 429), (!bounds.resources.is_empty(), 503), (is_unsafe, 403)];
        let endpoint = Self {
            path,
            method,
            declaration: Declaration { bounds, is_protected: false, is_for_administrators: false },
            operation,
            operation_id: "",
            schemas: Vec::new(),
            make_routes,
        };
        implied
            .into_iter()
            .filter(|(is_implied, _)| *is_implied)
            .fold(endpoint, |all, (_, status)| all.refuses(&[status]))
    }

    /// The name that generated clients give to the call, and a summary of what it does.
    #[must_use]
    pub fn about(mut self, operation_id: &'static str, summary: &str) -> Self {
        self.operation_id = operation_id;
        self.operation = self.operation.operation_id(Some(operation_id)).summary(Some(summary));
        self
    }

    /// Takes a JSON body.
    #[must_use]
    pub fn takes<T: ToSchema>(mut self) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<T>())).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        self.operation = self.operation.request_body(Some(body.build()));
        self.refuses(&BODY_REFUSALS)
    }

    /// Takes the bytes of a picture.
    pub(super) fn takes_picture(mut self) -> Self {
        let body = picture::Kind::ALL.iter().fold(RequestBodyBuilder::new(), |body, kind| {
            body.content(kind.media_type(), ContentBuilder::new().build())
        });
        self.operation = self.operation.request_body(Some(body.required(Some(Required::True)).build()));
        self.refuses(&BODY_REFUSALS)
    }

    /// Takes a refresh token, as the transport carries it.
    pub(super) fn takes_refresh_token(mut self, transport: TokenTransport) -> Self {
        self = self.refuses(&[401]);
        if transport == TokenTransport::Body {
            return self.takes::<RefreshRequest>();
        }
        let cookie = SecurityRequirement::new(schemes::REFRESH_COOKIE, Vec::<String>::new());
        self.operation = self.operation.security(cookie);
        let about = "The value of the cookie `csrf_token`, which the response that set the cookie also has.";
        self.header(CSRF_HEADER.as_str(), Required::True, ObjectBuilder::new(), about).takes::<CookieRefreshRequest>()
    }

    /// Gives a successful response with a JSON body.
    #[must_use]
    pub fn gives<T: ToSchema>(mut self, status: u16) -> Self {
        let content = ContentBuilder::new().schema(Some(self.reference::<T>())).build();
        self.respond(status, ResponseBuilder::new().content("application/json", content))
    }

    /// Gives metrics in Prometheus' text formats, to operators only.
    pub(super) fn gives_metrics(mut self) -> Self {
        let text = Schema::Object(ObjectBuilder::new().schema_type(Type::String).build());
        let content = ContentBuilder::new().schema(Some(text)).build();
        let operator = SecurityRequirement::new(schemes::OPERATOR, Vec::<String>::new());
        self.operation = self.operation.security(operator);
        let response = ResponseBuilder::new().content("text/plain", content.clone());
        self.respond(200, response.content("application/openmetrics-text", content)).refuses(&[401])
    }

    /// Gives the bytes of a picture, or 304.
    pub(super) fn gives_picture(self) -> Self {
        let response = picture::Kind::KEPT.iter().fold(ResponseBuilder::new(), |response, kind| {
            response.content(kind.media_type(), ContentBuilder::new().build())
        });
        self.respond(200, response).respond(304, ResponseBuilder::new())
    }

    /// 200 with a file of this media type: a page, a table, an archive.
    #[must_use]
    pub fn gives_file(self, media_type: &str) -> Self {
        self.respond(200, ResponseBuilder::new().content(media_type, ContentBuilder::new().build()))
    }

    /// Gives tokens, as the transport carries them.
    pub(super) fn gives_tokens(self, status: u16, transport: TokenTransport) -> Self {
        match transport {
            TokenTransport::Body => self.gives::<TokenResponse>(status),
            TokenTransport::Cookie => self.gives::<CookieTokenResponse>(status),
        }
    }

    /// Gives 204, without a body.
    #[must_use]
    pub fn gives_nothing(self) -> Self {
        self.respond(204, ResponseBuilder::new())
    }

    /// Statuses that come with problem details, in addition to those that the rest of the declaration implies.
    #[must_use]
    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        let problem = self.reference::<ProblemBody>();
        for status in statuses {
            let content = ContentBuilder::new().schema(Some(problem.clone())).build();
            self = self.respond(*status, ResponseBuilder::new().content("application/problem+json", content));
        }
        self
    }

    /// The path, with its parameters in braces.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Method and path.
    pub fn route(&self) -> String {
        format!("{} {}", self.method_name(), self.path)
    }

    /// The name that generated clients give to the call.
    pub const fn operation_id(&self) -> &'static str {
        self.operation_id
    }

    /// The types that the OpenAPI document names, with their schemas as JSON.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = (String, String)> {
        self.schemas.iter().map(|(name, schema)| (name.clone(), serde_json::to_string(schema).unwrap_or_default()))
    }

    fn method_name(&self) -> String {
        let method = serde_json::to_value(&self.method).unwrap_or_default();
        method.as_str().unwrap_or_default().to_uppercase()
    }

    /// The routes, each with the middleware that enforces the declaration before the handler.
    pub(super) fn routes(&self) -> Vec<Route> {
        (self.make_routes)(self.declaration)
    }

    /// Needs an access token.
    #[must_use]
    pub fn protected(self) -> Self {
        self.protected_for(&[])
    }

    /// Needs an access token of an administrator: other users get 403 before the handler sees the request.
    #[must_use]
    pub fn for_administrators(mut self) -> Self {
        self.declaration.is_for_administrators = true;
        self.protected_for(&[Role::Admin.as_str()]).refuses(&[403])
    }

    fn protected_for(mut self, roles: &[&str]) -> Self {
        self.declaration.is_protected = true;
        self.operation = self.operation.security(SecurityRequirement::new(schemes::BEARER, roles.iter().copied()));
        self.refuses(&[401])
    }

    /// Supports `Idempotency-Key`.
    pub(super) fn idempotent(self) -> Self {
        let key = ObjectBuilder::new().min_length(Some(1)).max_length(Some(IDEMPOTENCY_KEY_MAX_BYTES));
        let about = "Repeating a request with the same key returns the response of the first, for when that was lost.";
        self.header("Idempotency-Key", Required::False, key, about)
    }

    /// The query parameters, which the handler takes as [`Query<T>`](super::Query).
    #[must_use]
    pub fn reads<T: IntoParams>(mut self) -> Self {
        for parameter in query::parameters::<T>() {
            self.operation = self.operation.parameter(parameter);
        }
        self.refuses(&[400])
    }

    /// Gives one page at a time, by `cursor`.
    #[must_use]
    pub fn paged(self) -> Self {
        let about = "The `next` of the previous page; omit it for the first page.";
        let cursor = ParameterBuilder::new().name("cursor").parameter_in(ParameterIn::Query);
        self.parameter(cursor, ObjectBuilder::new(), about).refuses(&[400])
    }

    fn header(self, name: &str, required: Required, text: ObjectBuilder, about: &str) -> Self {
        let header = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(required);
        self.parameter(header, text, about)
    }

    fn parameter(mut self, parameter: ParameterBuilder, text: ObjectBuilder, about: &str) -> Self {
        let text = Schema::Object(text.schema_type(Type::String).build());
        let parameter = parameter.description(Some(about)).schema(Some(text));
        self.operation = self.operation.parameter(parameter.build());
        self
    }

    fn respond(mut self, status: u16, response: ResponseBuilder) -> Self {
        let about = actix_web::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let response = response.description(about.unwrap_or_default()).build();
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// Refers to a schema by name, and registers it and the schemas that it refers to. A list has no name and is inlined.
    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        match T::schema() {
            RefOr::T(Schema::Array(list)) => RefOr::T(Schema::Array(list)),
            schema => {
                let name = T::name().into_owned();
                self.schemas.push((name.clone(), schema));
                RefOr::Ref(Ref::from_schema_name(name))
            }
        }
    }
}

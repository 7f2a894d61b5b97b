//! What a request is charged before any work is done for it, and on whose behalf the work is done.
//!
//! Each [`Endpoint`](super::endpoint::Endpoint) declares its own, so no route is without; the budgets that its use
//! case charges and the resources that it uses are declared with them, for `docs/reference/limits.md`.

use super::extract::{self, Admin, Caller, Client};
use crate::gate::{self, Requester, RequesterId, Resource};
use crate::problem::Problem;
use crate::service::limits::{Budget, Network, Throttled};
use crate::service::{ClientInfo, CurrentUser, Services};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpResponse};

/// Which request budgets a route charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestBudgets {
    /// None: the response comes from memory, or from a check that serves all requests (`/readyz`).
    Uncounted,
    /// The client's.
    Client,
    /// The client's, and the session's when the token in the body or cookie is valid: the use case charges that one, and touches
    /// the database for no other token.
    Token,
    /// The client's, and the session's when the access token is valid, else the client's budget for requests without one.
    Caller,
}

/// What a route declares.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub requests: RequestBudgets,
    /// The budgets that its use case charges, each before the work that it limits.
    pub budgets: &'static [Budget],
    /// The limited resources that its use case uses.
    pub resources: &'static [Resource],
}

pub const fn uncounted() -> Bounds {
    Bounds { requests: RequestBudgets::Uncounted, budgets: &[], resources: &[] }
}

pub const fn by_client() -> Bounds {
    Bounds { requests: RequestBudgets::Client, budgets: &[], resources: &[] }
}

pub const fn by_token(resources: &'static [Resource]) -> Bounds {
    Bounds { requests: RequestBudgets::Token, budgets: &[], resources }
}

/// Counts a request with a valid access token for its session, and one without (which only an open route serves) for its client.
pub const fn by_caller(resources: &'static [Resource]) -> Bounds {
    Bounds { requests: RequestBudgets::Caller, budgets: &[], resources }
}

impl Bounds {
    /// Names the budgets that the use case charges by itself. Nothing is charged here.
    pub(super) const fn with_budgets(self, budgets: &'static [Budget]) -> Self {
        Self { budgets, ..self }
    }
}

/// The whole declaration of an endpoint, which [`enforce`] enforces: its bounds and who may call it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declaration {
    pub(super) bounds: Bounds,
    pub(super) is_protected: bool,
    pub(super) is_for_administrators: bool,
}

impl Declaration {
    /// Whether it stays closed until the process has started: before the first poll of the revocation feed it is unknown which
    /// access tokens are revoked, and the database may not even have its tables.
    fn is_closed(self, services: &Services) -> bool {
        let needs_start = self.is_protected || self.bounds.resources.contains(&Resource::Database);
        needs_start && services.feed.polled_at().is_none()
    }
}

/// Charges the budgets before the handler and its extractors see the request, and runs the handler on behalf of its requester.
pub(super) async fn enforce<B: MessageBody + 'static>(
    declaration: Declaration,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Without them nothing can be checked, so nothing is served.
    let services = match extract::services(request.request()) {
        Ok(services) => services.clone(),
        Err(problem) => return Ok(refused(request, problem)),
    };
    if declaration.is_closed(&services) {
        return Ok(refused(request, Problem::unavailable()));
    }
    let requests = declaration.bounds.requests;
    if requests == RequestBudgets::Uncounted {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let (http_request, payload) = request.parts_mut();
    let Client(client) = Client::from_request(http_request, payload).await?;
    let caller = find_caller(requests, http_request, payload).await;
    if let Err(throttled) = charge_requests(&services, requests, caller, &client).await {
        return Ok(refused(request, throttled.into()));
    }
    let requester = requester(caller, &client);
    if declaration.is_for_administrators {
        // A handler's extractors run concurrently, and errors of the body must not be reported to anyone but administrators.
        let (http_request, payload) = request.parts_mut();
        match gate::on_behalf_of(requester, Admin::from_request(http_request, payload)).await {
            Ok(admin) => _ = request.extensions_mut().insert(admin),
            Err(problem) => return Ok(refused(request, problem)),
        }
    }
    Ok(gate::on_behalf_of(requester, next.call(request)).await?.map_into_boxed_body())
}

fn refused(request: ServiceRequest, problem: Problem) -> ServiceResponse<BoxBody> {
    ServiceResponse::new(request.into_parts().0, HttpResponse::from_error(problem))
}

/// The caller, if the access token is valid. A handler that extracts a [`Caller`] gets the same one, or the error.
async fn find_caller(
    requests: RequestBudgets,
    request: &actix_web::HttpRequest,
    payload: &mut Payload,
) -> Option<CurrentUser> {
    if requests != RequestBudgets::Caller {
        return None;
    }
    let caller = Caller::from_request(request, payload).await.ok()?;
    request.extensions_mut().insert(caller);
    Some(caller.0)
}

async fn charge_requests(
    services: &Services,
    requests: RequestBudgets,
    caller: Option<CurrentUser>,
    client: &ClientInfo,
) -> Result<(), Throttled> {
    let mut charges = services.limits.charges(client);
    charges.charge_client(Budget::RequestsClient).await?;
    match (requests, caller) {
        (RequestBudgets::Uncounted | RequestBudgets::Client | RequestBudgets::Token, _) => Ok(()),
        (RequestBudgets::Caller, Some(caller)) => {
            charges.charge(Budget::RequestsSession, &caller.session.to_string()).await
        }
        (RequestBudgets::Caller, None) => charges.charge_client(Budget::RequestsUnauthenticated).await,
    }
}

fn requester(caller: Option<CurrentUser>, client: &ClientInfo) -> Requester {
    let client = client.network.map_or(RequesterId::UnknownClient, Network::requester_id);
    match caller {
        Some(caller) => Requester::recognized(RequesterId::Account(caller.id.0)).with_client(client),
        None => Requester::anonymous(client),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::endpoint::Endpoint;
    use actix_web::http::StatusCode;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};

    /// A process that was wired wrongly refuses to serve, instead of serving everyone unchecked.
    #[actix_web::test]
    async fn without_services_no_endpoint_is_served() {
        let handler = || async { HttpResponse::Ok().finish() };
        let endpoints = [
            Endpoint::get("/uncounted/", uncounted(), handler),
            Endpoint::get("/client/", by_client(), handler),
            Endpoint::get("/protected/", by_caller(&[]), handler).protected(),
            Endpoint::get("/administrators/", by_caller(&[]), handler).for_administrators(),
        ];
        for endpoint in endpoints {
            let path = endpoint.path();
            let resource = endpoint.routes().into_iter().fold(web::resource(path), actix_web::Resource::route);
            let app = init_service(App::new().service(resource)).await;
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        }
    }
}

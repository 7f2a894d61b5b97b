//! The least that a server can do for the same requests and responses: the limit for `verify` and `me`.

use crate::virtual_user::VirtualUser;
use actix_web::web::{Data, Json};
use actix_web::{App, HttpResponse, HttpServer, rt, web};
use api::clock::{Clock, SystemClock};
use api::config::{Settings, Variables};
use api::metrics::Metrics;
use api::store::{Store, sessions};
use auth_types::SessionId;
use auth_types::requests::VerifyRequest;
use auth_types::responses::{EmptyResponse, UserResponse};
use clap::Args;
use std::io::{Error, Result};
use std::net::SocketAddr;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The API's database
    #[arg(long)]
    database: String,
    /// The API that opens the session that `me` reads
    #[arg(long)]
    issuer: SocketAddr,
}

struct State {
    store: Store,
    session: SessionId,
}

/// Serves until it is killed, and prints its address.
pub(crate) fn run(options: Options) -> std::result::Result<(), String> {
    rt::System::new().block_on(serve(options)).map_err(|error| error.to_string())
}

async fn serve(Options { database, issuer }: Options) -> Result<()> {
    let session =
        VirtualUser::new(0, issuer, Some(issuer)).and_then(|mut user| user.session()).map_err(Error::other)?;
    let variables = Variables::default().with("DATABASE_URL", database);
    let settings = Settings::from_variables(variables).map_err(Error::other)?;
    let metrics = Metrics::since(SystemClock.now());
    let store = Store::new(&settings.database, settings.timeouts, &metrics);
    let state = Data::new(State { store, session });
    let app = move || {
        App::new()
            .app_data(state.clone())
            .route("/api/auth/verify/", web::post().to(verify))
            .route("/api/auth/me/", web::get().to(me))
    };
    let server = HttpServer::new(app).bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("{address}");
    }
    server.run().await
}

/// Reads the token, and checks nothing.
async fn verify(_: Json<VerifyRequest>) -> Json<EmptyResponse> {
    Json(EmptyResponse {})
}

/// Reads a session and its user from the database as the API does, and checks nothing.
async fn me(state: Data<State>) -> HttpResponse {
    let session = state.session;
    let found = state.store.run(move |connection| sessions::find_with_user(connection, session)).await;
    match found {
        Ok(Some((_, user))) => HttpResponse::Ok().json(UserResponse {
            id: user.id,
            email: user.email,
            username: user.username,
            display_name: user.display_name,
            role: user.role,
            email_verified: user.email_verified_at.is_some(),
            avatar_url: None,
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        }),
        Ok(None) | Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

//! The command line: `serve` is the default.

mod backup;

use crate::app::{self, Capacity};
use crate::capacity;
use crate::check::{self, Severity};
use crate::clock::{SharedClock, SystemClock};
use crate::config::{self, DatabaseUrl, Inspection, ServerSettings, Settings};
use crate::names;
use crate::service::mail;
use crate::service::register::{self, RegisterError};
use crate::service::{Services, prune, start};
use crate::smoke;
use crate::store::migrations::{self, MigrateError};
use crate::store::users::TakenName;
use crate::telemetry;
use actix_web::rt::net::TcpSocket;
use actix_web::web::Data;
use auth_types::Role;
use auth_types::invisible::trimmed;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenTransport;
use clap::{Args, Parser, Subcommand};
use futures_util::future::{Either, select};
use secrecy::{ExposeSecret, SecretString};
use std::convert::Infallible;
use std::io::{BufRead, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

/// Latchkey's API: accounts, sessions and JSON Web Tokens.
#[derive(Debug, Parser)]
#[command(name = "api", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests (the default).
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Check the configuration; exit with 2 for an error, 1 for a warning.
    Check(Check),
    /// Make an account.
    CreateUser(CreateUser),
    /// Delete sessions that ended more than a week ago.
    Prune,
    /// Back up the database, and restore it.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Print the OpenAPI document.
    Openapi {
        /// As it is with `TOKEN_TRANSPORT=cookie`.
        #[arg(long)]
        cookie: bool,
    },
    /// Look at a deployment from outside; exit with 1 if something failed, with 2 if the run did not come to its end.
    Smoke(smoke::Arguments),
    /// Print a new random value for `SECRET_KEY`.
    GenerateSecret,
}

#[derive(Debug, Args)]
struct Check {
    /// Judge as production, and ask database, mail server, storage and Redis, too.
    #[arg(long)]
    deploy: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// The least severe finding that makes the exit code anything but 0.
    #[arg(long, value_enum, default_value_t = Severity::Warning)]
    fail_level: Severity,
}

#[derive(Debug, Args)]
struct CreateUser {
    /// The address to sign in with.
    #[arg(long)]
    email: String,
    /// A second name to sign in with.
    #[arg(long)]
    username: Option<String>,
    /// Let them operate the service.
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input; a command line would show it to everyone on the machine.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Succeed, and change nothing, when the account exists already.
    #[arg(long)]
    if_missing: bool,
}

/// Why a command failed; one line for whoever typed it.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("{0}")]
    Config(#[from] config::ConfigError),
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    #[error("{0}")]
    Wire(#[from] app::StartError),
    #[error("{0}")]
    Start(#[from] start::StartError),
    #[error("{0}")]
    Backup(#[from] crate::service::backup::BackupError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("cannot ask any site: {0}")]
    Smoke(#[from] reqwest::Error),
    #[error("{0}")]
    Store(#[from] crate::store::StoreError),
    #[error("{0}")]
    Message(String),
}

/// Runs what the command line says.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = execute(cli.command.unwrap_or(Command::Serve)).await;
    telemetry::flush();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            for line in error.to_string().lines() {
                eprintln!("api: {line}");
            }
            match error {
                // 1 says that something failed; here nothing was looked at.
                CliError::Smoke(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn execute(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Serve => serve().await?,
        Command::Migrate => migrate(&Settings::from_env()?)?,
        Command::Check(arguments) => return check(&arguments).await,
        Command::CreateUser(arguments) => create_user(arguments).await?,
        Command::Prune => {
            let deleted = prune::prune(&services()?).await?;
            print(format_args!("deleted {deleted} ended sessions"))?;
        }
        Command::Backup(command) => backup::execute(command).await?,
        Command::Openapi { cookie } => {
            let transport = if cookie { TokenTransport::Cookie } else { TokenTransport::Body };
            print_json(&crate::http::openapi_document(transport))?;
        }
        Command::Smoke(arguments) => return smoke(arguments).await,
        Command::GenerateSecret => print(config::generate_secret()?.expose_secret())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    print(serde_json::to_string_pretty(value).map_err(std::io::Error::from)?)
}

async fn check(arguments: &Check) -> Result<ExitCode, CliError> {
    let inspection = Inspection::of_env();
    let report = if arguments.deploy {
        check::deployment(&inspection, &clock()).await
    } else {
        check::configuration(&inspection)
    };
    let printed = if arguments.json { print_json(&report) } else { print(&report) };
    printed?;
    Ok(report.exit_code(arguments.fail_level).into())
}

async fn smoke(arguments: smoke::Arguments) -> Result<ExitCode, CliError> {
    let json = arguments.json;
    let password = if arguments.password_stdin { Some(read_password()?) } else { None };
    let report = smoke::run(arguments.plan(password), clock()).await?;
    let printed = if json { print_json(&report) } else { print(&report) };
    printed?;
    Ok(report.exit_code().into())
}

/// Prints a line. A reader that has gone away (`api openapi | head`) is an error like any other, not a panic.
fn print(line: impl std::fmt::Display) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// The services of a command that does its work and ends, on a database that is up to date.
fn services() -> Result<Services, CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    prepare_database(&settings)?;
    Ok(app::services(settings, clock())?)
}

fn migrate(settings: &Settings) -> Result<(), CliError> {
    telemetry::init(settings, clock());
    let done = prepare_database(settings)?;
    if done.is_empty() {
        return print("nothing to migrate");
    }
    done.iter().try_for_each(|name| print(format_args!("migrated {name}")))
}

fn prepare_database(settings: &Settings) -> Result<Vec<String>, CliError> {
    prepare_folder(settings)?;
    Ok(migrations::migrate(&settings.database.url)?)
}

fn prepare_folder(settings: &Settings) -> Result<(), CliError> {
    let DatabaseUrl::Sqlite(path) = &settings.database.url else { return Ok(()) };
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| {
        CliError::Message(format!("cannot make the folder {} (DATABASE_URL): {error}", config::shown_path(folder)))
    })
}

/// Listens first and waits for the database then: whoever looks after the process sees it alive, and why it is not ready.
async fn serve() -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    check::log_findings(&settings);
    prepare_folder(&settings)?;
    let listener = listen(&settings.server)?;
    let address = listener.local_addr()?;
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let connections = capacity::connections(settings.database.pool_size);
    let services = Data::new(app::services(settings, clock())?);
    let server = app::serve(services.clone(), listener, Capacity { workers, connections })?;
    log::info!(connections = connections; "start.capacity: {connections} connections at once");
    let worker = services.clone();
    let work = async move {
        // The server is polled first: from this line on a SIGTERM is heeded and does not just end the process.
        log::info!("start.listening: http://{address}");
        work(worker).await
    };
    match select(server, Box::pin(work)).await {
        Either::Left((ended, work)) => {
            mail::stop(&services, work).await;
            ended?;
        }
        Either::Right((Err(error), _)) => return Err(error.into()),
        Either::Right((Ok(never), _)) => match never {},
    }
    log::info!("stop: all requests are answered");
    Ok(())
}

/// What a process does beside answering requests.
async fn work(services: Data<Services>) -> Result<Infallible, start::StartError> {
    if !services.settings.limits.enabled {
        log::warn!("limits.off: RATE_LIMITS=off: passwords can be guessed without end; this is for load tests only");
    }
    services.limits.connect().await;
    start::start(&services).await?;
    Ok(app::run_background_tasks(services).await)
}

/// Of the connections that nobody has taken yet, as many may wait as a burst brings: each is a handshake, no more. It is
/// also the most that Linux allows where nobody has changed `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

fn listen(server: &ServerSettings) -> Result<TcpListener, CliError> {
    let address = SocketAddr::from((server.host, server.port));
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A port is free again at once when a process before has ended.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    listen().map_err(|error| CliError::Message(format!("cannot listen on {address} (HOST, PORT): {error}")))
}

/// The first line of standard input.
fn read_password() -> Result<SecretString, CliError> {
    let refuse = |what| Err(CliError::Message(format!("the password on standard input {what}")));
    let mut line = Vec::new();
    std::io::stdin().lock().read_until(b'\n', &mut line)?;
    let Ok(line) = std::str::from_utf8(&line) else { return refuse("is not UTF-8 text") };
    // Some editors begin a file with a byte-order mark. In a browser nobody can type it, a NUL or a line's end.
    let password = line.strip_prefix('\u{feff}').unwrap_or(line).trim_end_matches(['\r', '\n']);
    if password.contains('\0') {
        return refuse("has a NUL character; is it UTF-16 text?");
    }
    if password.contains('\r') {
        return refuse("has a carriage return; a line ends with a line feed");
    }
    if password.is_empty() {
        return refuse("is empty");
    }
    Ok(password.to_owned().into())
}

async fn create_user(arguments: CreateUser) -> Result<(), CliError> {
    if arguments.username.as_deref().is_some_and(|name| trimmed(name).is_empty()) {
        let message = "username: has nothing that can be seen; leave --username out for an account without one";
        return Err(CliError::Message(message.to_owned()));
    }
    let request = RegisterRequest {
        email: arguments.email,
        password: read_password()?.expose_secret().to_owned(),
        username: arguments.username,
        display_name: None,
    };
    let role = if arguments.admin { Role::Admin } else { Role::User };
    match register::create(&services()?, &request, role).await {
        Ok(user) => print(format_args!("created {}", user.email)),
        // An account that merely has the username is another one.
        Err(RegisterError::Taken(TakenName::Email)) if arguments.if_missing => {
            let email = names::typed_email(&request.email).map_or(request.email, |name| name.shown);
            print(format_args!("{email} exists already"))
        }
        Err(RegisterError::Fields(errors)) => {
            let told = errors.iter().map(|(field, messages)| format!("{field}: {}", messages.join(" ")));
            Err(CliError::Message(told.collect::<Vec<_>>().join("\n")))
        }
        Err(error) => Err(CliError::Message(error.to_string())),
    }
}

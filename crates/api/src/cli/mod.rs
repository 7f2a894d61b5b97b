//! The command line. The default command is `serve`.

mod arguments;
mod backup;
pub mod check;
mod create_user;
mod error;
mod output;
mod password;
mod serve;
mod setup;
pub mod smoke;

use crate::app::{App, Product};
use crate::config::{self, Inspection, Settings};
use crate::service::upkeep::prune::{self, Pruned};
use crate::telemetry;
use auth_types::responses::TokenTransport;
use check::Severity;
use clap::{Args, Parser, Subcommand};
use create_user::{CreateUser, create_user};
use error::CliError;
use output::{print, print_error, print_json};
use password::read_password;
use rustix::fs::Mode;
use rustix::process::umask;
use secrecy::ExposeSecret;
use serve::serve;
use setup::{clock, prepare_database, services};
use std::process::ExitCode;

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
    Check(CheckArguments),
    /// Create an account.
    CreateUser(CreateUser),
    /// Delete what is no longer kept: ended sessions, old events, expired links, and so on.
    Prune,
    /// Back up the database, and restore it.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Print the OpenAPI document.
    Openapi {
        /// The document with `TOKEN_TRANSPORT=cookie`.
        #[arg(long)]
        cookie: bool,
    },
    /// Test a deployment from outside; exit with 1 if a check failed, with 2 if the run did not finish.
    Smoke(smoke::Arguments),
    /// Print a new random value for `SECRET_KEY`.
    GenerateSecret,
    /// Print the environment variables as an example of a `.env`.
    Variables {
        /// As tables in Markdown.
        #[arg(long)]
        markdown: bool,
    },
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// Check as if in production, and also connect to the database, mail server, storage and Redis.
    #[arg(long)]
    deploy: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// The least severe finding that makes the exit code anything but 0.
    #[arg(long, value_enum, default_value_t = Severity::Warning)]
    fail_level: Severity,
}

/// Runs the program: parses the command line and executes the command.
pub fn run(app: App) -> ExitCode {
    // Databases, backups, keys, and mails with links: what is made is for this user alone. What is there already keeps its rights, and
    // SQLite gives those of its file to what it keeps next to it.
    umask(Mode::RWXG | Mode::RWXO);
    let system = actix_web::rt::System::new();
    let status = system.block_on(run_command(app));
    // Dropping the runtime would wait for tasks that are blocked by an unavailable database.
    std::mem::forget(system);
    status
}

async fn run_command(app: App) -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| arguments::without_secrets(error).exit());
    let outcome = match app.assemble() {
        Ok(product) => execute(cli.command.unwrap_or(Command::Serve), &product).await,
        Err(collision) => Err(collision.into()),
    };
    telemetry::flush();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            for line in error.to_string().lines() {
                print_error(format_args!("api: {line}"));
            }
            match error {
                // 1 means that a check failed; here no check was run.
                CliError::Smoke(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn execute(command: Command, product: &Product) -> Result<ExitCode, CliError> {
    match command {
        Command::Serve => serve(product).await?,
        Command::Migrate => migrate(&Settings::from_env()?, product)?,
        Command::Check(arguments) => return check(&arguments, product).await,
        Command::CreateUser(arguments) => create_user(product, arguments).await?,
        Command::Prune => match prune::compare_clocks_and_prune(&services(product)?).await? {
            Pruned::Sessions(deleted) => print(format_args!("deleted {deleted} ended sessions"))?,
            Pruned::ClockIsWrong(wrong) => return Err(CliError::Clock("nothing is deleted", wrong)),
        },
        Command::Backup(command) => backup::execute(product, command).await?,
        Command::Openapi { cookie } => {
            let transport = if cookie { TokenTransport::Cookie } else { TokenTransport::Body };
            print_json(&product.endpoints.openapi(transport))?;
        }
        Command::Smoke(arguments) => return smoke(arguments).await,
        Command::GenerateSecret => print(config::generate_secret()?.expose_secret())?,
        Command::Variables { markdown } => {
            let text = if markdown { config::document::tables() } else { config::document::example() };
            print(text.trim_end())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn check(arguments: &CheckArguments, product: &Product) -> Result<ExitCode, CliError> {
    let inspection = Inspection::of_env();
    let report = if arguments.deploy {
        check::deployment(&inspection, &clock(), &product.schema.migrations).await
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

fn migrate(settings: &Settings, product: &Product) -> Result<(), CliError> {
    telemetry::init(settings, clock());
    let done = prepare_database(settings, product)?;
    if done.is_empty() {
        return print("nothing to migrate");
    }
    done.iter().try_for_each(|name| print(format_args!("migrated {name}")))
}

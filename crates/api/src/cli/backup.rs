//! `api backup`: making, listing, proving and restoring backups.

use super::{CliError, clock, prepare_folder, print};
use crate::config::{Settings, parse_recipients};
use crate::service::backup::{self, BackupError, Identities, Order, Plan};
use crate::telemetry;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Write the whole database into one file.
    Create(Create),
    /// Prove that a backup is whole and readable; needs no database.
    Verify(Which),
    /// Fill an empty database of either kind. Every session ends, links and waiting mail are dropped.
    Restore(Restore),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// A file of this machine to write, in place of the storage.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Public keys of age, in place of `BACKUP_AGE_RECIPIENT`.
    #[arg(long, value_name = "AGE1…")]
    recipient: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// A file of this machine.
    backup: PathBuf,
    /// The file of the age key that opens it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    which: Which,
    /// The source was stopped before the backup: keep sessions, links and waiting mail as they are.
    #[arg(long)]
    moving: bool,
}

pub(super) async fn execute(command: Backup) -> Result<(), CliError> {
    match command {
        Backup::Create(arguments) => create(arguments).await,
        Backup::Verify(which) => verify(which).await,
        Backup::Restore(arguments) => restore(arguments).await,
    }
}

async fn create(Create { to, recipient }: Create) -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    let recipients = match recipient {
        Some(keys) => parse_recipients(&keys).map_err(|problem| CliError::Message(format!("--recipient {problem}")))?,
        None => settings.backup.recipients,
    };
    let plan = Plan { database: settings.database.url, recipients, clock: clock() };
    let made = off_thread(move || backup::create_file(&plan, &to)).await?;
    print(format_args!("made {}: {} rows, {} bytes", made.name, made.rows, made.size_bytes))
}

async fn verify(Which { backup, identity }: Which) -> Result<(), CliError> {
    let identities = identities(identity.as_deref())?;
    let contents = off_thread(move || backup::verify_file(&backup, &identities)).await?;
    print(format_args!("whole: {contents}"))
}

async fn restore(Restore { which: Which { backup, identity }, moving }: Restore) -> Result<(), CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    let identities = identities(identity.as_deref())?;
    prepare_folder(&settings)?;
    let now = clock().now();
    let contents = off_thread(move || {
        let order = Order { database: &settings.database.url, identities: &identities, moving, now };
        backup::restore_file(&backup, &order)
    })
    .await?;
    print(format_args!("restored: {contents}"))
}

fn identities(file: Option<&Path>) -> Result<Identities, CliError> {
    Identities::read(file).map_err(CliError::Message)
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, CliError> {
    let done = actix_web::rt::task::spawn_blocking(work).await;
    Ok(done.map_err(std::io::Error::other)??)
}

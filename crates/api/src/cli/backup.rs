//! `api backup`: creates, lists, verifies and restores backups.

use super::error::CliError;
use super::output::{print, print_error, print_json};
use super::setup::{clock, prepare_folder};
use crate::app::Product;
use crate::clock::ComparedClock;
use crate::config::{DatabaseUrl, Settings, StorageSettings, Timeouts, parse_recipients};
use crate::files::{Files, RetryPolicy};
use crate::service::backup::{
    self, BackupError, BackupPlan, BackupSource, CreatedBackup, Identities, PrunePlan, PrunedBackups, RestorePlan,
    SkippedFile, StopFlag, StoredBackup,
};
use crate::store::backup::database_id;
use crate::store::database_identity::DatabaseId;
use crate::telemetry;
use actix_web::rt::signal::unix::{SignalKind, signal};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum Backup {
    /// Back up the whole database to the storage, and delete the backups that `BACKUP_KEEP` does not keep.
    Create(Create),
    /// List the backups in the storage, oldest first.
    List {
        /// Print one JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Verify that a backup is complete and readable; needs no database.
    Verify(BackupSelection),
    /// Restore into an empty database of either kind. Every session ends; links and waiting mail are not restored.
    Restore(Restore),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// A local file to write instead of the storage; nothing is deleted.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Public keys of age, instead of `BACKUP_AGE_RECIPIENT`.
    #[arg(long, value_name = "AGE1")]
    recipient: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct BackupSelection {
    /// A name from the list, `latest`, or a local file; write a file with such a name as `./latest`.
    #[arg(value_name = "NAME|latest|FILE")]
    backup: PathBuf,
    /// The file with the age key that decrypts it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    selection: BackupSelection,
    /// The source was stopped before the backup: keep sessions, links and waiting mail as they are.
    #[arg(long)]
    moving: bool,
}

const SHARED_PICTURES: &str = "warning: the pictures of these accounts are in this storage. If the source of the backup is still in use, \
    give the copy a storage of its own: a picture that one of them replaces or deletes, the other one loses";

pub(super) async fn execute(product: &Product, command: Backup) -> Result<(), CliError> {
    match command {
        Backup::Create(arguments) => create(product, arguments).await,
        Backup::List { json } => list(json).await,
        Backup::Verify(selection) => verify(product, selection).await,
        Backup::Restore(arguments) => restore(product, arguments).await,
    }
}

fn settings() -> Result<Settings, CliError> {
    let settings = Settings::from_env()?;
    telemetry::init(&settings, clock());
    Ok(settings)
}

/// The storage. No client waits for a backup, so requests are retried for longer.
fn files(settings: &StorageSettings) -> Result<Files, CliError> {
    Files::open(settings, RetryPolicy::Many, Timeouts::default()).map_err(|error| CliError::Message(error.to_string()))
}

async fn create(product: &Product, Create { to, recipient }: Create) -> Result<(), CliError> {
    let settings = settings()?;
    let recipients = match recipient {
        Some(keys) => parse_recipients(&keys).map_err(|problem| CliError::Message(format!("--recipient {problem}")))?,
        None => settings.backup.recipients.clone(),
    };
    let database = settings.database.url.clone();
    let coverage = product.schema.coverage();
    let clock = compared_clock(&settings).await?;
    let stop = stop_on_signal()?;
    let plan = BackupPlan { database, coverage, recipients, made_at: clock.shared_now().get(), stop: stop.clone() };
    match to {
        Some(file) => {
            let made = off_thread(move || backup::create_file(&plan, &file)).await?;
            after_storing(&made, &stop, [report(&made)])
        }
        None => store(&settings, plan, &clock).await,
    }
}

/// The first SIGTERM or SIGINT stops the backup, which removes what it has written, or if it is stored the deletion of older ones; the
/// second one ends the process.
fn stop_on_signal() -> Result<StopFlag, CliError> {
    let flag = StopFlag::default();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind)?;
        let flag = flag.clone();
        actix_web::rt::spawn(async move {
            while signals.recv().await.is_some() {
                if flag.set() {
                    std::process::exit(1);
                }
                print_error("api: stopping; a second signal ends this at once");
            }
        });
    }
    Ok(flag)
}

/// By a wrong clock a backup would be named as no other machine reads it, and newer ones than it would be deleted for outdated.
async fn compared_clock(settings: &Settings) -> Result<ComparedClock, CliError> {
    let database = settings.database.url.clone();
    off_thread(move || backup::compared_clock(clock(), &database)).await
}

fn report(made: &CreatedBackup) -> Result<(), CliError> {
    print(format_args!("made {}: {} rows, {} bytes", made.name, made.rows, made.size_bytes))
}

async fn store(settings: &Settings, plan: BackupPlan, clock: &ComparedClock) -> Result<(), CliError> {
    let files = files(&settings.storage)?;
    let storage = files.clone();
    let stop = plan.stop.clone();
    let (made, recorded, database) = off_thread(move || {
        let database = database_id(&plan.database, &plan.coverage)?;
        let made = backup::create(&storage, &plan, database)?;
        let recorded = backup::record(&plan.database, &made);
        Ok((made, recorded, database))
    })
    .await?;
    // Whatever fails from here on, the others are done: backups that are never deleted would fill the storage.
    let pruned = match clock.check() {
        Ok(()) => {
            let made_at = made.made_at;
            let plan = PrunePlan { keep: settings.backup.keep, current: database, made_at, stop: stop.clone() };
            backup::delete_outdated(&files, plan).await.map_err(CliError::from)
        }
        Err(wrong) => Err(CliError::Clock("no backup is deleted", wrong)),
    };
    let reported = report(&made).and_then(|()| pruned.as_ref().map_or(Ok(()), report_pruned));
    after_storing(&made, &stop, [recorded.map_err(CliError::from), pruned.map(drop), reported])
}

/// The result of a command that has stored a backup, and of its steps after that. A signal fails it, whichever step it has met: the
/// command has said that it stops.
fn after_storing(
    made: &CreatedBackup,
    stop: &StopFlag,
    steps: impl IntoIterator<Item = Result<(), CliError>>,
) -> Result<(), CliError> {
    let stopped = stop.is_set().then(|| BackupError::StoppedLater.into());
    let failures: Vec<_> = steps.into_iter().filter_map(Result::err).chain(stopped).collect();
    if failures.is_empty() { Ok(()) } else { Err(CliError::Stored(made.name.clone(), failures)) }
}

fn report_pruned(pruned: &PrunedBackups) -> Result<(), CliError> {
    report_skipped(&pruned.skipped)?;
    if pruned.others > 0 {
        print(format_args!("kept {} that this database is not known to have made", pruned.others))?;
    }
    pruned.deleted.iter().try_for_each(|name| print(format_args!("deleted {name}")))
}

fn report_skipped(files: &[SkippedFile]) -> Result<(), CliError> {
    files.iter().try_for_each(|SkippedFile { name, why }| print(format_args!("warning: {name} does not count: {why}")))
}

async fn list(as_json: bool) -> Result<(), CliError> {
    let all = backup::list(&files(&settings()?.storage)?).await.map_err(BackupError::from)?;
    let now = clock().now();
    if as_json {
        return print_json(&all.iter().map(|stored| row(stored, now)).collect::<Vec<_>>());
    }
    all.iter().try_for_each(|StoredBackup { name, size_bytes }| {
        let warning = if name.is_ahead(now) { ", warning: named later than now, so it is not the latest" } else { "" };
        print(format_args!("{name} {size_bytes:>14} bytes{warning}"))
    })
}

fn row(StoredBackup { name, size_bytes }: &StoredBackup, now: DateTime<Utc>) -> serde_json::Value {
    json!({
        "name": name.to_string(),
        "made_at": name.made_at,
        "size_bytes": size_bytes,
        "database": name.database.map(|database| database.to_string()),
        "encrypted": name.encrypted,
        "is_ahead": name.is_ahead(now),
    })
}

async fn verify(product: &Product, BackupSelection { backup, identity }: BackupSelection) -> Result<(), CliError> {
    let source = source(product, backup, clock().now()).await?;
    let identities = identities(identity.as_deref())?;
    let coverage = product.schema.coverage();
    let contents = off_thread(move || backup::verify(&source, &identities, &coverage)).await?;
    print(format_args!("whole: {contents}"))
}

async fn restore(
    product: &Product,
    Restore { selection: BackupSelection { backup, identity }, moving }: Restore,
) -> Result<(), CliError> {
    let settings = settings()?;
    let now = compared_clock(&settings).await?.shared_now().get();
    let source = source(product, backup, now).await?;
    let identities = identities(identity.as_deref())?;
    prepare_folder(&settings)?;
    let coverage = product.schema.coverage();
    let files = files(&settings.storage)?;
    let database = settings.database.url.clone();
    let contents = off_thread(move || {
        let database = &settings.database.url;
        let order = RestorePlan { database, coverage: &coverage, identities: &identities, moving, now };
        backup::restore(&source, &order)
    })
    .await?;
    print(format_args!("restored: {contents}"))?;
    if !moving {
        // The restore is done, whatever the storage says.
        match shares_pictures(&database, &files).await {
            Ok(true) => print(SHARED_PICTURES)?,
            Ok(false) => {}
            Err(error) => {
                print(format_args!(
                    "warning: the storage could not be searched for these accounts' pictures: {error}"
                ))?;
            }
        }
    }
    Ok(())
}

/// Whether the storage already has a picture of the restored accounts, which their source then uses, too.
async fn shares_pictures(database: &DatabaseUrl, files: &Files) -> Result<bool, CliError> {
    let database = database.clone();
    Ok(match off_thread(move || backup::any_picture(&database)).await? {
        Some(picture) => backup::has_picture(files, &picture).await?,
        None => false,
    })
}

/// `latest` and names of backups always refer to the storage, even if a local file has that name: otherwise an older backup
/// could be verified or restored unnoticed.
async fn source(product: &Product, backup: PathBuf, now: DateTime<Utc>) -> Result<BackupSource, CliError> {
    let stored = |name| Ok(BackupSource::Stored(Box::new(files(&settings()?.storage)?), name));
    if backup == Path::new("latest") {
        let settings = settings()?;
        let newest = backup::latest(&files(&settings.storage)?, now, own_id(&settings, product)).await?;
        report_skipped(&newest.skipped)?;
        return stored(newest.found.ok_or_else(|| CliError::Message("there is no backup in the storage".to_owned()))?);
    }
    // A name that is not UTF-8 is a file's.
    match backup.to_str().and_then(|text| text.parse().ok()) {
        Some(name) => stored(name),
        None => Ok(BackupSource::File(backup)),
    }
}

/// `None` also for a database that cannot be read: `verify` needs none, and a restore begins with an empty one.
async fn own_id(settings: &Settings, product: &Product) -> Option<DatabaseId> {
    let database = settings.database.url.clone();
    let coverage = product.schema.coverage();
    off_thread(move || Ok(database_id(&database, &coverage)?)).await.ok()
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

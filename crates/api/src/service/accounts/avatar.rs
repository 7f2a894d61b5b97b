//! The picture of an account: a file under an unguessable name, which is new with each picture, so that every cache may
//! keep it for ever.
//!
//! The database and the storage have no common transaction. So a file is recorded as orphaned ([`orphaned_files`]) before
//! it is written and until a row names it, and again when no row names it any more: it is found after any failure.

use super::avatar_key::{AvatarKey, file_name, url};
use super::orphaned_files;
use super::picture::{self, Kind, MAX_END_LENGTH, Picture, PictureError};
use crate::files::{FileError, FileInfo, OpenedFile};
use crate::service::limits::Budget;
use crate::service::{ClientInfo, CurrentUser, Error, Services};
use crate::store::events::EventKind;
use crate::store::{AnyConnection, QueryResult, events, stray_files, users};
use auth_types::UserId;
use auth_types::limits::AVATAR_MAX_BYTES;
use auth_types::responses::AvatarResponse;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use std::fmt;

/// Why a picture was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AvatarRefusal {
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The request took longer than an orphaned file is kept.
    #[error("the picture was deleted before its account had it")]
    TooLate,
}

type AvatarError = Error<AvatarRefusal>;

/// A picture as its owner sent it.
#[derive(Debug)]
pub struct UploadedPicture {
    pub kind: Kind,
    pub content: Bytes,
}

/// Charges the caller's budget, before the picture is read.
pub async fn charge_upload(services: &Services, caller: CurrentUser, client: &ClientInfo) -> Result<(), AvatarError> {
    Ok(services.limits.charges(client).charge(Budget::AvatarUser, &caller.id.0.to_string()).await?)
}

/// Re-encodes a picture and gives it to the caller; it replaces the one that they have.
///
/// # Errors
/// [`Error`]; then the caller's picture is unchanged.
pub async fn save(
    services: &Services,
    caller: CurrentUser,
    client: ClientInfo,
    uploaded: UploadedPicture,
) -> Result<AvatarResponse, AvatarError> {
    let picture = services.pictures.run(move || picture::reencode(uploaded.kind, &uploaded.content)).await?;
    let picture = picture.map_err(|error| Error::Refused(error.into()))?;
    let key = store_file(services, picture).await?;
    assign(services, caller, client, Some(key)).await
}

/// Writes the file; until [`assign`] it is orphaned.
async fn store_file(services: &Services, picture: Picture) -> Result<AvatarKey, AvatarError> {
    let key = AvatarKey::new(picture.kind);
    let name = key.file_name();
    let now = services.now();
    let recorded = name.clone();
    services.store.write_statement(move |connection| stray_files::insert(connection, &recorded, now)).await?;
    services.files.put(&name, picture.content.into(), picture.kind.media_type()).await?;
    Ok(key)
}

/// Removes the caller's picture.
///
/// # Errors
/// [`Error`]; then the caller still has their picture.
pub async fn remove(
    services: &Services,
    caller: CurrentUser,
    client: ClientInfo,
) -> Result<AvatarResponse, AvatarError> {
    // A caller without a picture takes no lock and writes nothing.
    let user = caller.read(services, |_, user| Ok(user)).await?;
    if user.avatar_key.is_none() {
        return Ok(AvatarResponse { avatar_url: None });
    }
    assign(services, caller, client, None).await
}

/// Gives the caller this key, and deletes the file that no row names afterwards.
async fn assign(
    services: &Services,
    caller: CurrentUser,
    client: ClientInfo,
    key: Option<AvatarKey>,
) -> Result<AvatarResponse, AvatarError> {
    let key = key.map(|key| key.text);
    let new = key.clone();
    let context = services.context(client);
    let assignment = caller.write(services, move |connection, user, now| {
        if let Some(new) = &new
            && !stray_files::delete(connection, &file_name(new))?
        {
            return Ok(Err(Error::Refused(AvatarRefusal::TooLate)));
        }
        let before = replace(connection, user.id, new.as_deref(), now)?;
        if new.is_some() || before.is_some() {
            events::insert(connection, &context.event(user.id, EventKind::ProfileChanged))?;
        }
        Ok(Ok(before))
    });
    let (orphan, result) = match assignment.await {
        Ok(before) => (before, Ok(AvatarResponse { avatar_url: key.as_deref().map(url) })),
        // Whether the transaction committed is not known: `prune` finds an orphaned file by its record.
        Err(error @ Error::Common(_)) => (None, Err(error)),
        Err(error) => (key.as_deref().map(file_name), Err(error)),
    };
    if let Some(orphan) = orphan {
        orphaned_files::delete(services, orphan).await;
    }
    result
}

/// Gives a user another picture or none. Records the file of the previous one as orphaned and returns its name.
fn replace(
    connection: &mut AnyConnection,
    user: UserId,
    key: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<Option<String>> {
    let before = users::replace_avatar(connection, user, key)?.as_deref().map(file_name);
    if let Some(name) = &before {
        stray_files::insert(connection, name, now)?;
    }
    Ok(before)
}

/// Removes a user's picture, in the transaction that deletes the account. The returned name is for
/// [`orphaned_files::delete`] after the commit.
pub fn forget(connection: &mut AnyConnection, user: UserId, now: DateTime<Utc>) -> QueryResult<Option<String>> {
    replace(connection, user, None, now)
}

/// A picture that is being read.
pub struct AvatarContent {
    pub size: u64,
    pub content: BoxStream<'static, Result<Bytes, ReadError>>,
}

impl fmt::Debug for AvatarContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AvatarContent").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Why a picture was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the file ends before its picture")]
    CutShort,
}

/// Opens a picture. Others may write into a bucket, and caches keep a response for a year: so a file that cannot be one of
/// our pictures is not found, and half a picture is not sent as a whole one.
pub async fn find(services: &Services, key: &AvatarKey) -> Result<Option<AvatarContent>, AvatarError> {
    let Some(OpenedFile { info, content }) = services.files.find(&key.file_name()).await? else { return Ok(None) };
    let mut content = read_to_end(key.kind(), content);
    let beginning = match content.next().await.transpose() {
        Err(ReadError::File(error)) => return Err(error.into()),
        Err(ReadError::CutShort) => None,
        Ok(beginning) => beginning.filter(|beginning| is_ours(&info) && key.kind().begins(beginning)),
    };
    let Some(beginning) = beginning else {
        log::error!("files.foreign: a file under a picture's name is not one of our pictures, and is not shown");
        return Ok(None);
    };
    Ok(Some(AvatarContent { size: info.size, content: stream::iter([Ok(beginning)]).chain(content).boxed() }))
}

/// Passes each piece on once the next one has arrived, and the last one if the picture ends with it. Otherwise the
/// response is shorter than its declared length, and no cache keeps it.
fn read_to_end(
    kind: Kind,
    content: BoxStream<'static, Result<Bytes, FileError>>,
) -> BoxStream<'static, Result<Bytes, ReadError>> {
    let pieces = stream::try_unfold((content.fuse(), Bytes::new()), move |(mut content, mut held)| async move {
        loop {
            match content.next().await.transpose()? {
                // The picture's end may be split over two pieces.
                Some(piece) if held.len() < MAX_END_LENGTH || piece.len() < MAX_END_LENGTH => {
                    held = [held, piece].concat().into();
                }
                Some(piece) => return Ok(Some((held, (content, piece)))),
                None if held.is_empty() => return Ok(None),
                None if kind.ends(&held) => return Ok(Some((held, (content, Bytes::new())))),
                None => return Err(ReadError::CutShort),
            }
        }
    });
    pieces.boxed()
}

/// A picture is encoded again before it is stored, and never becomes larger than an upload may be.
fn is_ours(info: &FileInfo) -> bool {
    info.size <= u64::from(AVATAR_MAX_BYTES)
}

/// The size and the time of a picture's file.
pub async fn info(services: &Services, key: &AvatarKey) -> Result<Option<FileInfo>, AvatarError> {
    Ok(services.files.info(&key.file_name()).await?.filter(is_ours))
}

//! `Files`, in a folder and on a real S3 server.

use crate::support::BucketServer;
use api::config::{StorageSettings, Timeouts};
use api::files::{FileError, FileProblem, Files, RetryPolicy};
use bytes::Bytes;
use futures_util::TryStreamExt;
use std::path::Path;
use std::time::Duration;

/// More than one part.
const LARGE: usize = 20 * 1024 * 1024 + 7;

fn in_folder(folder: &Path) -> Files {
    Files::open(&StorageSettings::Folder(folder.to_owned()), RetryPolicy::Few, Timeouts::default()).unwrap()
}

fn in_bucket(server: &BucketServer) -> Files {
    Files::open(&server.settings(), RetryPolicy::Few, Timeouts::default()).unwrap()
}

/// Both, one after the other: they behave alike.
async fn on_both(test: impl AsyncFn(Files)) {
    let folder = tempfile::tempdir().unwrap();
    // A folder that does not exist yet, and whose name must be encoded in a URL.
    test(in_folder(&folder.path().join("a folder/files"))).await;
    test(in_bucket(&BucketServer::start())).await;
}

async fn names(files: &Files, folder: &str) -> Vec<String> {
    let mut names: Vec<_> = files.list(folder, "").map_ok(|file| file.name).try_collect().await.unwrap();
    names.sort();
    names
}

/// Bytes that do not repeat, so that parts in a wrong order are noticed.
fn large() -> Vec<u8> {
    (0..u32::try_from(LARGE / 4 + 1).unwrap()).flat_map(u32::to_be_bytes).take(LARGE).collect()
}

async fn upload(files: &Files, name: &str, content: &[u8]) -> Result<(), FileError> {
    let mut upload = files.upload(name, "application/octet-stream");
    for piece in content.chunks(1_000_003) {
        upload.write(Bytes::copy_from_slice(piece)).await?;
    }
    upload.finish().await
}

#[actix_web::test]
async fn a_file_is_kept_found_replaced_and_deleted() {
    on_both(async |files| {
        files.put("notes/one.txt", Bytes::from_static(b"first"), "text/plain").await.unwrap();
        files.put("notes/one.txt", Bytes::from_static(b"second"), "text/plain").await.unwrap();
        assert_eq!(files.get("notes/one.txt").await.unwrap(), "second");
        let info = files.info("notes/one.txt").await.unwrap().unwrap();
        assert_eq!((info.name.as_str(), info.size), ("notes/one.txt", 6));
        let found = files.find("notes/one.txt").await.unwrap().unwrap();
        assert_eq!(found.info, info);
        let content: Vec<Bytes> = found.content.try_collect().await.unwrap();
        assert_eq!(content.concat(), b"second");
        files.delete("notes/one.txt").await.unwrap();
        assert_eq!(files.info("notes/one.txt").await.unwrap(), None);
    })
    .await;
}

#[actix_web::test]
async fn a_missing_file_is_distinguished_from_a_failure() {
    on_both(async |files| {
        assert!(files.find("notes/none").await.unwrap().is_none());
        assert!(files.info("notes/none").await.unwrap().is_none());
        files.delete("notes/none").await.unwrap();
        let error = files.get("notes/none").await.unwrap_err();
        assert_eq!(error.problem, FileProblem::Missing);
        assert_eq!(error.to_string(), "cannot read notes/none: there is no such file");
        assert!(names(&files, "notes").await.is_empty());
    })
    .await;
}

#[actix_web::test]
async fn a_list_has_the_files_of_its_folder_only() {
    on_both(async |files| {
        for name in ["notes/a", "notes/b", "notes-2/c", "d"] {
            files.put(name, Bytes::from_static(b"x"), "text/plain").await.unwrap();
        }
        assert_eq!(names(&files, "notes").await, ["notes/a", "notes/b"]);
    })
    .await;
}

#[actix_web::test]
async fn a_large_file_is_written_and_read_piece_by_piece() {
    on_both(async |files| {
        let content = large();
        upload(&files, "backups/large", &content).await.unwrap();
        let found = files.find("backups/large").await.unwrap().unwrap();
        assert_eq!(found.info.size, LARGE as u64);
        let pieces: Vec<Bytes> = found.content.try_collect().await.unwrap();
        assert!(pieces.len() > 1, "one piece");
        assert!(pieces.concat() == content, "the content differs");
    })
    .await;
}

#[actix_web::test]
async fn an_aborted_upload_leaves_nothing() {
    on_both(async |files| {
        for finish in [true, false] {
            let mut upload = files.upload("backups/half", "application/octet-stream");
            upload.write(large().into()).await.unwrap();
            if finish {
                upload.abort().await;
                upload.write(Bytes::new()).await.unwrap_err();
                upload.finish().await.unwrap_err();
            } else {
                drop(upload);
            }
            assert!(files.info("backups/half").await.unwrap().is_none());
            assert!(names(&files, "backups").await.is_empty());
        }
    })
    .await;
}

/// A wrong secret is reported as such, and not repeated.
#[actix_web::test]
async fn the_refusal_of_a_bucket_is_reported_without_the_key() {
    let server = BucketServer::start();
    let settings = server.settings_with("h2Lk9sDf7aPq3ZxC");
    let files = Files::open(&settings, RetryPolicy::Many, Timeouts::default()).unwrap();
    let put = files.put("notes/one", Bytes::from_static(b"x"), "text/plain").await.unwrap_err();
    let get = files.get("notes/one").await.unwrap_err();
    let list = files.list("notes", "").try_next().await.unwrap_err();
    let upload = upload(&files, "notes/one", &large()).await.unwrap_err();
    for (error, begin) in
        [(put, "write notes/one"), (get, "read notes/one"), (list, "list notes"), (upload, "write notes/one")]
    {
        let message = format!("{error} {error:?}");
        assert!(message.starts_with(&format!("cannot {begin}: ")), "{message}");
        assert!(message.contains("SignatureDoesNotMatch"), "{message}");
        assert!(!message.contains("h2Lk9sDf7aPq3ZxC") && !message.contains("AKIATESTS"), "{message}");
    }
    assert!(server.names().is_empty());
}

/// Each operation ends with an error that names it, and works again when the server does.
#[actix_web::test]
async fn a_bucket_that_is_available_again_needs_no_restart() {
    let mut server = BucketServer::start();
    let files = in_bucket(&server);
    files.put("notes/one", Bytes::from_static(b"x"), "text/plain").await.unwrap();
    server.stop();
    let put = files.put("notes/two", Bytes::from_static(b"y"), "text/plain").await.unwrap_err();
    assert!(put.to_string().starts_with("cannot write notes/two: "), "{put}");
    assert!(matches!(put.problem, FileProblem::Failed(_)), "{put:?}");
    assert!(matches!(files.info("notes/one").await.unwrap_err().problem, FileProblem::Failed(_)));
    assert!(matches!(files.delete("notes/one").await.unwrap_err().problem, FileProblem::Failed(_)));
    server.start_again();
    assert_eq!(files.get("notes/one").await.unwrap(), "x");
    files.put("notes/two", Bytes::from_static(b"y"), "text/plain").await.unwrap();
    assert_eq!(server.names(), ["notes/one", "notes/two"]);
}

#[actix_web::test]
async fn an_unresponsive_bucket_is_not_waited_for() {
    let server = BucketServer::start();
    let timeouts = Timeouts { file: Duration::from_millis(300), ..Timeouts::default() };
    let files = Files::open(&server.settings(), RetryPolicy::Few, timeouts).unwrap();
    server.freeze();
    let error = files.put("notes/one", Bytes::from_static(b"x"), "text/plain").await.unwrap_err();
    assert_eq!(error.problem, FileProblem::TooSlow(timeouts.file));
    server.thaw();
    let files = in_bucket(&server);
    files.put("notes/two", Bytes::from_static(b"y"), "text/plain").await.unwrap();
    assert_eq!(files.get("notes/two").await.unwrap(), "y");
}

#[actix_web::test]
async fn an_interrupted_upload_leaves_nothing_under_its_name() {
    let mut server = BucketServer::start();
    let files = in_bucket(&server);
    let mut upload = files.upload("backups/cut", "application/octet-stream");
    upload.write(large().into()).await.unwrap();
    server.stop();
    let error = upload.finish().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot write backups/cut: "), "{error}");
    server.start_again();
    assert!(files.info("backups/cut").await.unwrap().is_none());
    assert!(files.list("backups", "").try_next().await.unwrap().is_none());
}

/// A full disk is reported in the same way.
#[actix_web::test]
async fn a_folder_that_cannot_be_written_is_reported() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let files = in_folder(&file.path().join("in/it"));
    let error = files.put("notes/one", Bytes::from_static(b"x"), "text/plain").await.unwrap_err();
    assert!(error.to_string().starts_with("cannot write notes/one: "), "{error}");
    assert!(matches!(error.problem, FileProblem::Failed(_)), "{error:?}");
}

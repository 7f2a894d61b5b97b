//! Paths as they stand in a variable: no shell has looked at them.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A path that means what it looks like.
///
/// # Errors
/// What is wrong and how to write it; never the path, in whose place somebody may have pasted a secret.
pub(super) fn usable(path: &str) -> Result<PathBuf, &'static str> {
    if path.chars().any(char::is_control) {
        return Err("has a line break or another control character in the path; write it again");
    }
    // A folder of that name would be made in the working directory.
    if path.starts_with('~') || path.split('/').any(|part| part.starts_with('$')) {
        return Err("has a ~ or a $ in the path, which nothing is put in place of; write the whole path");
    }
    Ok(PathBuf::from(path))
}

/// The same of a file.
///
/// # Errors
/// As of [`usable`], and where it is a folder.
pub(super) fn usable_file(path: &str) -> Result<PathBuf, &'static str> {
    let file = usable(path)?;
    if path.ends_with('/') || path.ends_with("/.") || file.file_name().is_none() || file.is_dir() {
        return Err("names a folder; write the path of a file");
    }
    Ok(file)
}

/// The same of a folder.
///
/// # Errors
/// As of [`usable`], and where something else stands there.
pub(super) fn usable_folder(path: &str) -> Result<PathBuf, &'static str> {
    let folder = usable(path)?;
    if folder.exists() && !folder.is_dir() {
        return Err("names a file; write the path of a folder");
    }
    Ok(folder)
}

/// Whether two paths in the working directory are one, however each is written.
pub(super) fn same(one: &Path, other: &str) -> bool {
    // Components leave out `./` and doubled slashes.
    one.strip_prefix(".").unwrap_or(one).components().eq(Path::new(other).components())
}

/// The folder that a file is in; of a bare name it is the working directory.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder that is missing, and those above it, for this user alone: what is kept there is nobody else's business on this
/// machine. One that is there keeps its rights.
pub fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

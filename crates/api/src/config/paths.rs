//! Paths in variables, which no shell has expanded.

use std::path::{Path, PathBuf};

/// A path without parts that a shell would have expanded.
///
/// # Errors
/// What is wrong and how to write it. The message does not repeat the path, which may be a secret pasted by mistake.
pub(super) fn usable(path: &str) -> Result<PathBuf, &'static str> {
    if path.chars().any(char::is_control) {
        return Err("has a line break or another control character in the path; write it again");
    }
    // A folder of that name would be made in the working directory.
    if path.starts_with('~') || path.split('/').any(|part| part.starts_with('$')) {
        return Err("has a ~ or a $ in the path, which is not expanded; write the whole path");
    }
    Ok(PathBuf::from(path))
}

/// The path of a file.
///
/// # Errors
/// As for [`usable`], and if it is a folder, or in one that [`is_dangling`].
pub(super) fn usable_file(path: &str) -> Result<PathBuf, &'static str> {
    let file = usable(path)?;
    if path.ends_with('/') || path.ends_with("/.") || file.file_name().is_none() || file.is_dir() {
        return Err("names a folder; write the path of a file");
    }
    if is_dangling(folder_of(&file)) {
        return Err(DANGLING);
    }
    Ok(file)
}

/// How many links of one path Linux follows.
const MAX_LINKS: usize = 40;

/// What is wrong with a path for which [`is_dangling`] holds.
pub(super) const DANGLING: &str =
    "leads through a symbolic link to nothing; restore what the link leads to, or remove the link";

/// Whether the path leads through a symbolic link to nothing. It does not count as missing: someone has put the link there, and
/// what it leads to is lost or not mounted yet.
pub(super) fn is_dangling(path: &Path) -> bool {
    path.ancestors().find(|part| part.symlink_metadata().is_ok()).is_some_and(|part| !part.exists())
}

/// The file that symbolic links lead to, also where it does not exist yet. What is kept next to a file is next to this one. Links to
/// the folders above it stay: they lead there in any case.
///
/// # Errors
/// What is wrong with them.
pub(super) fn behind_links(path: PathBuf) -> Result<PathBuf, &'static str> {
    let mut file = path;
    for _ in 0..=MAX_LINKS {
        let Ok(target) = std::fs::read_link(&file) else {
            // What opens the file takes its path as text.
            return if file.to_str().is_some() { Ok(file) } else { Err("is a link to a path that is not UTF-8") };
        };
        file = folder_of(&file).join(target);
        if !folder_of(&file).exists() {
            return Err(DANGLING);
        }
    }
    Err("is a symbolic link that leads to no file; write the path of the file")
}

/// The path of a folder.
///
/// # Errors
/// As for [`usable`], and if it exists and is not a folder, or [`is_dangling`].
pub(super) fn usable_folder(path: &str) -> Result<PathBuf, &'static str> {
    let folder = usable(path)?;
    if is_dangling(&folder) {
        return Err(DANGLING);
    }
    if folder.exists() && !folder.is_dir() {
        return Err("names a file; write the path of a folder");
    }
    Ok(folder)
}

/// Whether two relative paths name the same file, however each is written.
pub(super) fn same(one: &Path, other: &str) -> bool {
    // Components leave out `./` and doubled slashes.
    one.strip_prefix(".").unwrap_or(one).components().eq(Path::new(other).components())
}

/// The folder that contains a file; the working directory for a bare name.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

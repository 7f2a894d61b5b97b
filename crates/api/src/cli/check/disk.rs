//! Checks for ephemeral disks: a container's own file system, and memory that looks like a disk.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::config::shown_path;
use crate::config::{DatabaseUrl, StorageSettings};
use std::path::{Path, PathBuf};

/// The list of mounts on Linux; other systems have no such file, and nothing is found there.
const MOUNTS: &str = "/proc/self/mounts";

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mounts = std::fs::read_to_string(MOUNTS).unwrap_or_default();
    let ephemeral_reason = |path: &Path| ephemeral_reason(&mounts, &resolved(path), facts.settings.server.on_render);
    let mut findings = Vec::new();
    if let DatabaseUrl::Sqlite(file) = &facts.settings.database.url
        && let Some(why) = ephemeral_reason(file).filter(|_| !facts.database_is_refused())
    {
        let message = format!("{} is {why}", shown_path(file));
        findings.push(rules::DATABASE_EPHEMERAL.found(message).about("DATABASE_URL"));
    }
    if let StorageSettings::Folder(folder) = &facts.settings.storage
        && let Some(why) = ephemeral_reason(folder).filter(|_| !facts.storage_is_refused())
    {
        let message = format!("{} is {why}", shown_path(folder));
        findings.push(rules::STORAGE_EPHEMERAL.found(&message).about("AWS_STORAGE_BUCKET_NAME"));
        findings.push(rules::BACKUP_EPHEMERAL.found(message).about("AWS_STORAGE_BUCKET_NAME"));
    }
    findings
}

/// Why files under `path` do not outlive a deployment; `None` if they do, as far as is known.
fn ephemeral_reason(mounts: &str, path: &Path, on_render: bool) -> Option<&'static str> {
    let fields = |line: &str| {
        let mut fields = line.split(' ').skip(1);
        // The kernel writes a blank as \040.
        Some((fields.next()?.replace("\\040", " "), fields.next()?.to_owned()))
    };
    let (point, kind) = mounts
        .lines()
        .filter_map(fields)
        .filter(|(point, _)| path.starts_with(point))
        .max_by_key(|(point, _)| point.len())?;
    match (point.as_str(), kind.as_str()) {
        (_, "tmpfs" | "ramfs") => Some("in memory, not on a disk"),
        ("/", "overlay") => Some("inside the container, which is not kept"),
        ("/", _) if on_render => Some("not on a Render disk: the service has none, or it is mounted elsewhere"),
        _ => None,
    }
}

/// The absolute path, with existing links resolved.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = existing_part(&path);
    let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
    existing.canonicalize().map_or_else(|_| path.clone(), |real| real.join(rest))
}

/// The longest part of the path that exists.
pub(super) fn existing_part(path: &Path) -> &Path {
    path.ancestors().find(|part| part.exists()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str =
        "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n/dev/vdb /var/my\\040data ext4 rw 0 0\n";
    const CONTAINER: &str = "overlay / overlay rw 0 0\n/dev/vdb /var/data ext4 rw 0 0\nramfs /run/keys ramfs rw 0 0\n";

    fn is_ephemeral(mounts: &str, path: &str, on_render: bool) -> bool {
        ephemeral_reason(mounts, Path::new(path), on_render).is_some()
    }

    #[test]
    fn a_mounted_disk_is_kept_and_the_rest_of_a_container_is_not() {
        assert!(is_ephemeral(CONTAINER, "/app/data/latchkey.sqlite3", false));
        assert!(!is_ephemeral(CONTAINER, "/var/data/latchkey.sqlite3", false));
        assert!(is_ephemeral(CONTAINER, "/var/database", false), "a name with the same beginning is another folder");
        assert!(is_ephemeral(CONTAINER, "/run/keys/x", false));
    }

    #[test]
    fn a_root_disk_is_kept_except_on_render() {
        assert!(!is_ephemeral(MACHINE, "/srv/latchkey/data", false));
        assert!(is_ephemeral(MACHINE, "/srv/latchkey/data", true));
        assert!(!is_ephemeral(MACHINE, "/var/my data/latchkey.sqlite3", true));
        assert!(is_ephemeral(MACHINE, "/dev/shm/latchkey.sqlite3", false));
    }

    #[test]
    fn without_a_list_of_mounts_nothing_is_found() {
        assert!(!is_ephemeral("", "/srv/latchkey/data", true));
        assert!(!is_ephemeral("nonsense\n", "/srv", true));
    }
}

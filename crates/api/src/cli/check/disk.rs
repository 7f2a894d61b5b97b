//! Disks that vanish: a container's own, and memory that looks like one.

use super::facts::Facts;
use super::finding::Finding;
use super::rules;
use crate::config::shown_path;
use crate::config::{DatabaseUrl, StorageSettings};
use std::path::{Path, PathBuf};

/// What Linux has mounted, and where; other systems have no such file, and nothing is found there.
const MOUNTS: &str = "/proc/self/mounts";

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mounts = std::fs::read_to_string(MOUNTS).unwrap_or_default();
    let vanishes = |path: &Path| vanishes(&mounts, &resolved(path), facts.settings.server.on_render);
    let mut findings = Vec::new();
    if let DatabaseUrl::Sqlite(file) = &facts.settings.database.url
        && let Some(why) = vanishes(file).filter(|_| !facts.database_is_refused())
    {
        let message = format!("{} is {why}", shown_path(file));
        findings.push(rules::DATABASE_EPHEMERAL.found(message).about("DATABASE_URL"));
    }
    if let StorageSettings::Folder(folder) = &facts.settings.storage
        && let Some(why) = vanishes(folder).filter(|_| !facts.storage_is_refused())
    {
        let message = format!("{} is {why}", shown_path(folder));
        findings.push(rules::STORAGE_EPHEMERAL.found(&message).about("AWS_STORAGE_BUCKET_NAME"));
        findings.push(rules::BACKUP_EPHEMERAL.found(message).about("AWS_STORAGE_BUCKET_NAME"));
    }
    findings
}

/// Why what is under `path` does not outlive a deployment; `None` when it does, as far as anyone can tell.
fn vanishes(mounts: &str, path: &Path, on_render: bool) -> Option<&'static str> {
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
        ("/", "overlay") => Some("inside the container, which is thrown away"),
        ("/", _) if on_render => Some("not on a disk of Render's: the service has none, or it is mounted elsewhere"),
        _ => None,
    }
}

/// The path from the root, through the links that exist.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = existing_part(&path);
    let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
    existing.canonicalize().map_or_else(|_| path.clone(), |real| real.join(rest))
}

/// The path itself, or what of it is there.
pub(super) fn existing_part(path: &Path) -> &Path {
    path.ancestors().find(|part| part.exists()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str =
        "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n/dev/vdb /var/my\\040data ext4 rw 0 0\n";
    const CONTAINER: &str = "overlay / overlay rw 0 0\n/dev/vdb /var/data ext4 rw 0 0\nramfs /run/keys ramfs rw 0 0\n";

    fn judged(mounts: &str, path: &str, on_render: bool) -> bool {
        vanishes(mounts, Path::new(path), on_render).is_some()
    }

    #[test]
    fn a_disk_of_its_own_stays_and_the_rest_of_a_container_does_not() {
        assert!(judged(CONTAINER, "/app/data/latchkey.sqlite3", false));
        assert!(!judged(CONTAINER, "/var/data/latchkey.sqlite3", false));
        assert!(judged(CONTAINER, "/var/database", false), "a name that begins alike is another folder");
        assert!(judged(CONTAINER, "/run/keys/x", false));
    }

    #[test]
    fn a_machine_keeps_what_render_throws_away() {
        assert!(!judged(MACHINE, "/srv/latchkey/data", false));
        assert!(judged(MACHINE, "/srv/latchkey/data", true));
        assert!(!judged(MACHINE, "/var/my data/latchkey.sqlite3", true));
        assert!(judged(MACHINE, "/dev/shm/latchkey.sqlite3", false));
    }

    #[test]
    fn where_nothing_is_known_nothing_is_said() {
        assert!(!judged("", "/srv/latchkey/data", true));
        assert!(!judged("nonsense\n", "/srv", true));
    }
}

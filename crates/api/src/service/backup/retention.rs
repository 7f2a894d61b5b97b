//! Which backups are deleted when a new one has been made.

use super::names::BackupName;
use crate::config::Keep;
use chrono::{DateTime, Datelike, Utc};
use std::collections::BTreeSet;

/// The backups that no rule keeps, oldest first. The newest one is always kept. Only periods with a backup count, so the old ones
/// stay if no new ones are made.
pub fn outdated(names: &[BackupName], keep: Keep) -> Vec<BackupName> {
    let mut newest_first = names.to_vec();
    newest_first.sort_unstable_by(|a, b| b.cmp(a));
    let mut kept: BTreeSet<_> = newest_first.first().copied().into_iter().collect();
    kept.extend(newest_of_each(&newest_first, keep.days, |at| at.date_naive()));
    kept.extend(newest_of_each(&newest_first, keep.weeks, |at| at.iso_week()));
    kept.extend(newest_of_each(&newest_first, keep.months, |at| (at.year(), at.month())));
    newest_first.into_iter().rev().filter(|name| !kept.contains(name)).collect()
}

/// The newest backup of each of the newest `count` periods.
fn newest_of_each<P: PartialEq>(
    newest_first: &[BackupName],
    count: u16,
    period: impl Fn(DateTime<Utc>) -> P,
) -> impl Iterator<Item = BackupName> {
    let mut last = None;
    let firsts = newest_first.iter().filter(move |name| {
        let this = Some(period(name.made_at));
        let new = this != last;
        last = this;
        new
    });
    firsts.copied().take(usize::from(count))
}

//! Which backups are kept: the newest of each of the last days, weeks and months that have a backup.

use api::config::Keep;
use api::service::backup::{BackupName, outdated};
use chrono::{DateTime, Datelike, Duration, Utc};
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEEP: Keep = Keep { days: 7, weeks: 4, months: 12 };

fn name(made_at: DateTime<Utc>) -> BackupName {
    BackupName { made_at, database: None, encrypted: false }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Removes outdated backups.
fn tidy(names: &mut Vec<BackupName>, keep: Keep) {
    let outdated = outdated(names, keep);
    names.retain(|name| !outdated.contains(name));
}

fn days(names: &[BackupName]) -> Vec<String> {
    names.iter().map(|name| name.made_at.date_naive().to_string()).collect()
}

#[test]
fn two_years_of_nightly_backups_leave_a_week_a_month_and_a_year() {
    let first = at("2024-12-01T03:00:00Z");
    let mut names = Vec::new();
    for day in 0..730 {
        names.push(name(first + Duration::days(day)));
        tidy(&mut names, KEEP);
        assert!(names.len() <= 7 + 4 + 12);
    }
    // The last backup is of Monday, 30 November 2026, and counts for that day, week and month.
    let months = ["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"];
    let later_months = ["2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31"];
    let weeks = ["2026-11-15", "2026-11-22"];
    let week = ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"];
    assert_eq!(days(&names), [&months[..], &later_months, &weeks, &week].concat());
}

#[test]
fn the_last_of_several_backups_in_one_day_is_kept() {
    let mut names: Vec<_> =
        (0..48).map(|half| name(at("2026-11-30T00:00:00Z") + Duration::minutes(30 * half))).collect();
    tidy(&mut names, KEEP);
    assert_eq!(names, [name(at("2026-11-30T23:30:00Z"))]);
}

#[test]
fn old_backups_are_kept_when_no_new_ones_are_made() {
    let old: Vec<_> = (0..7).map(|day| name(at("2020-05-04T03:00:00Z") + Duration::days(day))).collect();
    let mut names = old.clone();
    tidy(&mut names, KEEP);
    assert_eq!(names, old);
}

#[test]
fn an_encrypted_backup_counts_like_any_other() {
    let plain = name(at("2026-11-30T03:00:00Z"));
    let encrypted = BackupName { encrypted: true, ..name(at("2026-11-30T04:00:00Z")) };
    assert_eq!(outdated(&[encrypted, plain], KEEP), [plain]);
}

/// Follows the definition instead of the implementation's steps: the newest of each period, then the newest of those.
fn kept_by_definition(names: &[BackupName], keep: Keep) -> Vec<BackupName> {
    let mut kept: Vec<_> = names.iter().copied().max().into_iter().collect();
    let week = |at: DateTime<Utc>| (at.iso_week().year(), at.iso_week().week());
    let month = |at: DateTime<Utc>| (at.year(), at.month());
    kept.extend(newest(names, keep.days, |at| (at.year(), at.ordinal())));
    kept.extend(newest(names, keep.weeks, week));
    kept.extend(newest(names, keep.months, month));
    kept.sort_unstable();
    kept.dedup();
    kept
}

fn newest(names: &[BackupName], count: u16, period: impl Fn(DateTime<Utc>) -> (i32, u32)) -> Vec<BackupName> {
    let mut of_each = BTreeMap::new();
    for name in names {
        let newest = of_each.entry(period(name.made_at)).or_insert(*name);
        *newest = (*newest).max(*name);
    }
    of_each.into_values().rev().take(count.into()).collect()
}

proptest! {
    #[test]
    fn the_kept_backups_match_the_definition_of_the_rule(
        hours in prop::collection::btree_set(0_i64..2 * 365 * 24, 1..200),
        (days, weeks, months) in (0_u16..10, 0_u16..10, 0_u16..15),
        seed in any::<u64>(),
    ) {
        let keep = Keep { days, weeks, months };
        let mut names: Vec<_> =
            hours.iter().map(|hour| name(at("2024-12-30T00:30:00Z") + Duration::hours(*hour))).collect();
        // Shuffles the names.
        names.sort_by_key(|name| name.made_at.timestamp().cast_unsigned().wrapping_mul(seed | 1));
        let expected = kept_by_definition(&names, keep);
        tidy(&mut names, keep);
        names.sort_unstable();
        prop_assert_eq!(&names, &expected);
        // A kept backup stays kept until a new one is made.
        prop_assert_eq!(outdated(&names, keep), Vec::new());
    }
}

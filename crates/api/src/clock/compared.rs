//! The process's clock compared with the database's: the only module that knows how far it is off.
//!
//! Which of the two is right cannot be determined. So a process whose clock differs by more than the tolerance does nothing
//! irreversible by it: no refusal that depends on the time is final, nothing is deleted or abandoned, no link is mailed.
//!
//! Between two comparisons stopwatches carry the database's time on, so that a clock jump is noticed at once, even while the
//! database does not respond. On SQLite the database's clock is this machine's, which every process reads for itself: a jump
//! is noticed only until the next comparison, a few seconds later. A clock that has been wrong since the start, or stays
//! wrong, cannot be noticed there.

use super::reading::{Clock, SharedClock, SystemClock};
use super::stopwatch::Stopwatch;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How far this process's clock and the database's may differ, seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// How far ahead of this process's clock a time that another process wrote may be. A later one comes from a wrong clock. It is
/// more than [`CLOCK_TOLERANCE_SECONDS`], because another process writes by its clock until it has noticed that this is wrong.
pub const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// This process's clock differs from the database's by this many seconds, more than the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("differs from the database's by {0} s")]
pub struct WrongClock(pub i64);

/// A time that other processes compare with their own: when a session was revoked, when a step was done. It is read from this
/// process's clock while that is right, otherwise from the database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedTime(DateTime<Utc>);

impl SharedTime {
    /// A time that is shared already, such as a stored one.
    pub const fn of(at: DateTime<Utc>) -> Self {
        Self(at)
    }

    pub const fn get(self) -> DateTime<Utc> {
        self.0
    }
}

/// A time that this process's clock showed while it was right. What opens a session, issues its tokens or takes a mailed link
/// requires one, so that a jump of the clock during a request cannot date them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedTime(DateTime<Utc>);

impl CheckedTime {
    pub const fn get(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<CheckedTime> for SharedTime {
    fn from(checked: CheckedTime) -> Self {
        Self(checked.0)
    }
}

/// One reading of the clock, which decides what has expired.
#[derive(Debug, Clone, Copy)]
pub struct ExpiryReading {
    /// This process's time.
    pub now: DateTime<Utc>,
    /// The later of the two clocks' times if this process's is behind: what has expired by either clock has expired.
    pub latest: DateTime<Utc>,
    checked: Result<(), WrongClock>,
}

impl ExpiryReading {
    /// Returns the refusal of what has expired by this reading, if the clock was right: a client that receives it discards its
    /// session. A second reading could be right when this one was not.
    pub fn unless_wrong<E: From<WrongClock>>(&self, refusal: E) -> E {
        self.checked.map_or_else(E::from, |()| refusal)
    }
}

/// A clock, and the last reading of the database's clock; clones share it.
#[derive(Debug, Clone)]
pub struct ComparedClock {
    process: SharedClock,
    database: Arc<RwLock<Option<DatabaseTime>>>,
    /// The last result of [`ComparedClock::turned`].
    was_wrong: Arc<AtomicBool>,
}

/// Whose clock a database reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseClock {
    /// The clock of its server's machine.
    Server,
    /// This machine's clock: the database has no server.
    ThisMachine,
}

/// A reading of the database's clock, taken between two known moments.
#[derive(Debug, Clone, Copy)]
struct DatabaseTime {
    clock: DatabaseClock,
    shown: DateTime<Utc>,
    since_asked: Stopwatch,
    since_shown: Stopwatch,
}

impl DatabaseTime {
    /// The earliest time that it may show now.
    fn earliest(&self) -> DateTime<Utc> {
        self.shown + self.since_shown.elapsed()
    }

    /// The latest time that it may show now: a slow response makes the reading less exact.
    fn latest(&self) -> DateTime<Utc> {
        self.shown + self.since_asked.elapsed()
    }

    /// The time that other processes assume it shows now. A server cannot be queried each time. This machine's clock is read
    /// again, because after a jump it is the same for all processes.
    fn now(&self) -> DateTime<Utc> {
        match self.clock {
            DatabaseClock::Server => self.earliest(),
            DatabaseClock::ThisMachine => SystemClock.now(),
        }
    }
}

impl ComparedClock {
    pub fn new(process: SharedClock) -> Self {
        Self { process, database: Arc::default(), was_wrong: Arc::default() }
    }

    /// Now, by this process's clock, whether it is right or not.
    pub fn now(&self) -> DateTime<Utc> {
        self.process.now()
    }

    /// Reads the clock, to decide what has expired.
    pub fn expiry_reading(&self) -> ExpiryReading {
        let (now, skew) = self.now_and_skew();
        let is_behind = skew < TimeDelta::seconds(-CLOCK_TOLERANCE_SECONDS);
        ExpiryReading { now, latest: if is_behind { now - skew } else { now }, checked: check_skew(skew) }
    }

    /// Reads the database's clock by `ask`, after reporting what [`turned`](Self::turned).
    ///
    /// # Errors
    /// Those of `ask`; then the previous reading stays.
    pub fn compare<E>(
        &self,
        ask: impl FnOnce() -> Result<(DatabaseClock, DateTime<Utc>), E>,
        report: impl FnOnce(Result<(), WrongClock>),
    ) -> Result<(), E> {
        let since_asked = Stopwatch::start();
        let (clock, shown) = ask()?;
        // On one machine both clocks jump together, and agree again once the new reading is stored. Whether the jump came
        // before the query or during it, it can be detected here for the last time.
        if let Some(turned) = self.turned() {
            report(turned);
        }
        *self.database.write() = Some(DatabaseTime { clock, shown, since_asked, since_shown: Stopwatch::start() });
        Ok(())
    }

    /// How far this process's clock is ahead of the database's, at least; zero before the first comparison.
    pub fn skew(&self) -> TimeDelta {
        self.now_and_skew().1
    }

    /// Now by this process's clock, and how far that is ahead.
    fn now_and_skew(&self) -> (DateTime<Utc>, TimeDelta) {
        let Some(database) = *self.database.read() else { return (self.now(), TimeDelta::zero()) };
        let earliest = database.earliest();
        let now = self.now();
        let latest = database.latest();
        (now, now - now.clamp(earliest, latest.max(earliest)))
    }

    /// The database's time, or this process's before the first comparison: for what two processes compare to the second. A
    /// server's time does not go back when this process's clock does.
    pub fn database_now(&self) -> DateTime<Utc> {
        self.database.read().as_ref().map_or_else(|| self.now(), DatabaseTime::now)
    }

    /// How much two processes may differ about [`database_now`](Self::database_now): the time that the query may take.
    pub fn uncertainty(&self) -> TimeDelta {
        if self.database.read().is_some() { TimeDelta::seconds(1) } else { TimeDelta::zero() }
    }

    /// Whether this process's clock agrees with the database's.
    pub fn check(&self) -> Result<(), WrongClock> {
        self.checked_now().map(drop)
    }

    /// Now by this process's clock, if it agrees with the database's. Both are one reading: a clock that jumps between a check
    /// and a second reading would get past the check.
    pub fn checked_now(&self) -> Result<CheckedTime, WrongClock> {
        let (now, skew) = self.now_and_skew();
        check_skew(skew).map(|()| CheckedTime(now))
    }

    /// The result of [`check`](Self::check) when it has changed since the last call.
    pub fn turned(&self) -> Option<Result<(), WrongClock>> {
        let found = self.check();
        (self.was_wrong.swap(found.is_err(), Ordering::Relaxed) != found.is_err()).then_some(found)
    }

    /// Returns a refusal that depends on the time only while the clock is right: a client that receives it discards its session
    /// or link.
    pub fn unless_wrong<E: From<WrongClock>>(&self, refusal: E) -> E {
        self.check().map_or_else(E::from, |()| refusal)
    }

    /// The current time, for other processes.
    pub fn shared_now(&self) -> SharedTime {
        let database = *self.database.read();
        match (self.checked_now(), database) {
            (Ok(now), _) => now.into(),
            (Err(_), Some(database)) => SharedTime(database.now().trunc_subsecs(6)),
            (Err(_), None) => SharedTime(self.now()),
        }
    }
}

fn check_skew(skew: TimeDelta) -> Result<(), WrongClock> {
    let is_right = skew.abs() <= TimeDelta::seconds(CLOCK_TOLERANCE_SECONDS);
    if is_right { Ok(()) } else { Err(WrongClock(skew.abs().num_seconds())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[derive(Debug)]
    struct Shifted(RwLock<TimeDelta>);

    impl Clock for Shifted {
        fn now(&self) -> DateTime<Utc> {
            SystemClock.now() + *self.0.read()
        }
    }

    fn compared(ahead: TimeDelta) -> (Arc<Shifted>, ComparedClock) {
        let own = Arc::new(Shifted(RwLock::new(ahead)));
        (own.clone(), ComparedClock::new(own))
    }

    /// Compares with a database whose clock is ahead by `ahead`.
    fn compare_with(clock: &ComparedClock, of: DatabaseClock, ahead: TimeDelta) {
        assert_eq!(clock.compare(|| Ok::<_, Infallible>((of, SystemClock.now() + ahead)), |_| {}), Ok(()));
    }

    fn is_at(time: DateTime<Utc>, expected: DateTime<Utc>) -> bool {
        (time - expected).abs() < TimeDelta::minutes(10) // as slow as a machine may be
    }

    #[test]
    fn a_clock_counts_as_right_until_the_first_comparison() {
        let (_, clock) = compared(TimeDelta::days(8));
        assert_eq!((clock.check(), clock.skew()), (Ok(()), TimeDelta::zero()));
        assert!(is_at(clock.shared_now().get(), SystemClock.now() + TimeDelta::days(8)));
    }

    #[test]
    fn shared_times_use_the_databases_clock_while_the_process_clock_is_wrong() {
        for ahead in [TimeDelta::days(8), TimeDelta::days(-8), TimeDelta::hours(1)] {
            let (_, clock) = compared(ahead);
            compare_with(&clock, DatabaseClock::Server, TimeDelta::zero());
            assert!(clock.check().is_err() && is_at(SystemClock.now() + clock.skew(), SystemClock.now() + ahead));
            assert!(is_at(clock.shared_now().get(), SystemClock.now()));
            assert!(is_at(clock.now(), SystemClock.now() + ahead), "everything else uses the process clock");
        }
    }

    #[test]
    fn a_jump_is_noticed_before_the_next_comparison_and_so_is_its_end() {
        let (own, clock) = compared(TimeDelta::zero());
        compare_with(&clock, DatabaseClock::Server, TimeDelta::zero());
        *own.0.write() = TimeDelta::days(400);
        assert!(clock.check().is_err());
        assert_eq!(clock.compare(|| Err("no response"), |_| {}), Err("no response"));
        assert!(clock.check().is_err());
        *own.0.write() = TimeDelta::zero();
        assert_eq!(clock.check(), Ok(()));
    }

    /// The clock that both read jumps while the database is queried: once before the database reads it, once after.
    #[test]
    fn a_jump_during_a_comparison_is_reported() {
        for (seen_by_the_database, is_right_afterwards) in [(true, Some(true)), (false, None)] {
            let (own, clock) = compared(TimeDelta::zero());
            compare_with(&clock, DatabaseClock::ThisMachine, TimeDelta::zero());
            let jump = || {
                *own.0.write() = TimeDelta::hours(1);
                let ahead = if seen_by_the_database { TimeDelta::hours(1) } else { TimeDelta::zero() };
                Ok::<_, Infallible>((DatabaseClock::ThisMachine, SystemClock.now() + ahead))
            };
            let mut reported = None;
            assert_eq!(clock.compare(jump, |turned| reported = Some(turned)), Ok(()));
            assert_eq!(reported.map(|turned: Result<(), _>| turned.is_ok()), Some(false));
            assert_eq!(clock.turned().map(|turned| turned.is_ok()), is_right_afterwards);
        }
    }

    /// The machine's clock jumped, was compared, and has jumped back since.
    #[test]
    fn shared_times_on_one_machine_use_its_current_clock() {
        for jump in [TimeDelta::hours(1), TimeDelta::hours(-1)] {
            let (_, clock) = compared(TimeDelta::zero());
            compare_with(&clock, DatabaseClock::ThisMachine, jump);
            assert!(clock.check().is_err(), "no refusal is final yet");
            assert!(
                is_at(clock.shared_now().get(), SystemClock.now()) && is_at(clock.database_now(), SystemClock.now())
            );
        }
    }

    /// The database read its clock at some moment between the query and the response.
    #[test]
    fn a_slow_response_does_not_make_a_clock_wrong() {
        let (_, clock) = compared(TimeDelta::zero());
        let database = |shown| DatabaseTime {
            clock: DatabaseClock::Server,
            shown,
            since_asked: Stopwatch::started_ago(std::time::Duration::from_mins(1)),
            since_shown: Stopwatch::start(),
        };
        *clock.database.write() = Some(database(SystemClock.now() - TimeDelta::seconds(30)));
        assert_eq!((clock.check(), clock.skew()), (Ok(()), TimeDelta::zero()));
        *clock.database.write() = Some(database(SystemClock.now() - TimeDelta::minutes(20)));
        assert!(clock.check().is_err());
    }
}

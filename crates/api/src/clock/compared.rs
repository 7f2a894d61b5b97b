//! The process's clock next to the database's: the one place that knows how far it is off.
//!
//! Nobody can tell which of the two is right. So a process whose clock differs by more than the tolerance does nothing that cannot be
//! undone by it: no refusal that rests on the time is final, nothing is deleted or given up, no link is mailed.
//!
//! Between two comparisons the database's time is carried on by stopwatches, so that a clock that jumps is noticed at once, also
//! while the database does not respond. On SQLite the database's clock is this machine's, which every process reads for itself: a
//! jump is noticed until the next comparison, a few seconds later; a clock that has been wrong since the start, or stays wrong,
//! cannot be noticed there.

use super::reading::{Clock, SharedClock, SystemClock};
use super::stopwatch::Stopwatch;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How far this process's clock and the database's may differ, seconds.
pub const CLOCK_TOLERANCE_SECONDS: i64 = 5;

/// This process's clock differs from the database's by so many seconds, which is more than they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("differs from the database's by {0} s")]
pub struct WrongClock(pub i64);

/// A time that other processes compare with theirs: when a session was revoked, when a step was done. By this process's clock
/// while that is right, else by the database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedTime(pub DateTime<Utc>);

/// A clock, and what the database's has shown next to it; clones share that.
#[derive(Debug, Clone)]
pub struct ComparedClock {
    own: SharedClock,
    database: Arc<RwLock<Option<DatabaseTime>>>,
    /// As it was found last.
    was_wrong: Arc<AtomicBool>,
}

/// Whose clock a database shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseClock {
    /// That of the machine its server runs on.
    Server,
    /// This machine's: it has no server.
    ThisMachine,
}

/// What the database's clock has shown, at a moment between two that are known.
#[derive(Debug, Clone, Copy)]
struct DatabaseTime {
    clock: DatabaseClock,
    shown: DateTime<Utc>,
    since_asked: Stopwatch,
    since_shown: Stopwatch,
}

impl DatabaseTime {
    /// What it shows now at least.
    fn earliest(&self) -> DateTime<Utc> {
        self.shown + self.since_shown.elapsed()
    }

    /// What it shows now at most: a response that took long says less.
    fn latest(&self) -> DateTime<Utc> {
        self.shown + self.since_asked.elapsed()
    }

    /// What other processes take it to show now. A server cannot be asked each time; a clock of this machine that has jumped
    /// back since the last look is right for all of them.
    fn now(&self) -> DateTime<Utc> {
        match self.clock {
            DatabaseClock::Server => self.earliest(),
            DatabaseClock::ThisMachine => SystemClock.now(),
        }
    }
}

impl ComparedClock {
    pub fn new(own: SharedClock) -> Self {
        Self { own, database: Arc::default(), was_wrong: Arc::default() }
    }

    /// Now, by this process's clock, whether it is right or not.
    pub fn now(&self) -> DateTime<Utc> {
        self.own.now()
    }

    /// Notes what the database's clock shows, and reports what [`turned`](Self::turned) before that.
    ///
    /// # Errors
    /// Those of `ask`; what was known stays.
    pub fn compare<E>(
        &self,
        ask: impl FnOnce() -> Result<(DatabaseClock, DateTime<Utc>), E>,
        report: impl FnOnce(Result<(), WrongClock>),
    ) -> Result<(), E> {
        let since_asked = Stopwatch::start();
        let (clock, shown) = ask()?;
        // On one machine both clocks jump together, and agree again as soon as the jump is noted. Whether it came before the
        // question or during it, this is the last moment at which it can be seen.
        if let Some(turned) = self.turned() {
            report(turned);
        }
        *self.database.write() = Some(DatabaseTime { clock, shown, since_asked, since_shown: Stopwatch::start() });
        Ok(())
    }

    /// How far this process's clock is ahead of the database's, at least; zero before they were compared.
    pub fn skew(&self) -> TimeDelta {
        let Some(database) = *self.database.read() else { return TimeDelta::zero() };
        let (earliest, now, latest) = (database.earliest(), self.now(), database.latest());
        now - now.clamp(earliest, latest.max(earliest))
    }

    /// Now by the database's clock, as far as it is known, else by this process's: what two processes compare to the second. A
    /// server's does not go back when this process's clock does.
    pub fn database_now(&self) -> DateTime<Utc> {
        self.database.read().as_ref().map_or_else(|| self.now(), DatabaseTime::now)
    }

    /// How much two processes may differ about that: as long as a database takes to say its time.
    pub fn uncertainty(&self) -> TimeDelta {
        if self.database.read().is_some() { TimeDelta::seconds(1) } else { TimeDelta::zero() }
    }

    /// Whether this process's clock can be gone by.
    pub fn check(&self) -> Result<(), WrongClock> {
        let skew = self.skew().abs();
        let is_right = skew <= TimeDelta::seconds(CLOCK_TOLERANCE_SECONDS);
        if is_right { Ok(()) } else { Err(WrongClock(skew.num_seconds())) }
    }

    /// What [`check`](Self::check) finds, once each time when that changes.
    pub fn turned(&self) -> Option<Result<(), WrongClock>> {
        let found = self.check();
        (self.was_wrong.swap(found.is_err(), Ordering::Relaxed) != found.is_err()).then_some(found)
    }

    /// A refusal that rests on the time. It is final, and whoever gets it throws a session or a link away, so it stands by a right
    /// clock only.
    pub fn refuse<E: From<WrongClock>>(&self, refusal: E) -> E {
        self.check().map_or_else(E::from, |()| refusal)
    }

    /// Now, for other processes.
    pub fn shared_now(&self) -> SharedTime {
        let database = *self.database.read();
        SharedTime(match (self.check(), database) {
            (Err(_), Some(database)) => database.now().trunc_subsecs(6),
            _ => self.now(),
        })
    }
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

    /// The database shows the time of a machine that is so much ahead.
    fn look(clock: &ComparedClock, of: DatabaseClock, ahead: TimeDelta) {
        assert_eq!(clock.compare(|| Ok::<_, Infallible>((of, SystemClock.now() + ahead)), |_| {}), Ok(()));
    }

    fn is_at(time: DateTime<Utc>, expected: DateTime<Utc>) -> bool {
        (time - expected).abs() < TimeDelta::minutes(10) // as slow as a machine may be
    }

    #[test]
    fn a_clock_is_taken_for_right_until_it_was_compared() {
        let (_, clock) = compared(TimeDelta::days(8));
        assert_eq!((clock.check(), clock.skew()), (Ok(()), TimeDelta::zero()));
        assert!(is_at(clock.shared_now().0, SystemClock.now() + TimeDelta::days(8)));
    }

    #[test]
    fn what_is_shared_is_by_the_databases_clock_while_ours_is_wrong() {
        for ahead in [TimeDelta::days(8), TimeDelta::days(-8), TimeDelta::hours(1)] {
            let (_, clock) = compared(ahead);
            look(&clock, DatabaseClock::Server, TimeDelta::zero());
            assert!(clock.check().is_err() && is_at(SystemClock.now() + clock.skew(), SystemClock.now() + ahead));
            assert!(is_at(clock.shared_now().0, SystemClock.now()));
            assert!(is_at(clock.now(), SystemClock.now() + ahead), "all else is by its own");
        }
    }

    #[test]
    fn a_jump_is_noticed_before_the_next_comparison_and_so_is_its_end() {
        let (own, clock) = compared(TimeDelta::zero());
        look(&clock, DatabaseClock::Server, TimeDelta::zero());
        *own.0.write() = TimeDelta::days(400);
        assert!(clock.check().is_err());
        assert_eq!(clock.compare(|| Err("no response"), |_| {}), Err("no response"));
        assert!(clock.check().is_err());
        *own.0.write() = TimeDelta::zero();
        assert_eq!(clock.check(), Ok(()));
    }

    /// While the database is asked, the clock of the machine that both read jumps: once before it is read, once after.
    #[test]
    fn a_jump_during_a_comparison_is_reported() {
        for (seen_by_the_database, is_right_afterwards) in [(true, Some(true)), (false, None)] {
            let (own, clock) = compared(TimeDelta::zero());
            look(&clock, DatabaseClock::ThisMachine, TimeDelta::zero());
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

    /// The machine's clock has jumped and was looked at, and has jumped back since.
    #[test]
    fn what_is_shared_on_one_machine_is_what_its_clock_shows_at_the_moment() {
        for jump in [TimeDelta::hours(1), TimeDelta::hours(-1)] {
            let (_, clock) = compared(TimeDelta::zero());
            look(&clock, DatabaseClock::ThisMachine, jump);
            assert!(clock.check().is_err(), "no refusal is final yet");
            assert!(is_at(clock.shared_now().0, SystemClock.now()) && is_at(clock.database_now(), SystemClock.now()));
        }
    }

    /// The database has shown its clock at some moment between the question and the response.
    #[test]
    fn a_response_that_takes_long_says_nothing_against_a_clock() {
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

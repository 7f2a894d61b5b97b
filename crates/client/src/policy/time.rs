//! The server's time on a machine whose own clocks may be wrong.

/// Both clocks of this machine at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// The wall clock, since 1970. It runs while the machine sleeps; the user may set it to any value.
    pub wall_ms: i64,
    /// The monotonic clock, since some moment. It never jumps, but may stop while the machine sleeps.
    pub steady_ms: i64,
}

impl Now {
    /// Milliseconds since `earlier`, by the clock that has moved further.
    ///
    /// A wall clock that was set back is behind the monotonic clock, and a monotonic clock that slept is behind the wall
    /// clock. Only a wall clock that was set forward misleads; that refreshes a token early and is harmless.
    pub fn since(self, earlier: Self) -> i64 {
        let wall = self.wall_ms.saturating_sub(earlier.wall_ms);
        let steady = self.steady_ms.saturating_sub(earlier.steady_ms);
        wall.max(steady).max(0)
    }
}

/// The server's clock, measured by one response that contained `server_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerClock {
    measured_at: Now,
    server_ms: i64,
}

impl ServerClock {
    /// Measures the server's clock by a response. The server read it between `sent` and `received`; the midpoint is assumed.
    ///
    /// `server_time` is truncated to whole seconds: half a second more is the best estimate.
    pub fn measured(server_time: i64, sent: Now, received: Now) -> Self {
        let since_midpoint = received.since(sent) / 2;
        let server_ms = server_time.saturating_mul(1000).saturating_add(500).saturating_add(since_midpoint);
        Self { measured_at: received, server_ms }
    }

    /// Restores the clock from an offset that was measured before a reload or by another tab.
    pub fn from_offset(offset_ms: i64, now: Now) -> Self {
        Self { measured_at: now, server_ms: now.wall_ms.saturating_add(offset_ms) }
    }

    /// Server time minus this machine's wall clock, milliseconds: the form that is stored.
    pub fn offset_ms(self) -> i64 {
        self.server_ms.saturating_sub(self.measured_at.wall_ms)
    }

    /// The server's time, Unix milliseconds.
    pub fn at(self, now: Now) -> i64 {
        self.server_ms.saturating_add(now.since(self.measured_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(wall_ms: i64, steady_ms: i64) -> Now {
        Now { wall_ms, steady_ms }
    }

    #[test]
    fn a_clock_two_hours_off_still_gives_the_servers_time() {
        for error in [-2 * HOUR, 0, 2 * HOUR] {
            let received = at(1_000_000 + error, 0);
            let clock = ServerClock::measured(1_000, received, received);
            let later = at(received.wall_ms + 60_000, 60_000);
            assert_eq!(clock.at(later), 1_060_500);
        }
    }

    #[test]
    fn the_servers_clock_was_read_half_way_between_request_and_response() {
        let clock = ServerClock::measured(1_000, at(5_000, 0), at(9_000, 4_000));
        assert_eq!(clock.at(at(9_000, 4_000)), 1_002_500);
    }

    #[test]
    fn a_wall_clock_set_back_does_not_stop_time() {
        let clock = ServerClock::measured(1_000, at(0, 0), at(0, 0));
        assert_eq!(clock.at(at(-2 * HOUR, 5_000)), 1_005_500);
    }

    #[test]
    fn sleep_counts_although_the_monotonic_clock_stood_still() {
        let clock = ServerClock::measured(1_000, at(0, 0), at(0, 0));
        assert_eq!(clock.at(at(8 * HOUR, 10)), 1_000_500 + 8 * HOUR);
    }

    #[test]
    fn an_offset_outlives_a_reload() {
        let clock = ServerClock::measured(1_000, at(50_000, 7), at(50_000, 7));
        let reloaded = ServerClock::from_offset(clock.offset_ms(), at(60_000, 0));
        assert_eq!(reloaded.at(at(60_000, 0)), clock.at(at(60_000, 10_007)));
    }

    #[test]
    fn clocks_at_the_end_of_their_range_do_not_overflow() {
        let clock = ServerClock::measured(i64::MAX, at(i64::MIN, 0), at(i64::MAX, 0));
        assert_eq!(clock.at(at(i64::MAX, i64::MAX)), i64::MAX);
        assert_eq!(ServerClock::from_offset(i64::MAX, at(i64::MAX, 0)).at(at(i64::MIN, 0)), i64::MAX);
    }
}

//! What a request has taken of which budgets: `http` tells it in the `RateLimit` headers.

use super::budgets::Rule;
use parking_lot::Mutex;
use std::sync::Arc;

/// How one budget stands. Seconds are rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub rule: Rule,
    pub remaining: u32,
    /// Until a try comes back.
    pub reset_seconds: u32,
}

/// The readings of one request; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Reading>>>);

impl Meter {
    pub fn readings(&self) -> Vec<Reading> {
        self.0.lock().clone()
    }

    /// Notes the reading of a budget that is reported. How a name's stands is nobody's to see: two callers could compare,
    /// and find out whose network its account knows.
    pub(super) fn note(&self, reading: Reading) {
        if reading.rule.per.is_reported() {
            self.0.lock().push(reading);
        }
    }

    /// What was taken of `rule` was given back.
    pub(super) fn note_refund(&self, rule: Rule) {
        if let Some(reading) = self.0.lock().iter_mut().find(|reading| reading.rule == rule) {
            reading.remaining = (reading.remaining + 1).min(rule.amount);
        }
    }
}

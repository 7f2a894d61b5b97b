//! Export slots: one export at a time for an account, a few for a client and for this process.

use super::metrics::{ExportMetrics, ExportOutcome};
use crate::gate::Busy;
use crate::service::limits::Network;
use auth_types::UserId;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum number of concurrent exports. Each holds a page of rows, some hundred KiB.
const MAX_EXPORTS: usize = 16;
/// Maximum number for one client, so that one client with slow readers cannot block all others.
const MAX_OF_A_CLIENT: usize = 2;
/// Database connections for each one that may read pages, of which there is at least one: requests need the others.
const CONNECTIONS_PER_READER: u32 = 4;

/// Why an export is not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSlot {
    #[error("an export of this account is under way")]
    Account,
    #[error("too many exports of this client are under way")]
    Client,
    #[error("too many exports are under way")]
    Process,
}

/// The user of a running export, and the client's network.
type Running = (UserId, Option<Network>);

/// The exports of this process.
#[derive(Debug, Clone)]
pub struct ExportSlots {
    running: Arc<Mutex<Vec<Running>>>,
    readers: Arc<Semaphore>,
    pub(super) metrics: ExportMetrics,
}

/// A slot for one export, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: ExportSlots,
    user: UserId,
}

impl ExportSlots {
    /// For a pool of `connections` connections.
    pub fn new(connections: u32, metrics: ExportMetrics) -> Self {
        let readers = (connections / CONNECTIONS_PER_READER).max(1);
        Self { running: Arc::default(), readers: Arc::new(Semaphore::new(readers as usize)), metrics }
    }

    /// Takes a slot. Clients with unknown addresses have no common bound: otherwise one of them could lock the others out.
    pub(super) fn enter(&self, user: UserId, network: Option<Network>) -> Result<Slot, NoSlot> {
        let mut running = self.running.lock();
        if let Some(refusal) = refusal(&running, user, network) {
            self.metrics.count(ExportOutcome::Refused);
            return Err(refusal);
        }
        running.push((user, network));
        self.metrics.running.inc();
        Ok(Slot { slots: self.clone(), user })
    }
}

fn refusal(running: &[Running], user: UserId, network: Option<Network>) -> Option<NoSlot> {
    let of_client = running.iter().filter(|(_, other)| network.is_some() && *other == network).count();
    if running.iter().any(|(other, _)| *other == user) {
        Some(NoSlot::Account)
    } else if of_client >= MAX_OF_A_CLIENT {
        Some(NoSlot::Client)
    } else if running.len() >= MAX_EXPORTS {
        Some(NoSlot::Process)
    } else {
        None
    }
}

impl Slot {
    /// Waits for a permit to read a page.
    pub(super) async fn read_permit(&self) -> Result<OwnedSemaphorePermit, Busy> {
        Arc::clone(&self.slots.readers).acquire_owned().await.map_err(|_| Busy)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.running.lock().retain(|(user, _)| *user != self.user);
        self.slots.metrics.running.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::{ExportMetrics, ExportSlots, MAX_EXPORTS, MAX_OF_A_CLIENT, NoSlot};
    use auth_types::UserId;
    use std::net::{IpAddr, Ipv4Addr};

    fn network(number: usize) -> super::Network {
        IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(number).unwrap_or_default())).into()
    }

    #[test]
    fn an_account_exports_once_at_a_time_from_any_network() -> Result<(), NoSlot> {
        let slots = ExportSlots::new(10, ExportMetrics::default());
        let first = slots.enter(UserId(1), Some(network(1)))?;
        assert_eq!(slots.enter(UserId(1), Some(network(2))).err(), Some(NoSlot::Account));
        drop(first);
        slots.enter(UserId(1), Some(network(2)))?;
        assert_eq!(slots.metrics.running.get(), 0);
        Ok(())
    }

    #[test]
    fn no_client_has_all_the_slots_and_their_number_is_bounded() -> Result<(), NoSlot> {
        let slots = ExportSlots::new(1, ExportMetrics::default());
        let mut held = Vec::new();
        for (number, user) in (0..MAX_EXPORTS).zip(1..) {
            let client = Some(network(number / MAX_OF_A_CLIENT));
            held.push(slots.enter(UserId(user), client)?);
            if held.len().is_multiple_of(MAX_OF_A_CLIENT) {
                assert_eq!(slots.enter(UserId(0), client).err(), Some(NoSlot::Client));
            }
        }
        for client in [Some(network(MAX_EXPORTS)), None] {
            assert_eq!(slots.enter(UserId(0), client).err(), Some(NoSlot::Process));
        }
        held.pop();
        slots.enter(UserId(0), None)?;
        Ok(())
    }
}

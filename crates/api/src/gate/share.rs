//! Whose share of the bounded resources a request uses.
//!
//! The middleware knows the client, and a use case finds out more. The share belongs to the task that serves the request,
//! as the request's id does, because the store that reads it knows nothing about requests.

use std::cell::Cell;
use std::net::IpAddr;

tokio::task_local! {
    static SHARE: Cell<Share>;
}

/// Each class has half of the turns while both wait; otherwise one uses what the other leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Unauthenticated. Ten thousand addresses are ten thousand shares of this half.
    Stranger,
    /// Has one of our valid tokens, or signs in from a network that the account knows. Also this process's own work.
    Proven,
}

/// The owner of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareKey {
    /// This process, outside of any request.
    Own,
    /// All clients whose address is not known.
    Unknown,
    /// A client's network, by its first address.
    Client(IpAddr),
    /// An account: its sessions use one share together.
    Account(i64),
}

/// A share of every gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    pub class: Class,
    pub key: ShareKey,
    /// The client that uses it. One machine can sign up for any number of accounts, and one account's token can be used from
    /// any number of addresses: so both are bounded. An account whose client is unknown counts as its own client.
    pub client: ShareKey,
}

impl Share {
    const OWN: Self = Self::proven(ShareKey::Own);

    /// Whether it is this process's own share and not a request's.
    pub fn is_own(self) -> bool {
        self == Self::OWN
    }

    pub const fn stranger(client: ShareKey) -> Self {
        Self { class: Class::Stranger, key: client, client }
    }

    /// A proven share whose client is unknown.
    pub const fn proven(key: ShareKey) -> Self {
        Self { class: Class::Proven, key, client: key }
    }

    /// The same share, used by `client`. An account whose client is unknown stays a share of its own.
    #[must_use]
    pub fn of(self, client: ShareKey) -> Self {
        if client == ShareKey::Unknown { self } else { Self { client, ..self } }
    }

    /// The keys that its use is counted by.
    pub(super) fn keys(self) -> impl Iterator<Item = ShareKey> {
        std::iter::once(self.key).chain((self.client != self.key).then_some(self.client))
    }
}

/// Does the work of a request on `share`.
pub async fn within<T>(share: Share, work: impl Future<Output = T>) -> T {
    SHARE.scope(Cell::new(share), work).await
}

/// The share of the request that this task serves, or the process's own.
pub fn current() -> Share {
    SHARE.try_with(Cell::get).unwrap_or(Share::OWN)
}

/// From here on the request uses the proven share of `key`, because its owner is known now.
pub fn attribute_to(key: ShareKey) {
    // Outside of a request the share stays the process's own.
    let _ = SHARE.try_with(|current| current.set(Share::proven(key).of(current.get().client)));
}

#[cfg(test)]
mod tests {
    use super::{Share, ShareKey, attribute_to, current, within};
    use futures_util::FutureExt;
    use std::net::{IpAddr, Ipv4Addr};

    const ACCOUNT: ShareKey = ShareKey::Account(1);
    const HOME: ShareKey = ShareKey::Client(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));

    fn proven_by(client: ShareKey) -> Option<Share> {
        let request = async {
            attribute_to(ACCOUNT);
            current()
        };
        within(Share::stranger(client), request).now_or_never()
    }

    #[test]
    fn a_client_that_proves_an_account_stays_the_same_client() {
        let share = proven_by(HOME);
        assert_eq!(share, Some(Share::proven(ACCOUNT).of(HOME)));
        assert_eq!(share.map(|share| share.keys().collect()), Some(vec![ACCOUNT, HOME]));
    }

    #[test]
    fn accounts_of_unknown_clients_are_not_one_client() {
        assert_eq!(proven_by(ShareKey::Unknown), Some(Share::proven(ACCOUNT)));
        assert_eq!(Share::proven(ACCOUNT).keys().collect::<Vec<_>>(), [ACCOUNT], "counted once");
    }

    #[test]
    fn outside_of_a_request_nothing_but_the_process_is_proven() {
        attribute_to(ACCOUNT);
        assert!(current().is_own());
    }
}

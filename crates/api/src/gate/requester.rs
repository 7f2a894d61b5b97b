//! The requester: on whose behalf work is done, and so whose share of the bounded resources it uses.
//!
//! The middleware knows the client, and a use case finds out more. The requester belongs to the task that serves the request,
//! as the request's id does, because the store that reads it knows nothing about requests.

use std::cell::Cell;
use std::net::IpAddr;

tokio::task_local! {
    static REQUESTER: Cell<Requester>;
}

/// Each class has half of the turns while both wait; otherwise one uses what the other leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Nothing is known but the client. Ten thousand addresses share this half.
    Anonymous,
    /// Has one of our valid tokens, or signs in from a network that the account knows. Also this process's own work.
    Recognized,
}

/// What the use of a resource is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequesterId {
    /// This process, outside of any request.
    Process,
    /// All clients that are unknown.
    UnknownClient,
    /// A client's network, by its first address.
    Client(IpAddr),
    /// An account: its sessions are one requester.
    Account(i64),
}

/// An account or a client, and the client that its requests come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Requester {
    pub class: Class,
    pub id: RequesterId,
    /// One machine can sign up for any number of accounts, and one account's token can be used from
    /// any number of addresses, so both are bounded. An account whose client is unknown counts as its own client.
    pub client: RequesterId,
}

impl Requester {
    const PROCESS: Self = Self::recognized(RequesterId::Process);

    /// Whether it is this process itself, outside of any request.
    pub fn is_process(self) -> bool {
        self == Self::PROCESS
    }

    pub const fn anonymous(client: RequesterId) -> Self {
        Self { class: Class::Anonymous, id: client, client }
    }

    /// A recognized requester whose client is unknown.
    pub const fn recognized(id: RequesterId) -> Self {
        Self { class: Class::Recognized, id, client: id }
    }

    /// The same requester, whose requests come from `client`. If that is unknown, an account stays its own client.
    #[must_use]
    pub fn with_client(self, client: RequesterId) -> Self {
        if client == RequesterId::UnknownClient { self } else { Self { client, ..self } }
    }

    /// All that its use is counted by.
    pub(super) fn ids(self) -> impl Iterator<Item = RequesterId> {
        std::iter::once(self.id).chain((self.client != self.id).then_some(self.client))
    }
}

/// Does `work` on behalf of `requester`.
pub async fn on_behalf_of<T>(requester: Requester, work: impl Future<Output = T>) -> T {
    REQUESTER.scope(Cell::new(requester), work).await
}

/// The requester that this task serves, or the process.
pub fn current_requester() -> Requester {
    REQUESTER.try_with(Cell::get).unwrap_or(Requester::PROCESS)
}

/// From here on the request counts as one of `id`, which is recognized now.
pub fn attribute_to(id: RequesterId) {
    // Outside of a request the requester stays the process.
    let _ = REQUESTER.try_with(|current| current.set(Requester::recognized(id).with_client(current.get().client)));
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::{IpAddr, RequesterId};
    use std::net::Ipv4Addr;

    pub(crate) const fn account(number: i64) -> RequesterId {
        RequesterId::Account(number)
    }

    /// The client of this number: each has an address of its own.
    pub(crate) const fn client(number: u32) -> RequesterId {
        RequesterId::Client(IpAddr::V4(Ipv4Addr::from_bits(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Requester, RequesterId, attribute_to, current_requester, on_behalf_of};
    use futures_util::FutureExt;
    use std::net::{IpAddr, Ipv4Addr};

    const ACCOUNT: RequesterId = RequesterId::Account(1);
    const HOME: RequesterId = RequesterId::Client(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));

    fn recognized_from(client: RequesterId) -> Option<Requester> {
        let request = async {
            attribute_to(ACCOUNT);
            current_requester()
        };
        on_behalf_of(Requester::anonymous(client), request).now_or_never()
    }

    #[test]
    fn a_client_that_is_recognized_stays_the_same_client() {
        let requester = recognized_from(HOME);
        assert_eq!(requester, Some(Requester::recognized(ACCOUNT).with_client(HOME)));
        assert_eq!(requester.map(|requester| requester.ids().collect()), Some(vec![ACCOUNT, HOME]));
    }

    #[test]
    fn accounts_of_unknown_clients_are_not_one_client() {
        assert_eq!(recognized_from(RequesterId::UnknownClient), Some(Requester::recognized(ACCOUNT)));
        assert_eq!(Requester::recognized(ACCOUNT).ids().collect::<Vec<_>>(), [ACCOUNT], "counted once");
    }

    #[test]
    fn outside_of_a_request_nothing_but_the_process_is_recognized() {
        attribute_to(ACCOUNT);
        assert!(current_requester().is_process());
    }
}

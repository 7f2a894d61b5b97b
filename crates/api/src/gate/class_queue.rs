//! The waiters of one class: clients take turns, the accounts of a client take turns, and an account is served first come,
//! first served. So neither a thousand requests nor a thousand accounts give one client more than one turn among the others.

use super::requester::{Requester, RequesterId};
use std::collections::{HashMap, VecDeque};

#[derive(Debug)]
pub(super) struct ClassQueue<T> {
    /// Clients with waiters, the next one first.
    order: VecDeque<RequesterId>,
    clients: HashMap<RequesterId, ClientQueue>,
    accounts: HashMap<RequesterId, AccountQueue<T>>,
    total: usize,
}

/// The waiters of one client.
#[derive(Debug, Default)]
struct ClientQueue {
    /// Its accounts, the next one first.
    order: VecDeque<RequesterId>,
    total: usize,
}

/// The waiters of one account. An unauthenticated client counts as an account of its own.
#[derive(Debug)]
struct AccountQueue<T> {
    /// The client whose turns it uses: that of its first request. So an account also has one turn among the others, from
    /// however many addresses it is used.
    client: RequesterId,
    waiting: VecDeque<(u64, T)>,
}

impl<T> ClassQueue<T> {
    pub(super) fn new() -> Self {
        Self { order: VecDeque::new(), clients: HashMap::new(), accounts: HashMap::new(), total: 0 }
    }

    pub(super) const fn total(&self) -> usize {
        self.total
    }

    pub(super) fn push(&mut self, requester: Requester, waiter: (u64, T)) {
        let account = self.accounts.entry(requester.id).or_insert_with(|| {
            let client = self.clients.entry(requester.client).or_default();
            if client.order.is_empty() {
                self.order.push_back(requester.client);
            }
            client.order.push_back(requester.id);
            AccountQueue { client: requester.client, waiting: VecDeque::new() }
        });
        account.waiting.push_back(waiter);
        if let Some(client) = self.clients.get_mut(&account.client) {
            client.total += 1;
        }
        self.total += 1;
    }

    /// Removes and returns the next waiter whose account and client may both enter: the account, its client, the waiter.
    pub(super) fn next(&mut self, may_enter: impl Fn(RequesterId) -> bool) -> Option<(RequesterId, RequesterId, T)> {
        let (index, account) = self.order.iter().enumerate().find_map(|(index, client)| {
            let accounts = &self.clients.get(client).filter(|_| may_enter(*client))?.order;
            let account = accounts.iter().position(|account| may_enter(*account))?;
            Some((index, account))
        })?;
        let client = self.order.remove(index)?;
        let account = self.clients.get_mut(&client)?.order.remove(account)?;
        // Both move to the end; without further waiters `removed` takes them out of the queue.
        self.order.push_back(client);
        self.clients.get_mut(&client)?.order.push_back(account);
        let (_, waiter) = self.accounts.get_mut(&account)?.waiting.pop_front()?;
        self.removed(account);
        Some((account, client, waiter))
    }

    pub(super) fn remove(&mut self, account: RequesterId, ticket: u64) -> Option<T> {
        let waiting = &mut self.accounts.get_mut(&account)?.waiting;
        let index = waiting.iter().position(|(own, _)| *own == ticket)?;
        let (_, waiter) = waiting.remove(index)?;
        self.removed(account);
        Some(waiter)
    }

    /// Evicts the latest waiter of the client with the most waiters.
    pub(super) fn evict(&mut self) -> Option<T> {
        let (client, _) = self.largest_client()?;
        let (account, _) = self.largest_account(client)?;
        self.evict_from(account)
    }

    /// Makes room for a new waiter of `requester`: evicts the latest waiter of the client that has most, if the new one's client would
    /// have fewer; otherwise that of another account of the same client, if that account has most there.
    pub(super) fn evict_for(&mut self, requester: Requester) -> Option<T> {
        let waiting_of_account = self.accounts.get(&requester.id).map_or(0, |account| account.waiting.len());
        let own_client = self.accounts.get(&requester.id).map_or(requester.client, |account| account.client);
        let waiting_of_client = self.clients.get(&own_client).map_or(0, |client| client.total);
        let (client, most_of_client) = self.largest_client()?;
        let is_fairer = most_of_client > waiting_of_client + 1;
        let (account, most_of_account) = self.largest_account(if is_fairer { client } else { own_client })?;
        (is_fairer || most_of_account > waiting_of_account + 1).then(|| self.evict_from(account)).flatten()
    }

    fn largest_client(&self) -> Option<(RequesterId, usize)> {
        self.clients.iter().map(|(id, client)| (*id, client.total)).max_by_key(|(_, waiting)| *waiting)
    }

    fn largest_account(&self, client: RequesterId) -> Option<(RequesterId, usize)> {
        let accounts = self.clients.get(&client)?.order.iter();
        let waiting = accounts.filter_map(|id| Some((*id, self.accounts.get(id)?.waiting.len())));
        waiting.max_by_key(|(_, waiting)| *waiting)
    }

    fn evict_from(&mut self, account: RequesterId) -> Option<T> {
        let (_, waiter) = self.accounts.get_mut(&account)?.waiting.pop_back()?;
        self.removed(account);
        Some(waiter)
    }

    /// Counts a removed waiter, and drops its account and client when they have no waiters left.
    fn removed(&mut self, id: RequesterId) {
        self.total -= 1;
        let Some(account) = self.accounts.get(&id) else { return };
        let client_id = account.client;
        let is_empty = account.waiting.is_empty();
        let Some(client) = self.clients.get_mut(&client_id) else { return };
        client.total -= 1;
        if is_empty {
            client.order.retain(|other| *other != id);
            self.accounts.remove(&id);
        }
        if self.clients.get(&client_id).is_some_and(|client| client.total == 0) {
            self.clients.remove(&client_id);
            self.order.retain(|other| *other != client_id);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.clients.is_empty() && self.accounts.is_empty() && self.total == 0
    }
}

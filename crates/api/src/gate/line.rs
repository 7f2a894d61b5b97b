//! The waiters of one class: clients take turns, the accounts of a client take turns, and an account is served first come,
//! first served. So neither a thousand requests nor a thousand accounts give one client more than one turn among the others.

use super::share::{Share, ShareKey};
use std::collections::{HashMap, VecDeque};

#[derive(Debug)]
pub(super) struct Line<T> {
    /// Clients with waiters, the next one first.
    order: VecDeque<ShareKey>,
    clients: HashMap<ShareKey, ClientLine>,
    accounts: HashMap<ShareKey, AccountLine<T>>,
    total: usize,
}

/// The waiters of one client.
#[derive(Debug, Default)]
struct ClientLine {
    /// Its accounts, the next one first.
    order: VecDeque<ShareKey>,
    total: usize,
}

/// The waiters of one account. An unauthenticated client counts as an account of its own.
#[derive(Debug)]
struct AccountLine<T> {
    /// The client whose turns it uses: that of its first request. So an account also has one turn among the others, from
    /// however many addresses it is used.
    client: ShareKey,
    waiting: VecDeque<(u64, T)>,
}

impl<T> Line<T> {
    pub(super) fn new() -> Self {
        Self { order: VecDeque::new(), clients: HashMap::new(), accounts: HashMap::new(), total: 0 }
    }

    pub(super) const fn total(&self) -> usize {
        self.total
    }

    pub(super) fn push(&mut self, share: Share, waiter: (u64, T)) {
        let account = self.accounts.entry(share.key).or_insert_with(|| {
            let client = self.clients.entry(share.client).or_default();
            if client.order.is_empty() {
                self.order.push_back(share.client);
            }
            client.order.push_back(share.key);
            AccountLine { client: share.client, waiting: VecDeque::new() }
        });
        account.waiting.push_back(waiter);
        if let Some(client) = self.clients.get_mut(&account.client) {
            client.total += 1;
        }
        self.total += 1;
    }

    /// Removes and returns the next waiter whose account and client may both enter: the account, its client, the waiter.
    pub(super) fn next(&mut self, may_enter: impl Fn(ShareKey) -> bool) -> Option<(ShareKey, ShareKey, T)> {
        let (index, account) = self.order.iter().enumerate().find_map(|(index, client)| {
            let accounts = &self.clients.get(client).filter(|_| may_enter(*client))?.order;
            let account = accounts.iter().position(|account| may_enter(*account))?;
            Some((index, account))
        })?;
        let client = self.order.remove(index)?;
        let key = self.clients.get_mut(&client)?.order.remove(account)?;
        // Both move to the end; without further waiters `removed` takes them out of the line.
        self.order.push_back(client);
        self.clients.get_mut(&client)?.order.push_back(key);
        let (_, waiter) = self.accounts.get_mut(&key)?.waiting.pop_front()?;
        self.removed(key);
        Some((key, client, waiter))
    }

    pub(super) fn remove(&mut self, key: ShareKey, ticket: u64) -> Option<T> {
        let waiting = &mut self.accounts.get_mut(&key)?.waiting;
        let index = waiting.iter().position(|(own, _)| *own == ticket)?;
        let (_, waiter) = waiting.remove(index)?;
        self.removed(key);
        Some(waiter)
    }

    /// Evicts the latest waiter of the client with the most waiters.
    pub(super) fn evict(&mut self) -> Option<T> {
        let (client, _) = self.largest_client()?;
        let (account, _) = self.largest_account(client)?;
        self.evict_from(account)
    }

    /// Makes room for a new waiter of `share`: evicts the latest waiter of the client that has most, if the new one's client would
    /// have fewer; otherwise that of another account of the same client, if that account has most there.
    pub(super) fn evict_for(&mut self, share: Share) -> Option<T> {
        let of_account = self.accounts.get(&share.key).map_or(0, |account| account.waiting.len());
        let own = self.accounts.get(&share.key).map_or(share.client, |account| account.client);
        let of_own = self.clients.get(&own).map_or(0, |client| client.total);
        let (client, waiting) = self.largest_client()?;
        let (account, waiting_there) = self.largest_account(if waiting > of_own + 1 { client } else { own })?;
        (waiting > of_own + 1 || waiting_there > of_account + 1).then(|| self.evict_from(account)).flatten()
    }

    fn largest_client(&self) -> Option<(ShareKey, usize)> {
        self.clients.iter().map(|(key, client)| (*key, client.total)).max_by_key(|(_, held)| *held)
    }

    fn largest_account(&self, client: ShareKey) -> Option<(ShareKey, usize)> {
        let accounts = self.clients.get(&client)?.order.iter();
        let held = accounts.filter_map(|key| Some((*key, self.accounts.get(key)?.waiting.len())));
        held.max_by_key(|(_, held)| *held)
    }

    fn evict_from(&mut self, account: ShareKey) -> Option<T> {
        let (_, waiter) = self.accounts.get_mut(&account)?.waiting.pop_back()?;
        self.removed(account);
        Some(waiter)
    }

    /// Counts a removed waiter, and drops its account and client when they have no waiters left.
    fn removed(&mut self, key: ShareKey) {
        self.total -= 1;
        let Some(account) = self.accounts.get(&key) else { return };
        let own = account.client;
        let is_empty = account.waiting.is_empty();
        let Some(client) = self.clients.get_mut(&own) else { return };
        client.total -= 1;
        if is_empty {
            client.order.retain(|other| *other != key);
            self.accounts.remove(&key);
        }
        if self.clients.get(&own).is_some_and(|client| client.total == 0) {
            self.clients.remove(&own);
            self.order.retain(|other| *other != own);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.clients.is_empty() && self.accounts.is_empty() && self.total == 0
    }
}

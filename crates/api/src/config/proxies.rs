//! The proxies in front of the API, whose reports of a client's address are trusted.

use super::declare::variables;
use super::networks::{CLOUDFLARE, PRIVATE, is_inside, is_worker};
use super::platform;
use super::quote::quoted_entry;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, Variable, number, text};
use ipnet::IpNet;
use std::net::IpAddr;

/// The maximum number of proxies on a request's path; no real deployment has more.
pub const MAX_PROXIES: usize = 16;

variables! {
    TRUSTED_PROXIES: Optional<String> = text(
        doc(
            "A list of the proxies in front of the API, whose entries in `X-Forwarded-For` are trusted. Addresses, networks \
             (`10.0.0.0/8`), or the words `private` (loopback, RFC 1918, link-local, unique-local, 100.64.0.0/10), `cloudflare` \
             (its published ranges) and `render` (both). Defaults to `render` where `RENDER=true`, unless this or `TRUSTED_PROXY_HOPS` is set. \
             A network larger than a /8 (of IPv6 a /16) and one that names an address inside it are refused.",
        ),
    );
    TRUSTED_PROXY_HOPS: Variable<usize> = number(
        0,
        0,
        MAX_PROXIES as u64,
        doc(
            "How many proxies in front of the API append to `X-Forwarded-For`, instead of a list. Refused together with \
             `TRUSTED_PROXIES`.",
        ),
    );
}

/// The words that stand for networks, and the networks.
const WORDS: &[(&str, &[&[IpNet]])] =
    &[("private", &[PRIVATE]), ("cloudflare", &[CLOUDFLARE]), ("render", &[PRIVATE, CLOUDFLARE])];

/// The proxies whose entries in `X-Forwarded-For` are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedProxies {
    /// `TRUSTED_PROXY_HOPS`: this many proxies, wherever they are.
    Hops(usize),
    /// `TRUSTED_PROXIES`: every peer in one of these networks.
    Networks(Vec<IpNet>),
}

impl TrustedProxies {
    /// Without either variable: Render's proxies on Render, elsewhere none.
    pub(super) fn read(reader: &mut SettingsReader) -> Self {
        let listed = reader.is_set(&TRUSTED_PROXIES);
        let counted = reader.is_set(&TRUSTED_PROXY_HOPS);
        if listed && counted {
            reader.problem(TRUSTED_PROXIES.name(), "is set next to TRUSTED_PROXY_HOPS; keep one of the two");
        }
        match (listed, counted, platform::is_render(reader)) {
            (true, ..) => Self::Networks(read_networks(reader)),
            (false, true, _) => Self::Hops(reader.get(&TRUSTED_PROXY_HOPS)),
            (false, false, true) => Self::of_render(),
            (false, false, false) => Self::Hops(0),
        }
    }

    /// The proxies in front of every service of Render: Cloudflare's edge, and proxies in Render's own network.
    pub fn of_render() -> Self {
        Self::Networks([PRIVATE, CLOUDFLARE].concat())
    }

    /// The proxies of Cloudflare's edge.
    pub fn of_cloudflare() -> Self {
        Self::Networks(CLOUDFLARE.to_vec())
    }

    /// Whether a connection from `peer` is a proxy's, and so carries the requests of many clients.
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        match self {
            // With a fixed number of proxies, every connection to the API comes from one.
            Self::Hops(hops) => *hops > 0,
            Self::Networks(networks) => is_inside(networks, peer) && !is_worker(peer),
        }
    }

    /// Whether no proxy is trusted, and the connection's own address is the client's.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::Hops(0))
    }

    /// Whether these networks contain all of `others`; false if either is a number of hops.
    pub fn contains(&self, others: &Self) -> bool {
        let (Self::Networks(these), Self::Networks(others)) = (self, others) else { return false };
        others.iter().all(|other| these.iter().any(|this| this.contains(other)))
    }
}

fn read_networks(reader: &mut SettingsReader) -> Vec<IpNet> {
    let value = reader.find(&TRUSTED_PROXIES).unwrap_or_default();
    let entries: Vec<_> = value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    if entries.is_empty() {
        reader.problem(
            TRUSTED_PROXIES.name(),
            "names no network; list those of the proxies in front of the API, or remove it",
        );
    }
    let mut networks = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        match parse(number, entry) {
            Ok(found) => networks.extend(found),
            Err(problem) => reader.problem(TRUSTED_PROXIES.name(), problem),
        }
    }
    networks
}

/// The networks that one entry stands for, or what is wrong with it and how to write it.
fn parse(number: usize, entry: &str) -> Result<Vec<IpNet>, String> {
    if let Some((_, networks)) = WORDS.iter().find(|(word, _)| *word == entry) {
        return Ok(networks.concat());
    }
    let network = entry.parse().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
        let given = quoted_entry(number, entry);
        format!("{given} is neither an address, nor a network such as 10.0.0.0/8, nor private, cloudflare or render")
    })?;
    checked(&quoted_entry(number, entry), network).map(|network| vec![network])
}

/// Refuses a network that would trust more than the intended proxies, or none.
fn checked(given: &str, network: IpNet) -> Result<IpNet, String> {
    if let IpNet::V6(mapped) = network
        && let Some(address) = mapped.addr().to_ipv4_mapped()
    {
        let prefix = mapped.prefix_len().saturating_sub(96);
        return Err(format!("{given} is an IPv4 network in IPv6 notation; write it as {address}/{prefix}"));
    }
    if network.trunc() != network {
        let all = network.trunc();
        let one = network.addr();
        return Err(format!(
            "{given} is an address inside a network; write {all} for the network or {one} for one proxy"
        ));
    }
    let least = if network.addr().is_ipv4() { 8 } else { 16 };
    if network.prefix_len() < least && !PRIVATE.iter().any(|private| private.contains(&network)) {
        let fix = "any client could choose its own address; list the networks of the proxies";
        return Err(format!("{given} is too large a part of the internet: {fix}"));
    }
    Ok(network)
}

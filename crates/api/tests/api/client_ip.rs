//! The address of a client: the one that a trusted proxy appended, never one that the client wrote.

use crate::support::{EDGE, INNER};
use api::config::{Inspection, TrustedProxies, Variables, is_private};
use api::http::client_ip::ClientIp::{Known, Unknown};
use api::http::client_ip::{ClientIp, follow_proxies};
use proptest::prelude::*;
use std::net::IpAddr;

/// The address of a proxy's connection, as the API sees it.
const PEER: &str = "10.0.0.1";
fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn known(text: &str) -> ClientIp {
    Known(address(text))
}

fn unknown(text: &str) -> ClientIp {
    Unknown(Some(address(text)))
}

/// The proxies that these variables configure.
fn proxies(variables: &[(&str, &str)]) -> TrustedProxies {
    let all = variables.iter().fold(Variables::default(), |all, (name, value)| all.with(name, *value));
    let inspection = Inspection::of(all);
    assert!(inspection.problems.is_empty(), "{:?}", inspection.problems);
    inspection.settings.server.proxies
}

/// The client according to these values of `X-Forwarded-For`, one per header line, over a connection from `peer`.
fn client_of(peer: &str, lines: &[&str], proxies: &TrustedProxies) -> ClientIp {
    follow_proxies(Some(address(peer)), lines.iter().map(|line| line.as_bytes()), proxies).client
}

fn counted(lines: &[&str], hops: usize) -> ClientIp {
    client_of(PEER, lines, &TrustedProxies::Hops(hops))
}

fn on_render(lines: &[&str]) -> ClientIp {
    client_of(PEER, lines, &TrustedProxies::of_render())
}

#[test]
fn without_a_proxy_the_peer_is_the_client() {
    for peer in ["203.0.113.7", "2001:db8::7"] {
        for lines in [&[][..], &["203.0.113.8"], &["203.0.113.8, 203.0.113.9"], &["", ","]] {
            assert_eq!(client_of(peer, lines, &TrustedProxies::Hops(0)), known(peer));
        }
    }
    // In a private network, too, as long as no header names another client behind it.
    for peer in ["127.0.0.1", "192.168.1.5", "fd00::1", EDGE] {
        assert_eq!(client_of(peer, &[], &TrustedProxies::Hops(0)), known(peer));
        assert_eq!(client_of(peer, &["203.0.113.8"], &TrustedProxies::Hops(0)), unknown(peer));
        assert_eq!(client_of(peer, &[""], &TrustedProxies::Hops(0)), unknown(peer));
    }
}

#[test]
fn entries_are_counted_from_the_right_over_all_lines() {
    for (lines, hops) in [
        (&["203.0.113.7"][..], 1),
        (&["6.6.6.6, 203.0.113.7"], 1),
        (&["6.6.6.6", "203.0.113.7"], 1),
        (&["6.6.6.6,203.0.113.7,10.1.1.1"], 2),
        (&["6.6.6.6", "203.0.113.7, 10.1.1.1"], 2),
        (&[",,, ,203.0.113.7"], 1),
    ] {
        assert_eq!(counted(lines, hops), known("203.0.113.7"), "{lines:?}");
    }
}

#[test]
fn a_request_that_passed_too_few_proxies_has_an_unknown_client() {
    assert_eq!(counted(&[], 1), unknown(PEER));
    assert_eq!(counted(&["203.0.113.7"], 2), unknown(PEER));
    assert_eq!(counted(&["203.0.113.7, 203.0.113.8"], 16), unknown(PEER));
    assert_eq!(counted(&["203.0.113.7"], usize::MAX), unknown(PEER));
    let public = client_of("198.51.100.1", &["203.0.113.7"], &TrustedProxies::Hops(2));
    assert_eq!(public, unknown("198.51.100.1"), "a proxy whose clients would all count as one");
}

/// Two and three entries, as operators have found them there.
#[test]
fn the_client_is_found_behind_the_proxies_of_render() {
    for lines in [
        &["203.0.113.9"][..],
        &["203.0.113.9, 104.22.17.40"],
        &["203.0.113.9, 104.22.17.40, 10.21.157.68"],
        &["203.0.113.9,172.70.247.28", "10.19.6.53"],
        &["203.0.113.9", "104.22.17.40", "10.21.157.68"],
        &["6.6.6.6,203.0.113.9, 172.71.95.118, 10.19.64.237"],
        &["10.0.0.1, 104.22.17.41, 203.0.113.9, 104.22.17.40, 10.21.157.68"],
    ] {
        assert_eq!(on_render(lines), known("203.0.113.9"), "{lines:?}");
    }
    assert_eq!(on_render(&["2001:db8::9, 2606:4700::1"]), known("2001:db8::9"));
}

/// A connection that is not a proxy's is a client's, and its `X-Forwarded-For` is not trusted.
#[test]
fn a_peer_that_is_not_a_trusted_proxy_is_the_client() {
    let one = proxies(&[("TRUSTED_PROXIES", "192.0.2.1")]);
    for lines in [&[][..], &["203.0.113.8"], &["203.0.113.8, 192.0.2.1"]] {
        assert_eq!(client_of("198.51.100.1", lines, &TrustedProxies::of_render()), known("198.51.100.1"));
        assert_eq!(client_of("198.51.100.1", lines, &one), known("198.51.100.1"));
        assert_eq!(client_of("192.0.2.2", lines, &one), known("192.0.2.2"));
    }
    assert_eq!(client_of("192.0.2.1", &["203.0.113.8"], &one), known("203.0.113.8"));
    assert_eq!(client_of("::ffff:192.0.2.1", &["203.0.113.8"], &one), known("203.0.113.8"), "one form of an address");
}

#[test]
fn an_address_that_many_may_share_is_an_unknown_client() {
    // Every entry is a proxy's.
    assert_eq!(on_render(&[]), unknown(PEER));
    assert_eq!(on_render(&[EDGE]), unknown(EDGE));
    assert_eq!(on_render(&["192.168.1.5, 104.22.17.40, 10.21.157.68"]), unknown("192.168.1.5"));
    // With a list that leaves a proxy out, the walk ends at that proxy.
    let cloudflare = proxies(&[("TRUSTED_PROXIES", "cloudflare")]);
    assert_eq!(client_of(PEER, &["203.0.113.9, 104.22.17.40"], &cloudflare), unknown(PEER));
    let private = proxies(&[("TRUSTED_PROXIES", "private")]);
    assert_eq!(client_of(PEER, &["203.0.113.9, 104.22.17.40"], &private), unknown(EDGE));
    // So it does with a count that is too small.
    assert_eq!(counted(&["203.0.113.9, 104.22.17.40, 10.21.157.68"], 1), unknown(INNER));
    assert_eq!(counted(&["203.0.113.9, 104.22.17.40, 10.21.157.68"], 2), unknown(EDGE));
    assert_eq!(counted(&["203.0.113.9, 104.22.17.40, 10.21.157.68"], 3), known("203.0.113.9"));
    assert_eq!(follow_proxies(None, ["203.0.113.9".as_bytes()], &TrustedProxies::of_render()).client, Unknown(None));
}

/// Anyone can rent a Worker. It connects from inside Cloudflare's networks and can put any entries to the left.
#[test]
fn a_cloudflare_worker_is_a_client_and_not_a_proxy() {
    let worker = "2a06:98c0:3600::103";
    assert_eq!(on_render(&["6.6.6.6, 2a06:98c0:3600::103, 104.22.17.40, 10.21.157.68"]), known(worker));
    assert_eq!(client_of(worker, &["6.6.6.6"], &TrustedProxies::of_render()), known(worker));
    assert_eq!(counted(&["6.6.6.6, 2a06:98c0:3600::103"], 1), known(worker));
}

#[test]
fn at_most_sixteen_proxies_are_followed() {
    let chain = |proxies: usize| {
        let appended = (1..proxies).map(|number| format!("10.0.{}.{}", number / 256, number % 256));
        let entries: Vec<_> = std::iter::once("203.0.113.9".to_owned()).chain(appended).collect();
        on_render(&[&entries.join(",")])
    };
    assert_eq!(chain(1), known("203.0.113.9"));
    assert_eq!(chain(16), known("203.0.113.9"));
    assert!(matches!(chain(17), Unknown(Some(_))));
    assert!(matches!(chain(1_000), Unknown(Some(_))), "8 kB of them");
}

#[test]
fn the_proxies_that_a_request_passed_are_counted() {
    let passed = |lines: &[&str]| {
        follow_proxies(Some(address(PEER)), lines.iter().map(|line| line.as_bytes()), &TrustedProxies::of_render())
            .proxies
    };
    assert_eq!(passed(&["203.0.113.9"]), 1);
    assert_eq!(passed(&["6.6.6.6, 203.0.113.9, 104.22.17.40, 10.21.157.68"]), 3);
    assert_eq!(passed(&["203.0.113.9, unknown"]), 1);
    assert_eq!(follow_proxies(Some(address("203.0.113.9")), [], &TrustedProxies::of_render()).proxies, 0);
}

#[test]
fn private_addresses_are_distinguished_from_public_ones() {
    for ip in [
        "127.0.0.1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "::1",
        "fd00::1",
        "fc00::1",
        "fe80::1",
        "::ffff:10.1.2.3",
    ] {
        assert!(is_private(address(ip)), "{ip}");
    }
    for ip in ["203.0.113.7", "172.32.0.1", "100.128.0.1", "100.63.255.255", "2001:db8::1", "8.8.8.8", "::2", EDGE] {
        assert!(!is_private(address(ip)), "{ip}");
    }
}

#[test]
fn an_address_is_read_as_proxies_write_it() {
    for (entry, read) in [
        ("203.0.113.7", "203.0.113.7"),
        ("  203.0.113.7\t", "203.0.113.7"),
        ("203.0.113.7:5678", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:cb00:7107]:80", "203.0.113.7"),
    ] {
        assert_eq!(counted(&[entry], 1), known(read), "{entry:?}");
        assert_eq!(on_render(&[&format!("{entry}, ::ffff:104.22.17.40, [::1]:80")]), known(read), "{entry:?}");
    }
}

/// The walk ends there: no entry to its left is used, nor does every client get the proxy's address.
#[test]
fn an_entry_that_is_not_an_address_is_an_unknown_client() {
    let entries = [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.07",
        "203.0.113.7:",
        "1",
        "203.0.113.7:99999",
        "203.0.113.7 203.0.113.8",
        "[203.0.113.7]",
        "[::1",
        "::1]",
        "[]",
        "[[::1]]",
        "fe80::1%eth0",
        "\"[::1]:80\"",
        "for=203.0.113.7",
        "https://203.0.113.7",
        "0x7f000001",
        "２０３.0.113.7",
        "203.0.113.7\0",
    ];
    for entry in entries {
        for proxies in [TrustedProxies::Hops(1), TrustedProxies::of_render()] {
            assert_eq!(client_of(PEER, &[entry], &proxies), Unknown(None), "{entry:?}");
            assert_eq!(client_of(PEER, &["6.6.6.6", entry], &proxies), Unknown(None), "{entry:?}");
        }
        assert_eq!(on_render(&["6.6.6.6", entry, EDGE]), Unknown(None), "{entry:?}");
    }
    let not_text: &[&[u8]] = &[b"6.6.6.6, \xff\xfe, 104.22.17.40"];
    let found = follow_proxies(Some(address(PEER)), not_text.iter().copied(), &TrustedProxies::of_render());
    assert_eq!(found.client, Unknown(None));
}

#[test]
fn the_peers_own_address_has_one_form() {
    assert_eq!(client_of("::ffff:203.0.113.7", &[], &TrustedProxies::Hops(0)), known("203.0.113.7"));
    assert_eq!(client_of("::ffff:10.0.0.1", &["203.0.113.7"], &TrustedProxies::of_render()), known("203.0.113.7"));
}

#[test]
fn proxies_are_configured_by_networks_names_and_counts() {
    let networks = |list| proxies(&[("TRUSTED_PROXIES", list)]);
    let list = networks(" 192.0.2.0/24, 198.51.100.1 ,2001:db8::/32,, private");
    for peer in ["192.0.2.200", "198.51.100.1", "2001:db8:1::", "::ffff:192.0.2.1", "100.64.0.1"] {
        assert!(list.is_trusted(address(peer)), "{peer}");
    }
    for peer in ["192.0.3.1", "198.51.100.2", "2001:db9::", EDGE] {
        assert!(!list.is_trusted(address(peer)), "{peer}");
    }
    assert!(networks("cloudflare").is_trusted(address(EDGE)) && !networks("cloudflare").is_trusted(address(INNER)));
    assert_eq!(networks("render"), networks("private,cloudflare"));
    assert_eq!(proxies(&[]), TrustedProxies::Hops(0));
    assert_eq!(proxies(&[("TRUSTED_PROXY_HOPS", "2")]), TrustedProxies::Hops(2));
    assert!(proxies(&[("TRUSTED_PROXY_HOPS", "2")]).is_trusted(address("203.0.113.7")));
    assert!(!proxies(&[]).is_trusted(address("127.0.0.1")));
}

#[test]
fn render_has_its_own_proxies_unless_something_else_is_configured() {
    assert_eq!(proxies(&[("RENDER", "true")]), TrustedProxies::of_render());
    assert_eq!(proxies(&[("RENDER", "true"), ("TRUSTED_PROXY_HOPS", " ")]), TrustedProxies::of_render());
    assert_eq!(proxies(&[("RENDER", "false")]), TrustedProxies::Hops(0));
    assert_eq!(proxies(&[("RENDER", "true"), ("TRUSTED_PROXY_HOPS", "3")]), TrustedProxies::Hops(3));
    assert_eq!(proxies(&[("RENDER", "true"), ("TRUSTED_PROXY_HOPS", "0")]), TrustedProxies::Hops(0));
    let own = proxies(&[("RENDER", "true"), ("TRUSTED_PROXIES", "192.0.2.1")]);
    assert!(!own.is_trusted(address(INNER)) && own.is_trusted(address("192.0.2.1")));
}

/// Any header lines that a client may send before those that proxies append.
fn forged_ahead() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let rubbish = prop::collection::vec(any::<u8>(), 0..30);
    let addresses = prop::sample::select(vec!["6.6.6.6", "10.0.0.9", "104.22.17.40", "::1", "[fd00::1]:80", "unknown"]);
    let lists = prop::collection::vec(addresses, 0..20).prop_map(|list| list.join(",").into_bytes());
    prop::collection::vec(prop_oneof![rubbish, lists], 0..5)
}

proptest! {
    /// Only what the proxies append counts, whatever a client sends before it, in any number of lines.
    #[test]
    fn entries_left_of_the_trusted_one_are_ignored(ahead in forged_ahead(), client: [u8; 4], hops in 1_usize..4) {
        let trusted = std::iter::once(IpAddr::from(client).to_string());
        let trusted: Vec<_> = trusted.chain((1..hops).map(|hop| format!("10.0.0.{hop}"))).map(String::into_bytes).collect();
        let honest = follow_proxies(PEER.parse().ok(), trusted.iter().map(Vec::as_slice), &TrustedProxies::Hops(hops));
        prop_assert_eq!(honest.client.seen(), Some(IpAddr::from(client)));
        let lines = || ahead.iter().chain(&trusted).map(Vec::as_slice);
        prop_assert_eq!(follow_proxies(PEER.parse().ok(), lines(), &TrustedProxies::Hops(hops)), honest);
        // Or appended to the client's own line, as most proxies do.
        let one = lines().collect::<Vec<_>>().join(&b","[..]);
        prop_assert_eq!(follow_proxies(PEER.parse().ok(), [one.as_slice()], &TrustedProxies::Hops(hops)), honest);
    }

    /// The same where proxies are known by their networks: one to four of them, inside and outside.
    #[test]
    fn entries_left_of_the_client_are_ignored(
        ahead in forged_ahead(),
        client in prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u16; 8]>().prop_map(IpAddr::from)],
        appended in prop::collection::vec(prop::sample::select(vec![EDGE, INNER, "fd00::1", "2606:4700::1"]), 0..4),
    ) {
        let render = TrustedProxies::of_render();
        prop_assume!(!render.is_trusted(client.to_canonical()));
        let entries: Vec<_> = std::iter::once(client.to_string()).chain(appended.into_iter().map(str::to_owned)).collect();
        let entries: Vec<_> = entries.into_iter().map(String::into_bytes).collect();
        let lines = || ahead.iter().chain(&entries).map(Vec::as_slice);
        let one = lines().collect::<Vec<_>>().join(&b","[..]);
        for found in [follow_proxies(PEER.parse().ok(), lines(), &render), follow_proxies(PEER.parse().ok(), [one.as_slice()], &render)] {
            prop_assert_eq!(found.client, Known(client.to_canonical()));
            prop_assert_eq!(found.proxies, entries.len());
        }
    }

    /// Over a connection that is not a proxy's, no entry counts.
    #[test]
    fn a_direct_connection_cannot_pose_as_another_client(ahead in forged_ahead(), peer: [u8; 4]) {
        let peer = IpAddr::from(peer);
        for proxies in [TrustedProxies::Hops(0), TrustedProxies::of_render()] {
            prop_assume!(!proxies.is_trusted(peer));
            let found = follow_proxies(Some(peer), ahead.iter().map(Vec::as_slice), &proxies).client;
            prop_assert_eq!(found.seen(), Some(peer));
        }
    }
}

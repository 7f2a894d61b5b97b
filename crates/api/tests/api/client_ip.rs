//! Whose address is kept: what a trusted proxy says, never what a client writes.

use crate::support::{Database, PASSWORD, TestApp, send};
use api::http::client_ip::{client_ip, is_inside};
use auth_types::responses::{SessionResponse, TokenResponse};
use proptest::prelude::*;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use std::net::IpAddr;

const ADA: &str = "ada@example.com";
const PEER: &str = "10.0.0.1";

/// The address by these values of `X-Forwarded-For`, one a header line.
fn ip(lines: &[&str], hops: usize) -> String {
    let peer: IpAddr = PEER.parse().unwrap();
    client_ip(lines.iter().map(|line| line.as_bytes()), Some(peer), hops).unwrap().to_string()
}

#[test]
fn without_a_trusted_proxy_the_peer_counts() {
    for lines in [&[][..], &["203.0.113.7"], &["203.0.113.7, 203.0.113.8"], &["", ","]] {
        assert_eq!(ip(lines, 0), PEER);
    }
}

#[test]
fn entries_are_counted_from_the_right_over_all_lines() {
    assert_eq!(ip(&["203.0.113.7"], 1), "203.0.113.7");
    assert_eq!(ip(&["6.6.6.6, 203.0.113.7"], 1), "203.0.113.7");
    assert_eq!(ip(&["6.6.6.6", "203.0.113.7"], 1), "203.0.113.7");
    assert_eq!(ip(&["6.6.6.6,203.0.113.7,10.1.1.1"], 2), "203.0.113.7");
    assert_eq!(ip(&["6.6.6.6", "203.0.113.7, 10.1.1.1"], 2), "203.0.113.7");
    assert_eq!(ip(&[",,, ,203.0.113.7"], 1), "203.0.113.7");
}

#[test]
fn a_request_that_passed_fewer_proxies_is_its_peers() {
    assert_eq!(ip(&[], 1), PEER);
    assert_eq!(ip(&["203.0.113.7"], 2), PEER);
    assert_eq!(ip(&["203.0.113.7, 203.0.113.8"], 16), PEER);
    assert_eq!(ip(&["203.0.113.7"], usize::MAX), PEER);
}

#[test]
fn addresses_of_no_place_on_the_internet_are_told_from_others() {
    for ip in
        ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "169.254.1.1", "100.64.0.1", "::1", "fd00::1", "fe80::1"]
    {
        assert!(is_inside(ip.parse().unwrap()), "{ip}");
    }
    for ip in ["203.0.113.7", "172.32.0.1", "100.128.0.1", "100.63.255.255", "2001:db8::1", "8.8.8.8"] {
        assert!(!is_inside(ip.parse().unwrap()), "{ip}");
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
        ("[::1]:80", "::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:cb00:7107]:80", "203.0.113.7"),
    ] {
        assert_eq!(ip(&[entry], 1), read, "{entry:?}");
    }
}

#[test]
fn an_entry_that_is_no_address_gives_the_peers() {
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
        assert_eq!(ip(&[entry], 1), PEER, "{entry:?}");
        assert_eq!(ip(&["6.6.6.6", entry], 1), PEER, "{entry:?}: what stands left of it is never taken");
    }
}

#[test]
fn the_peers_own_address_has_one_form() {
    let mapped: IpAddr = "::ffff:203.0.113.7".parse().unwrap();
    assert_eq!(client_ip([], Some(mapped), 0).unwrap().to_string(), "203.0.113.7");
    assert_eq!(client_ip([], None, 0), None);
}

proptest! {
    /// Whatever a client sends ahead, in as many lines as it likes, what the proxies append decides.
    #[test]
    fn nothing_that_stands_left_of_the_trusted_entry_counts(
        ahead in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..30), 0..5),
        client: [u8; 4],
        hops in 1_usize..4,
    ) {
        let client = IpAddr::from(client);
        let trusted = std::iter::once(client.to_string()).chain((1..hops).map(|hop| format!("10.0.0.{hop}")));
        let trusted: Vec<_> = trusted.map(String::into_bytes).collect();
        let lines = ahead.iter().chain(&trusted).map(Vec::as_slice);
        prop_assert_eq!(client_ip(lines, PEER.parse().ok(), hops), Some(client));
        // Or appended to the client's own line, as most proxies do.
        let one = ahead.iter().chain(&trusted).map(Vec::as_slice).collect::<Vec<_>>().join(&b","[..]);
        prop_assert_eq!(client_ip([one.as_slice()], PEER.parse().ok(), hops), Some(client));
    }
}

/// Every header that some proxy somewhere uses, with an address that changes.
fn spoofed(request: RequestBuilder, turn: u8) -> RequestBuilder {
    let fake = format!("6.6.6.{turn}");
    let names = ["X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Fastly-Client-IP", "X-Forwarded"];
    let request = names.iter().fold(request, |request, name| request.header(*name, &fake));
    request.header("Forwarded", format!("for={fake};proto=https")).header("X-Forwarded-For", fake)
}

async fn kept_addresses(app: &TestApp, behind_proxy: bool) -> Vec<Option<String>> {
    let mut tokens = None;
    for turn in 1..=5 {
        let login = app.request(Method::POST, "/api/auth/login/").json(&json!({"email": ADA, "password": PASSWORD}));
        let mut login = spoofed(login, turn);
        if behind_proxy {
            login = login.header("X-Forwarded-For", "203.0.113.7");
        }
        tokens = Some(send(login).await.ok());
    }
    let tokens: TokenResponse = tokens.unwrap();
    let sessions: Vec<SessionResponse> = app.sessions(&tokens).await.json();
    assert_eq!(sessions.len(), 5);
    sessions.into_iter().map(|session| session.ip_address).collect()
}

#[actix_web::test]
async fn headers_that_a_client_makes_up_change_nothing_in_what_is_kept() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).start().await;
    assert_eq!(kept_addresses(&app, false).await, vec![Some("127.0.0.1".to_owned()); 5]);
    let kept = "SELECT count(*) FROM auth_events WHERE ip_address IS NOT NULL AND ip_address <> '127.0.0.1'";
    assert_eq!(app.db().number(kept), 0);

    let app = TestApp::builder(Database::Sqlite).user(ADA).set("TRUSTED_PROXY_HOPS", "1").start().await;
    assert_eq!(kept_addresses(&app, true).await, vec![Some("203.0.113.7".to_owned()); 5]);
}

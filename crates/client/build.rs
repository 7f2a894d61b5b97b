//! Fixes the address of the API at build time, and refuses an invalid one.

use std::env;

/// Two names of one variable: both may be set if they are equal.
const VARIABLES: [&str; 2] = ["API_BASE_URL", "VITE_API_BASE_URL"];

/// Where `cargo run -p api` serves.
const DEVELOPMENT: &str = "http://127.0.0.1:8000";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in VARIABLES {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    // A blank value counts as not set, because dashboards leave variables blank.
    let set = |name: &'static str| Some((name, env::var(name).ok().filter(|value| !value.trim().is_empty())?));
    let given: Vec<_> = VARIABLES.into_iter().filter_map(set).collect();
    if let [(first, a), (second, b)] = given.as_slice()
        && a != b
    {
        println!("cargo::error={first} is {a:?} and {second} is {b:?}: set one of the two");
        return;
    }
    let (variable, value) = given.into_iter().next().unwrap_or((VARIABLES[0], DEVELOPMENT.to_owned()));
    match base_url(&value) {
        Ok(base) => {
            println!("cargo::rustc-env=LATCHKEY_API_BASE={base}");
            if base.starts_with("http://") && !is_local(base) {
                println!("cargo::warning={variable} is {base}: browsers refuse http:// from a page that came by HTTPS");
            }
        }
        Err(problem) => println!("cargo::error={variable} is {value:?}: {problem}, such as https://api.example.com"),
    }
}

/// Whether the address is this machine's, where plain HTTP is fine.
fn is_local(base: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| base.starts_with(local))
}

/// The address without slashes at its end, or what is wrong with it.
fn base_url(value: &str) -> Result<&str, &'static str> {
    let base = value.trim().trim_end_matches('/');
    let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    let rest = rest.ok_or("it must start with https:// or http://")?;
    let host = rest.split('/').next().unwrap_or_default();
    // An IPv6 address has colons of its own, inside brackets.
    let port = host.rsplit_once(']').map_or(host, |(_, port)| port).split_once(':').map(|(_, port)| port);
    if host.is_empty() || host.starts_with(':') {
        Err("it must name a host")
    } else if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        Err("its port must be a number")
    } else if rest.contains(['?', '#', '@', '\\']) || !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("it must be an origin, with a path at most")
    } else {
        Ok(base)
    }
}

//! Where the API listens, and the proxies in front of it.

use super::declare::{settings, variables};
use super::platform;
use super::proxies::TrustedProxies;
use super::quote::quoted;
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, Variable, number, parsed};
use std::net::{IpAddr, Ipv4Addr};

variables! {
    HOST: Optional<IpAddr> = parsed(
        parse_host,
        doc("The IP address to listen on.").default_value("127.0.0.1").production_default("0.0.0.0"),
    );
    PORT: Variable<u16> = number(8000, 0, 65_535, doc("The port to listen on. 0 lets the system choose."));
}

settings! {
    /// Where the API listens, and the proxies in front of it.
    pub struct ServerSettings {
        pub host: IpAddr = read_host,
        pub port: u16 = PORT,
        /// Default: none, or Render's on Render.
        pub proxies: TrustedProxies = TrustedProxies::read,
        /// Whether the API runs on Render.
        pub on_render: bool = platform::is_render,
        /// The API's own host as browsers know it, if Render sets it.
        pub public_host: Option<String> = platform::public_host,
    }
}

fn read_host(reader: &mut SettingsReader) -> IpAddr {
    let default = if reader.is_production() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    reader.find(&HOST).unwrap_or(IpAddr::V4(default))
}

fn parse_host(value: &str) -> Result<IpAddr, String> {
    value.parse().map_err(|_| format!("{} is not an IP address; use 127.0.0.1 or 0.0.0.0", quoted(value)))
}

//! Who sends a request.

use super::limits::Network;

/// Who sends a request, as far as the connection shows. Sessions and events store the address and the
/// user agent. Budgets are charged by the network. For a rule the address decides only which pending registration's password a
/// sign-in is compared with, and the user agent, with the neighbourhood, whether a refresh has leeway.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// `None` when the address is not the client's own or is not known.
    pub network: Option<Network>,
}

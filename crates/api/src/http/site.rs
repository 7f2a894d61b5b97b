//! Whether a browser considers a page and the API the same site, which decides when `SameSite` cookies are sent.

use url::{Host, Url};

/// Whether a page of `origin` is same-site with `scheme` and `host`, as in a `Host` header: the same scheme, and the same
/// registrable domain or address. `onrender.com` is a public suffix, so two hosts under it are two sites.
pub(crate) fn is_same_site(origin: &str, scheme: &str, host: &str) -> bool {
    let (Ok(page), Ok(api)) = (Url::parse(origin), Url::parse(&format!("{scheme}://{host}"))) else { return false };
    let one_host = match (page.host(), api.host()) {
        (Some(Host::Domain(page)), Some(Host::Domain(api))) => page == api || have_one_domain(page, api),
        (page, api) => page.is_some() && page == api,
    };
    one_host && page.scheme() == api.scheme()
}

fn have_one_domain(page: &str, api: &str) -> bool {
    psl::domain_str(page).is_some_and(|domain| psl::domain_str(api) == Some(domain))
}

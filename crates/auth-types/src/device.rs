//! Describes a `User-Agent` for people.

/// A part of a `User-Agent` and its meaning. The order matters: Edge also says Chrome, Chrome also says Safari.
type UserAgentParts = [(&'static str, &'static str)];

const BROWSERS: &UserAgentParts = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: &UserAgentParts = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The browser and the system, such as "Firefox on Windows"; "Unknown device" if neither is recognised.
pub fn describe(user_agent: Option<&str>) -> String {
    let find = |parts: &UserAgentParts| {
        let agent = user_agent?;
        parts.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
    };
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn a_user_agent_becomes_a_browser_and_a_system() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Version/17.5 Safari/604.1";
        assert_eq!(describe(Some(edge)), "Edge on Windows");
        assert_eq!(describe(Some(safari)), "Safari on iPhone");
        assert_eq!(describe(Some("curl/8.0")), "curl");
        assert_eq!(describe(Some("")), "Unknown device");
        assert_eq!(describe(None), "Unknown device");
    }
}

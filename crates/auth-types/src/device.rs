//! A browser's `User-Agent` in words that a person knows.

/// A part of a `User-Agent` and what it stands for. The order matters: Edge also says Chrome, Chrome also says Safari.
type Names = [(&'static str, &'static str)];

const BROWSERS: &Names = &[
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

const SYSTEMS: &Names = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// Such as "Firefox on Windows"; "Unknown device" when there is nothing to go by.
pub fn describe(user_agent: Option<&str>) -> String {
    let find = |names: &Names| {
        let agent = user_agent?;
        names.iter().find(|(part, _)| agent.contains(part)).map(|(_, name)| *name)
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

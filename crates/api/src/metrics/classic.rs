//! Converts `OpenMetrics` text to Prometheus' text format 0.0.4.

/// The same samples with other family headers: a counter's family is named like its samples, and there are no units, no infos
/// and no end marker.
pub fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|family| family.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            let help = help.take().filter(|(described, _)| *described == name);
            if let Some((_, words)) = help {
                text.extend(["# HELP ", name, suffix, " ", words, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::classic;

    #[test]
    fn each_family_is_named_as_its_samples() {
        let open_metrics = "# HELP a_requests Requests.\n# TYPE a_requests counter\na_requests_total{x=\"1\"} 2\n\
            # HELP a_build This program.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
            # HELP a_cpu_seconds Time.\n# TYPE a_cpu_seconds gauge\n# UNIT a_cpu_seconds seconds\na_cpu_seconds 0.5\n# EOF\n";
        let expected = "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\na_requests_total{x=\"1\"} 2\n\
            # HELP a_build_info This program.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
            # HELP a_cpu_seconds Time.\n# TYPE a_cpu_seconds gauge\na_cpu_seconds 0.5\n";
        assert_eq!(classic(open_metrics), expected);
    }
}

//! The files for operators in `docs/operations/monitoring`, in a real Prometheus that scrapes a real process.

mod expressions;

use crate::support::document::Document;
use crate::support::prometheus::{Prometheus, configuration, monitoring, promtool};
use crate::support::{Database, Process, TestDb, create_user, eventually, send};
use expressions::{Exported, names_in};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Output;

const ADA: &str = "ada@example.com";
const TOKEN: &str = "a-token-for-the-operators-eyes";

#[track_caller]
fn assert_success(output: &Output) {
    let printed = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{}", printed.concat());
}

fn read(name: &str) -> String {
    std::fs::read_to_string(monitoring().join(name)).unwrap()
}

#[test]
fn the_configuration_and_the_rules_are_valid() {
    let folder = configuration("127.0.0.1:1".parse().unwrap(), TOKEN);
    assert_success(&promtool(folder.path(), &["check", "config", "--lint=all", "--lint-fatal", "prometheus.yml"]));
    assert_success(&promtool(folder.path(), &["check", "rules", "--lint=all", "--lint-fatal", "alerts.yml"]));
}

#[test]
fn each_alert_fires_and_is_silent_just_before() {
    assert_success(&promtool(&monitoring(), &["test", "rules", "alerts_test.yml"]));
    let (rules, tests) = (read("alerts.yml"), read("alerts_test.yml"));
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in alerts {
        assert!(tests.contains(&format!("- alertname: {alert}\n")), "no test sees {alert} fire");
        assert!(tests.contains(&format!("{{alertname: {alert}, ")), "no test sees {alert} silent");
    }
}

/// A process that exports a value in every metric.
async fn busy_process() -> (TestDb, Process) {
    let db = TestDb::migrated(Database::Sqlite);
    create_user(&db, ADA);
    let process = Process::start_with(db.url(), &[("METRICS_TOKEN", TOKEN)]);
    let tokens = process.login(ADA).await;
    process.refresh(&tokens, None).await.done();
    process.get("/nowhere").await.has_status(404);
    process.wait_until_ready().await;
    (db, process)
}

/// Waits until the target's health is `health`, with `error` in the description of its last error. On a slow machine a request may
/// time out first.
async fn wait_until_target_is(health: &str, error: &str, prometheus: &Prometheus) {
    eventually(health, async || {
        let targets = prometheus.get("targets", &[]).await;
        let target = &targets["activeTargets"][0];
        (target["health"] == health && target["lastError"].as_str().unwrap().contains(error)).then_some(())
    })
    .await;
}

#[actix_web::test]
async fn prometheus_collects_with_the_token_and_with_no_other() {
    let (_db, process) = busy_process().await;
    let prometheus = Prometheus::start(process.address(), "not the token").await;
    wait_until_target_is("down", "401", &prometheus).await;
    prometheus.use_token(TOKEN);
    wait_until_target_is("up", "", &prometheus).await;
    let found = prometheus.get("query", &[("query", r#"latchkey_sign_ins_total{outcome="succeeded"}"#)]).await;
    assert_eq!(found["result"][0]["value"][1], "1", "{found}");
    assert_eq!(found["result"][0]["metric"]["job"], "latchkey", "{found}");
}

/// The rules, after Prometheus has loaded and evaluated them.
async fn evaluated_rules(prometheus: &Prometheus) -> Vec<Value> {
    eventually("every rule is evaluated", async || {
        let groups = prometheus.get("rules", &[]).await;
        let rules = groups["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
        let rules: Vec<_> = rules.cloned().collect();
        (!rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown")).then_some(rules)
    })
    .await
}

/// The dashboard's queries, with its variables filled in.
fn dashboard_expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions = targets.map(|target| target["expr"].as_str().unwrap());
    expressions.map(filled_in).collect()
}

fn filled_in(expression: &str) -> String {
    [("$__rate_interval", "5m"), ("$job", "latchkey"), ("$instance", ".*")]
        .iter()
        .fold(expression.to_owned(), |text, (variable, value)| text.replace(variable, value))
}

#[actix_web::test]
async fn rules_and_panels_use_existing_metrics_and_every_metric_is_used() {
    let (_db, process) = busy_process().await;
    let prometheus = Prometheus::start(process.address(), TOKEN).await;
    wait_until_target_is("up", "", &prometheus).await;
    let rules = evaluated_rules(&prometheus).await;
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    let mut expressions: Vec<_> = rules.iter().map(|rule| rule["query"].as_str().unwrap().to_owned()).collect();
    expressions.extend(dashboard_expressions());
    let scraped = send(process.request(Method::GET, "/metrics").bearer_auth(TOKEN)).await.text();
    let exported = Exported::read(&scraped);
    for expression in &expressions {
        let found = prometheus.get("query", &[("query", expression)]).await;
        assert!(found["result"].is_array(), "{expression}: {found}");
        exported.check(expression);
    }
    let used: BTreeSet<_> = expressions.iter().flat_map(|expression| names_in(expression)).collect();
    // Only Latchkey's own metrics, which `documents` compares with the table; features' metrics are left out.
    let table = Document::read("docs/reference/metrics.md").text;
    let own: Vec<_> = exported.families().filter(|family| table.contains(&format!("`{family}"))).collect();
    assert!(own.len() > 20, "the table lacks metrics");
    let unused: Vec<_> = own.iter().filter(|family| !used.iter().any(|name| name.starts_with(**family))).collect();
    assert!(unused.is_empty(), "neither a rule nor a panel uses {unused:?}");
}

/// The fragment that GitHub generates for a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-").replace([',', '.', ':', '`'], "")
}

#[test]
fn every_alert_has_a_runbook_that_names_it() {
    let operations = std::fs::read_to_string(monitoring().join("../runbook.md")).unwrap();
    let sections: Vec<_> = operations.split("\n## ").skip(1).map(|text| text.split_once('\n').unwrap()).collect();
    for rule in read("alerts.yml").split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let runbook = rule.split("runbook: docs/operations/runbook.md#").nth(1).unwrap().lines().next().unwrap();
        let section = sections.iter().find(|(heading, _)| anchor(heading) == runbook);
        let (_, text) =
            section.unwrap_or_else(|| panic!("{name}: docs/operations/runbook.md has no section #{runbook}"));
        assert!(text.contains(&format!("`{name}`")), "the section #{runbook} does not name {name}");
        assert!(rule.contains("severity: critical") || rule.contains("severity: warning"), "{name}");
        assert!(rule.contains("summary: ") && rule.contains("description: "), "{name}");
    }
}

/// Grafana needs these to import a dashboard with its own data source.
#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: Value = serde_json::from_str(&read("dashboard.json")).unwrap();
    assert!(dashboard["schemaVersion"].as_i64().unwrap() >= 36 && dashboard["title"] == "Latchkey");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!((&variables[0]["name"], &variables[0]["type"]), (&json!("datasource"), &json!("datasource")));
    let mut ids = BTreeSet::new();
    let mut positions = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{panel}");
        let position = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_i64().unwrap());
        assert!(position[0] + position[2] <= 24 && !positions.iter().any(|other| overlap(position, *other)), "{panel}");
        positions.push(position);
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{panel}");
        }
    }
}

fn overlap([x, y, w, h]: [i64; 4], [x2, y2, w2, h2]: [i64; 4]) -> bool {
    x < x2 + w2 && x2 < x + w && y < y2 + h2 && y2 < y + h
}

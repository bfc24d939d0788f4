//! What is in `deploy/`, judged by those who will use it: Prometheus, Helm, Kubernetes, Compose, systemd.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::Tools;
use crate::process;
use crate::report::{Failure, Outcome, Verdict};
use crate::workspace;

const RULES: &str = "deploy/prometheus/stoa.rules.yaml";
const RULES_TEST: &str = "deploy/prometheus/stoa.rules.test.yaml";
const DASHBOARD: &str = "deploy/grafana/stoa.json";
const CHART: &str = "deploy/helm/stoa";
const UNIT: &str = "deploy/systemd/stoad.service";

/// The Kubernetes whose schemas the chart is held to.
const KUBERNETES: &str = "1.30";

/// The most that `systemd-analyze security` may find, in tenths: "OK" goes to 49.
const EXPOSURE: &str = "20";

/// Runs the step.
pub(crate) fn step() -> Outcome {
    let root = workspace::root();
    let target = workspace::read()?.target;
    let check = Check {
        root: &root,
        tools: Tools::below(&target),
        scratch: target.join("deploy"),
    };
    fs::create_dir_all(&check.scratch).map_err(|error| Failure::new(error.to_string()))?;
    let documents = check.documents()?;
    if !documents.is_empty() {
        return Err(Failure::new(documents.join("\n")));
    }
    check.prometheus()?;
    check.others()?;
    Ok(Verdict::Passed)
}

struct Check<'a> {
    root: &'a Path,
    tools: Tools,
    scratch: PathBuf,
}

impl Check<'_> {
    fn read(&self, path: &str) -> Result<String, Failure> {
        let text = fs::read_to_string(self.root.join(path));
        text.map_err(|error| Failure::new(format!("{path}: {error}")))
    }

    /// Metrics that the node has, alerts that the runbook explains, panels that are described.
    fn documents(&self) -> Result<Vec<String>, Failure> {
        let (rules, dashboard) = (self.read(RULES)?, self.read(DASHBOARD)?);
        let metrics = self.read("docs/metrics.md")?;
        let (runbook, panels) = (
            self.read("docs/runbook.md")?,
            self.read("docs/dashboard.md")?,
        );
        let mut wrong = Vec::new();
        for (path, text) in [(RULES, &rules), (DASHBOARD, &dashboard)] {
            for name in metric_names(text) {
                if !metrics.contains(&format!("`{name}`")) {
                    wrong.push(format!("{path}: {name} is not in docs/metrics.md"));
                }
            }
        }
        let tests = self.read(RULES_TEST)?;
        for alert in alerts(&rules) {
            let section = format!("\n## {alert}\n");
            if !runbook.contains(&section) {
                wrong.push(format!("docs/runbook.md: has no section {alert}"));
            }
            if tests.matches(&format!("alertname: {alert}\n")).count() < 2 {
                wrong.push(format!(
                    "{RULES_TEST}: {alert} has to fire once, and not to fire once"
                ));
            }
        }
        for panel in panels_of(&dashboard)? {
            if !panels.contains(&format!("| {} |", panel.title)) {
                wrong.push(format!(
                    "docs/dashboard.md: {:?} is not described",
                    panel.title
                ));
            }
        }
        Ok(wrong)
    }

    fn prometheus(&self) -> Result<(), Failure> {
        let mut rules = String::from("groups:\n  - name: panels\n    rules:\n");
        for (number, expr) in panels_of(&self.read(DASHBOARD)?)?
            .iter()
            .flat_map(|panel| &panel.expressions)
            .enumerate()
        {
            // Grafana puts the chosen nodes there.
            let expr = expr.replace("$instance", ".*");
            let expr = serde_json::Value::String(expr);
            rules += &format!("      - {{record: 'panel:{number}', expr: {expr}}}\n");
        }
        let panels = self.scratch.join("panels.yaml");
        fs::write(&panels, rules).map_err(|error| Failure::new(error.to_string()))?;
        let promtool = |arguments: [&str; 2], file: &Path| {
            let mut command = Command::new("promtool");
            command.args(arguments).arg(file);
            self.run(&mut command)
        };
        promtool(["check", "rules"], Path::new(RULES))?;
        promtool(["test", "rules"], Path::new(RULES_TEST))?;
        promtool(["check", "rules"], &panels)?;
        promtool(
            ["check", "config"],
            Path::new("deploy/compose/prometheus.yml"),
        )
    }

    fn others(&self) -> Result<(), Failure> {
        let tool = |name: &str| Command::new(self.tools.python_folder().join("bin").join(name));
        self.run(tool("yamllint").args(["--strict", "deploy"]))?;
        let schema = ["--builtin-schema", "vendor.compose-spec"];
        self.run(
            tool("check-jsonschema")
                .args(schema)
                .arg("deploy/compose/compose.yaml"),
        )?;
        self.run(tool("hadolint").arg("deploy/docker/Dockerfile"))?;
        let values = format!("{CHART}/example-values.yaml");
        self.run(tool("helm").args(["lint", "--quiet", "--strict", CHART, "--values", &values]))?;
        let mut helm = tool("helm");
        helm.current_dir(self.root);
        helm.args(["template", "stoa", CHART, "--values", &values]);
        let rendered = process::capture(&mut helm)?;
        let file = self.scratch.join("rendered.yaml");
        fs::write(&file, rendered).map_err(|error| Failure::new(error.to_string()))?;
        let version = ["--strict", "--quiet", "-k", KUBERNETES];
        self.run(tool("kubernetes-validate").args(version).arg(&file))?;
        // Without what has to be set there is no chart.
        if process::succeeds(
            tool("helm")
                .current_dir(self.root)
                .args(["template", "stoa", CHART]),
        ) {
            return Err(Failure::new(format!(
                "{CHART}: values without tenants and an ops key are taken"
            )));
        }
        match process::find("systemd-analyze") {
            None => println!("systemd-analyze is not there: {UNIT} is not judged"),
            Some(program) => {
                let security = [
                    "security",
                    "--no-pager",
                    "--offline=true",
                    "--threshold",
                    EXPOSURE,
                ];
                let mut command = Command::new(program);
                command.args(security).arg(UNIT);
                command.stdout(std::process::Stdio::null());
                self.run(&mut command)?;
            }
        }
        Ok(())
    }

    fn run(&self, command: &mut Command) -> Result<(), Failure> {
        process::run(command.current_dir(self.root))
    }
}

struct Panel {
    title: String,
    expressions: Vec<String>,
}

/// The panels of a dashboard that show something.
fn panels_of(dashboard: &str) -> Result<Vec<Panel>, Failure> {
    let wrong = |why: &str| Failure::new(format!("{DASHBOARD}: {why}"));
    let whole: serde_json::Value =
        serde_json::from_str(dashboard).map_err(|error| wrong(&error.to_string()))?;
    let panels = whole["panels"]
        .as_array()
        .ok_or_else(|| wrong("has no panels"))?;
    let mut found = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let expressions: Vec<String> = targets
            .filter_map(|target| Some(target["expr"].as_str()?.to_owned()))
            .collect();
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        if title.is_empty() || expressions.is_empty() {
            return Err(wrong("has a panel without a title or a query"));
        }
        found.push(Panel { title, expressions });
    }
    Ok(found)
}

/// The node's metrics that a text names, without what a histogram adds to its name.
fn metric_names(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_part(c));
    let names = words.filter(|word| word.starts_with("stoa_"));
    names
        .map(|name| {
            let of_histogram = ["_bucket", "_sum", "_count"].iter();
            let bare = of_histogram.filter_map(|end| name.strip_suffix(end)).next();
            bare.unwrap_or(name)
        })
        .collect()
}

fn alerts(rules: &str) -> Vec<&str> {
    let lines = rules.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("- alert: "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let text = "rate(stoa_a_total{x=\"1\"}[5m]) / stoa:b:ratio + stoa_c_seconds_bucket";
        let names: Vec<&str> = metric_names(text).into_iter().collect();
        assert_eq!(names, ["stoa_a_total", "stoa_c_seconds"]);
    }

    #[test]
    fn a_panel_without_a_query_is_refused() {
        let dashboard = |targets: &str| {
            format!(r#"{{"panels": [{{"type": "row"}}, {{"title": "A", "targets": {targets}}}]}}"#)
        };
        let panels = panels_of(&dashboard(r#"[{"expr": "up"}]"#)).expect("it has one");
        assert_eq!(panels[0].expressions, ["up"]);
        assert!(panels_of(&dashboard("[]")).is_err() && panels_of("{}").is_err());
    }

    #[test]
    fn the_documents_name_only_alerts_that_there_are() {
        let rules = fs::read_to_string(workspace::root().join(RULES)).expect("the rules");
        let alerts = alerts(&rules);
        let mut wrong = Vec::new();
        for document in stoa_docs::documents().expect("the documents can be read") {
            for (index, line) in document.text.lines().enumerate() {
                let words = line.split(|c: char| !c.is_ascii_alphanumeric());
                let is_name = |word: &&str| {
                    let rest = word.strip_prefix("Stoa").unwrap_or_default();
                    rest.starts_with(|c: char| c.is_ascii_uppercase())
                };
                let names = words.filter(is_name).filter(|name| !alerts.contains(name));
                wrong.extend(names.map(|name| format!("{}:{}: {name}", document.path, index + 1)));
            }
        }
        assert!(wrong.is_empty(), "there are no such alerts: {wrong:#?}");
    }

    #[test]
    fn every_alert_is_found() {
        assert_eq!(
            alerts("- alert: A\n  expr: x\n      - alert: B\n"),
            ["A", "B"]
        );
    }
}

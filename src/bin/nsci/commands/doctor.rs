//! `nsci doctor`: what this host has, what it lacks and what to do about it. Needs no session.

use std::fmt::Write as _;

use nsci_runtime::probe::{self, Finding, Level};

use crate::exit_code::Exit;
use crate::output::{Output, pretty};
use crate::report::Failure;
use crate::settings::Settings;

/// Tries what containers need.
///
/// # Errors
/// Exit code 1, after the report, if something is missing without which no container can run.
pub(super) fn doctor(settings: &Settings, json: bool) -> Result<Output, Failure> {
    let findings = probe::all(&settings.store_dir()?);
    let text = if json {
        let value = serde_json::to_value(&findings);
        pretty(&value.map_err(|error| Failure::internal("cannot write JSON").because(&error))?)
    } else {
        table(&findings)
    };
    let output = Output::text(text);
    if findings.iter().all(|finding| finding.level != Level::Fatal) {
        return Ok(output);
    }
    output.print()?;
    Err(Failure::Code(Exit::Failed))
}

fn table(findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|finding| finding.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for Finding {
        name,
        level,
        detail,
        fix,
    } in findings
    {
        let word = match level {
            Level::Good => "ok",
            Level::Degraded => "degraded",
            Level::Fatal => "MISSING",
        };
        _ = writeln!(out, "{word:8}  {name:width$}  {detail}");
        if let Some(fix) = fix {
            for line in fix.lines() {
                _ = writeln!(out, "{:8}  {:width$}  → {line}", "", "");
            }
        }
    }
    let fatal = findings
        .iter()
        .filter(|finding| finding.level == Level::Fatal)
        .count();
    let degraded = findings
        .iter()
        .filter(|finding| finding.level == Level::Degraded)
        .count();
    let verdict = match (fatal, degraded) {
        (0, 0) => "Everything is there.".to_owned(),
        (0, few) => format!("Containers can run; {few} degraded."),
        (missing, _) => format!("Containers cannot run: {missing} missing."),
    };
    _ = writeln!(out, "\n{verdict}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_says_what_to_do() {
        let finding = |name: &str, level, detail: &str, fix: Option<&str>| Finding {
            name: name.into(),
            level,
            detail: detail.into(),
            fix: fix.map(Into::into),
        };
        let findings = [
            finding("kernel", Level::Good, "Linux 6.8", None),
            finding("subordinate ids", Level::Fatal, "none", Some("usermod …")),
        ];
        insta::assert_snapshot!(table(&findings), @r"
        ok        kernel           Linux 6.8
        MISSING   subordinate ids  none
                                   → usermod …

        Containers cannot run: 1 missing.
        ");
    }
}

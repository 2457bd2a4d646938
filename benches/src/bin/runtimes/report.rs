//! The tables that are printed, in Markdown, and the JSON that is kept.
//!
//! ```text
//! { "machine": { ... }, "go": "go version ...", "arguments": "...", "rows": [
//! {"workload":"spawn", ... one line a workload, with the samples of every round },
//! ] }
//! ```

use std::fs;
use std::path::PathBuf;

use gosched_benches::machine::Machine;
use gosched_benches::statistics::Spread;
use serde::Serialize;

use crate::metric::{Metric, metrics};
use crate::rounds::{Contender, Row};
use crate::sample::Sample;

/// A measured workload, as it is kept.
#[derive(Debug, Serialize)]
struct Kept<'a> {
    workload: &'static str,
    operation: &'static str,
    /// Of the machine, when the workload began.
    load: Option<f64>,
    contenders: Vec<KeptContender<'a>>,
    left_out: &'a [String],
}

#[derive(Debug, Serialize)]
struct KeptContender<'a> {
    runtime: &'static str,
    workers: usize,
    tasks: usize,
    rounds: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    metrics: Vec<KeptMetric>,
    samples: &'a [Sample],
}

#[derive(Debug, Serialize)]
struct KeptMetric {
    name: &'static str,
    value: Option<Spread>,
    to_go: Option<Spread>,
    to_one_worker: Option<Spread>,
}

fn kept(row: &Row, load: Option<f64>) -> Kept<'_> {
    Kept {
        workload: row.workload.name(),
        operation: row.workload.operation(),
        load,
        contenders: row.contenders.iter().map(|one| kept_contender(row, one)).collect(),
        left_out: &row.left_out,
    }
}

fn kept_contender<'a>(row: &Row, contender: &'a Contender) -> KeptContender<'a> {
    let Contender { runtime, workers, size, samples, failure } = contender;
    let metric = |metric: &Metric| KeptMetric {
        name: metric.name,
        value: metric.spread(contender),
        to_go: metric.to_go(row, contender),
        to_one_worker: metric.to_one_worker(row, contender),
    };
    KeptContender {
        runtime: runtime.name(),
        workers: *workers,
        tasks: size.tasks,
        rounds: size.rounds,
        failure: failure.as_deref(),
        metrics: metrics(row.workload).iter().map(metric).collect(),
        samples,
    }
}

/// A workload's table, and below it who is missing and what is to be known.
pub(crate) fn table(row: &Row, load: Option<f64>) -> String {
    let mut lines = vec![header(row)];
    lines.push(lines[0].iter().map(|_| "---:".to_owned()).collect());
    lines[1][0] = "---".to_owned();
    lines.extend(row.contenders.iter().map(|contender| cells(row, contender)));
    let rounds = row.contenders.iter().map(|one| one.samples.len()).max().unwrap_or(0);
    let load = load.map_or(String::new(), |load| format!(", load {load}"));
    let (workload, operation) = (row.workload, row.workload.operation());
    let mut text = format!("\n### {workload}\n\n{operation}; {rounds} rounds{load}\n\n");
    text += &aligned(&lines);
    let mut remarks = row.left_out.clone();
    let failed = |one: &Contender| {
        let failure = one.failure.as_ref()?;
        Some(format!("{} with {} workers: FAILED: {failure}", one.runtime, one.workers))
    };
    remarks.extend(row.contenders.iter().filter_map(failed));
    remarks.extend(
        row.contenders.iter().filter_map(|one| one.runtime.note(row.workload)).map(Into::into),
    );
    remarks.dedup();
    if !remarks.is_empty() {
        text += "\n";
        remarks.iter().for_each(|remark| text += &format!("* {remark}\n"));
    }
    text
}

fn header(row: &Row) -> Vec<String> {
    let mut cells = vec!["runtime".to_owned(), "workers".to_owned(), "operations".to_owned()];
    for (index, metric) in metrics(row.workload).iter().enumerate() {
        cells.push(metric.name.to_owned());
        if index == 0 {
            cells.push("least".to_owned());
        }
        if metric.compared {
            cells.push("/ go".to_owned());
        }
    }
    cells.push(format!("{} / 1 worker", metrics(row.workload)[0].name));
    cells
}

fn cells(row: &Row, contender: &Contender) -> Vec<String> {
    let Contender { runtime, workers, size, .. } = contender;
    let mut cells = vec![runtime.to_string(), workers.to_string(), size.operations().to_string()];
    let missing = || "-".to_owned();
    for (index, metric) in metrics(row.workload).iter().enumerate() {
        let spread = metric.spread(contender);
        cells.push(spread.map_or_else(missing, |value| figure(value.median)));
        if index == 0 {
            cells.push(spread.map_or_else(missing, |value| figure(value.min)));
        }
        if metric.compared {
            cells.push(metric.to_go(row, contender).map_or_else(missing, ratio));
        }
    }
    let scaling = metrics(row.workload)[0].to_one_worker(row, contender);
    cells.push(scaling.map_or_else(missing, ratio));
    cells
}

/// The median, and the quartiles when there are rounds enough to have any.
fn ratio(spread: Spread) -> String {
    match spread {
        Spread { min, median, max, .. } if min.to_bits() == max.to_bits() => format!("{median:.2}"),
        Spread { q1, median, q3, .. } => format!("{median:.2} [{q1:.2}..{q3:.2}]"),
    }
}

/// Three digits that say something.
fn figure(value: f64) -> String {
    match value {
        large if large.abs() >= 100.0 => format!("{large:.0}"),
        middle if middle.abs() >= 10.0 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}

/// A Markdown table whose columns also stand below each other as they are.
fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|cells| cells[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for cells in lines {
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            text += &match column {
                0 => format!("| {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            };
        }
        text += "\n";
    }
    text
}

/// The results so far, in memory and in a file.
#[derive(Debug)]
pub(crate) struct Record {
    machine: Machine,
    go: Option<String>,
    lines: Vec<String>,
    path: Option<PathBuf>,
}

impl Record {
    /// An empty record. Tries the file at once: not to be told after minutes that it cannot be
    /// written.
    pub(crate) fn new(go: Option<String>, path: Option<PathBuf>) -> Result<Self, String> {
        let record = Self { machine: Machine::here(), go, lines: Vec::new(), path };
        if let Some(path) = &record.path {
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(record)
    }

    /// The lines above all tables.
    pub(crate) fn header(&self) -> String {
        let Machine { cpu, processors, threads_per_core, system, rustc, commit, peers, date } =
            &self.machine;
        let go = self.go.as_deref().unwrap_or("no Go");
        format!(
            "{cpu}, {processors} processors, {threads_per_core} to a core, {system}\n\
             {rustc}, {go}, commit {commit}, {peers}, {date}\n"
        )
    }

    /// Adds a workload, and writes the file anew: an interrupted run leaves what it has.
    pub(crate) fn add(&mut self, row: &Row, load: Option<f64>) -> Result<(), String> {
        self.lines.push(serde_json::to_string(&kept(row, load)).map_err(no_json)?);
        let Some(path) = &self.path else { return Ok(()) };
        fs::write(path, self.json()?)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    fn json(&self) -> Result<String, String> {
        let machine = serde_json::to_string_pretty(&self.machine).map_err(no_json)?;
        let go = serde_json::to_string(&self.go).map_err(no_json)?;
        let arguments: Vec<_> = std::env::args().skip(1).collect();
        let arguments = serde_json::to_string(&arguments.join(" ")).map_err(no_json)?;
        let lines = self.lines.join(",\n");
        Ok(format!(
            "{{\"machine\": {machine},\n\"go\": {go},\n\"arguments\": {arguments},\n\
             \"rows\": [\n{lines}\n]}}\n"
        ))
    }
}

fn no_json(error: serde_json::Error) -> String {
    format!("cannot make JSON: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Runtime;
    use crate::workload::Workload;

    fn measured() -> Row {
        let mut row = Row::new(Workload::Wake, &[Runtime::Go, Runtime::Smol], &[1, 2], 1.0);
        for (contender, p50) in row.contenders.iter_mut().zip([40_000, 10_000, 20_000]) {
            let sample = Sample { operations: 500, p50_ns: Some(p50), ..Sample::default() };
            contender.samples = vec![sample.clone(), sample];
        }
        row
    }

    #[test]
    fn a_table_has_the_figures_the_ratios_and_who_is_left_out() {
        let table = table(&measured(), Some(0.5));
        let line = table.lines().find(|line| line.starts_with("| smol    |       2 |"));
        let cells: Vec<_> = line.expect("smol's line").split('|').map(str::trim).collect();
        assert_eq!(cells[3..7], ["500", "20.0", "20.0", "0.50"], "{table}");
        assert_eq!(cells[cells.len() - 2], "2.00", "{table}");
        assert!(table.contains("load 0.5") && table.contains("* go with 1 workers: "), "{table}");
        let widths: Vec<_> = table.lines().filter(|line| line.starts_with('|')).collect();
        assert!(widths.iter().all(|line| line.len() == widths[0].len()), "{table}");
    }

    #[test]
    fn a_failure_stands_below_the_table() {
        let mut row = measured();
        row.contenders[1].samples.clear();
        row.contenders[1].failure = Some("not done after 9 s".to_owned());
        let table = table(&row, None);
        assert!(table.contains("* smol with 1 workers: FAILED: not done after 9 s"), "{table}");
    }

    #[test]
    fn a_record_is_json_with_every_sample_also_when_the_run_is_cut_short() {
        let file = std::env::temp_dir().join(format!("gosched-peers-{}", std::process::id()));
        let mut record = Record::new(None, Some(file.clone())).expect("writable");
        record.add(&measured(), None).expect("written");
        record.add(&measured(), Some(2.0)).expect("written");
        let text = fs::read_to_string(&file).expect("the file");
        drop(fs::remove_file(&file));
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["rows"].as_array().map(Vec::len), Some(2));
        let smol = &json["rows"][1]["contenders"][2];
        assert_eq!(smol["samples"].as_array().map(Vec::len), Some(2));
        assert_eq!(smol["metrics"][0]["to_one_worker"]["median"], 2.0);
    }
}

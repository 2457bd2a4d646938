//! How a run looks while it runs: bars on a terminal, plain lines elsewhere. All on standard error,
//! so that standard output holds the table and nothing else.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::engine::Check;
use crate::report::{Row, thousands};

/// Without a terminal, a line comes at least this often.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The display of one run.
#[derive(Debug)]
pub(super) struct Display {
    started: Instant,
    last_line: Instant,
    total: usize,
    ended: usize,
    running: BTreeMap<usize, Running>,
    seconds: u64,
    bars: Option<Bars>,
}

#[derive(Debug)]
struct Running {
    id: String,
    since: Instant,
    executions: u64,
    bar: Option<ProgressBar>,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    overall: ProgressBar,
}

impl Display {
    /// The display of a run of `total` checks with `seconds` for each.
    #[must_use]
    pub(super) fn new(total: usize, seconds: u64) -> Self {
        let now = Instant::now();
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(total));
        let running = BTreeMap::new();
        Self { started: now, last_line: now, total, ended: 0, running, seconds, bars }
    }

    /// A check started.
    pub(super) fn started(&mut self, index: usize, check: &Check) {
        let id = check.id();
        let bar = self.bars.as_ref().map(|bars| bars.check(&id, self.seconds));
        self.running.insert(index, Running { id, since: Instant::now(), executions: 0, bar });
    }

    /// A check went on.
    pub(super) fn executions(&mut self, index: usize, executions: u64) {
        if let Some(running) = self.running.get_mut(&index) {
            running.executions = executions;
        }
    }

    /// A check ended.
    pub(super) fn ended(&mut self, index: usize, row: &Row) {
        self.ended += 1;
        if let Some(bar) = self.running.remove(&index).and_then(|running| running.bar) {
            bar.finish_and_clear();
        }
        let line = format!(
            "[{}/{}] {}: {}, {} executions, {:.1} s",
            self.ended,
            self.total,
            row.id,
            row.verdict,
            thousands(row.executions),
            row.seconds
        );
        match &self.bars {
            // On a terminal the bars tell of success; a line stays only for what is not.
            Some(bars) => {
                bars.overall.set_position(self.ended as u64);
                if row.verdict.is_failure() || row.verdict.is_incomplete() {
                    let _ = bars.all.println(line);
                }
            }
            None => self.line(&line),
        }
    }

    /// Time passed.
    pub(super) fn tick(&mut self) {
        if let Some(bars) = &self.bars {
            bars.overall.tick();
            for running in self.running.values() {
                if let Some(bar) = &running.bar {
                    bar.set_position(running.since.elapsed().as_secs());
                    bar.set_message(thousands(running.executions));
                }
            }
        } else if self.last_line.elapsed() >= HEARTBEAT {
            let running: Vec<_> = self
                .running
                .values()
                .map(|it| format!("{} ({} executions)", it.id, thousands(it.executions)))
                .collect();
            let seconds = self.started.elapsed().as_secs();
            self.line(&format!(
                "[{}/{}] after {seconds} s, running: {}",
                self.ended,
                self.total,
                running.join(", ")
            ));
        }
    }

    /// The run is over.
    pub(super) fn finish(&mut self) {
        if let Some(bars) = &self.bars {
            bars.overall.finish_and_clear();
            let _ = bars.all.clear();
        }
    }

    fn line(&mut self, line: &str) {
        // A reader that left is no reason to end the run.
        let _ = writeln!(std::io::stderr(), "{line}");
        self.last_line = Instant::now();
    }
}

impl Bars {
    fn new(total: usize) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} checks")
            .expect("the template is well-formed");
        let overall = all.add(ProgressBar::new(total as u64).with_style(style));
        Self { all, overall }
    }

    /// A bar that fills as the check's time runs out.
    fn check(&self, id: &str, seconds: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("  {bar:10} {prefix}  {msg} executions")
            .expect("the template is well-formed");
        let bar = ProgressBar::new(seconds).with_style(style).with_prefix(id.to_owned());
        self.all.insert_before(&self.overall, bar)
    }
}

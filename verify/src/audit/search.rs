//! The search: which cases reach which site, and which case notices which weakening.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::process::Command;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::child::{Ending, Engine, Job, wait};
use super::source::Sources;
use super::survivors::Survivor;
use super::verdict::{Audit, Row, Verdict, describe};
use super::weaker::{implies, weakenings};
use crate::instrument::{Part, Site, Weakening};

/// A case that may notice a weakening.
#[derive(Clone, Debug)]
pub struct Case {
    /// `claim/case`.
    pub name: String,
    /// What explores it.
    pub engine: Engine,
}

/// What is audited, and by what.
pub struct Subject {
    /// The cases.
    pub cases: Vec<Case>,
    /// The text of the code under audit.
    pub sources: Sources,
    /// The process that does a job: it must end in [`run`](super::child::run).
    pub launch: Box<dyn Fn(&Job) -> Command + Send + Sync>,
    /// What is known to survive.
    pub survivors: &'static [Survivor],
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("cases", &self.cases).finish_non_exhaustive()
    }
}

/// How far the search goes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Children at a time.
    pub jobs: usize,
    /// Seconds for one case with nothing weakened: one that takes longer takes no part.
    pub budget: u64,
    /// Seconds for one case under one weakening.
    pub seconds: u64,
    /// Only sites whose `file:line function operation` contains this.
    pub only: Option<String>,
}

/// Why there is no audit.
#[derive(Debug)]
pub enum Error {
    /// A child could not be run.
    Child(io::Error),
    /// A case fails although nothing is weakened.
    Baseline {
        /// The case.
        case: String,
        /// What it says.
        message: String,
    },
    /// No case reached a site.
    NothingReached,
    /// No site that was reached has an ordering to weaken and matches the pattern.
    NothingMatches,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Child(error) => write!(f, "cannot run a child process: {error}"),
            Self::Baseline { case, message } => {
                write!(f, "{case} fails although nothing is weakened: {message}")
            }
            Self::NothingMatches => f.write_str("no ordering that can be weakened matches --only"),
            Self::NothingReached => f.write_str("no case reached an atomic operation under audit"),
        }
    }
}

impl std::error::Error for Error {}

/// A case that passed with nothing weakened, and what that showed.
struct Known<'a> {
    case: &'a Case,
    executions: u64,
    reached: Vec<Site>,
}

/// Audits the subject, telling `progress` a line now and then.
///
/// # Errors
///
/// When a child cannot be run, a case fails with nothing weakened, or nothing is reached.
pub fn audit(
    subject: &Subject,
    limits: &Limits,
    progress: &(dyn Fn(String) + Sync),
) -> Result<Audit, Error> {
    let begun = Instant::now();
    let (known, cut_off) = discover(subject, limits, progress)?;
    let mut sites: Vec<&Site> = known.iter().flat_map(|known| &known.reached).collect();
    sites.sort_unstable();
    sites.dedup();
    if sites.is_empty() {
        return Err(Error::NothingReached);
    }
    let groups: Vec<(&Site, Part)> = sites
        .iter()
        .flat_map(|site| [(*site, Part::Success), (*site, Part::Failure)])
        .filter(|(site, part)| !weakenings(site, *part).is_empty())
        .filter(|(site, _)| selected(&subject.sources, site, limits))
        .collect();
    if groups.is_empty() {
        return Err(Error::NothingMatches);
    }
    progress(format!("{} orderings at {} sites", groups.len(), sites.len()));
    let done = AtomicUsize::new(0);
    let judged = in_parallel(limits.jobs, &groups, |(site, part)| {
        let rows = judge(subject, limits, &known, site, *part)?;
        // ORDER: Relaxed: a number to show.
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        for row in &rows {
            progress(format!("[{done}/{}] {row}", groups.len()));
        }
        Ok(rows)
    });
    let mut rows = Vec::new();
    for group in judged {
        rows.extend(group.map_err(Error::Child)?);
    }
    if limits.only.is_none() {
        let sites: Vec<Site> = sites.into_iter().cloned().collect();
        rows.extend(subject.sources.unreached(&sites).into_iter().map(Row::unreached));
    }
    rows.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    Ok(Audit::new(rows, subject.survivors, limits.only.is_none(), known.len(), cut_off, begun))
}

fn selected(sources: &Sources, site: &Site, limits: &Limits) -> bool {
    limits.only.as_ref().is_none_or(|pattern| {
        let (function, operation) = (sources.function(site), sources.operation(site));
        format!("{}:{} {function} {operation}", site.file, site.line).contains(pattern)
    })
}

/// Runs every case with nothing weakened. Returns what is known of those that ended in time, the
/// cheapest first, and the names of the others.
fn discover<'a>(
    subject: &'a Subject,
    limits: &Limits,
    progress: &(dyn Fn(String) + Sync),
) -> Result<(Vec<Known<'a>>, Vec<String>), Error> {
    progress(format!("{} cases, with nothing weakened", subject.cases.len()));
    let endings =
        in_parallel(limits.jobs, &subject.cases, |case| experiment(subject, limits, case, None));
    let mut known = Vec::new();
    let mut cut_off = Vec::new();
    for (case, ending) in subject.cases.iter().zip(endings) {
        match ending.map_err(Error::Child)? {
            Ending::Passed { executions, reached } => {
                known.push(Known { case, executions, reached });
            }
            Ending::OutOfTime => cut_off.push(format!("{} under {}", case.name, case.engine)),
            Ending::Failed { message, .. } => {
                let case = format!("{} under {}", case.name, case.engine);
                return Err(Error::Baseline { case, message });
            }
        }
    }
    // By executions and not by time, so that two audits of one source find the same killers.
    known.sort_by(|one, other| {
        (one.executions, &one.case.name).cmp(&(other.executions, &other.case.name))
    });
    Ok((known, cut_off))
}

fn experiment(
    subject: &Subject,
    limits: &Limits,
    case: &Case,
    weakening: Option<&Weakening>,
) -> io::Result<Ending> {
    let seconds = if weakening.is_some() { limits.seconds } else { limits.budget };
    let job = Job {
        case: case.name.clone(),
        engine: case.engine,
        weakening: weakening.cloned(),
        seconds,
    };
    wait((subject.launch)(&job), seconds)
}

/// Judges every weakening of one ordering, the bottom first.
fn judge(
    subject: &Subject,
    limits: &Limits,
    known: &[Known<'_>],
    site: &Site,
    part: Part,
) -> io::Result<Vec<Row>> {
    let mut cases: Vec<&Case> =
        known.iter().filter(|known| known.reached.contains(site)).map(|known| known.case).collect();
    let mut survived: Vec<Weakening> = Vec::new();
    let mut rows = Vec::new();
    for weakening in weakenings(site, part) {
        let begun = Instant::now();
        let verdict = match survived.iter().find(|weaker| implies(&weakening, weaker)) {
            Some(weaker) => Verdict::Implied { weaker: describe(weaker) },
            None => hunt(subject, limits, &mut cases, &weakening)?,
        };
        if matches!(verdict, Verdict::Survived { .. }) {
            survived.push(weakening.clone());
        }
        let seconds = begun.elapsed().as_secs_f64();
        rows.push(Row::weakened(&subject.sources, &weakening, verdict, seconds));
    }
    Ok(rows)
}

/// Runs the cases until one notices. That one comes first the next time: it knows the site.
fn hunt(
    subject: &Subject,
    limits: &Limits,
    cases: &mut [&Case],
    weakening: &Weakening,
) -> io::Result<Verdict> {
    let mut cut_off = 0;
    for at in 0..cases.len() {
        match experiment(subject, limits, cases[at], Some(weakening))? {
            Ending::Passed { .. } => {}
            Ending::OutOfTime => cut_off += 1,
            Ending::Failed { executions, message } => {
                let Case { name: case, engine } = cases[at].clone();
                cases[..=at].rotate_right(1);
                return Ok(Verdict::Killed { case, engine, executions, message });
            }
        }
    }
    Ok(Verdict::Survived { cases: cases.len(), cut_off })
}

/// `f` of every item, in their order, by `jobs` threads.
fn in_parallel<T: Sync, R: Send>(jobs: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                loop {
                    // ORDER: Relaxed: each number is given out once, which atomicity alone does.
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let result = f(item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(at, result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

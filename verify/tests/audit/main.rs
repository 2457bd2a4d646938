//! The audit and the counts, on code whose verdicts and costs are known.
//!
//! A program of its own rather than one of the test harness, since the audit's experiments run in
//! child processes: with a job in its environment, it is such a child.

mod counted;
mod fixture;
mod models;

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::LazyLock;

use gosched::memory::Loom;
use gosched_verify::audit::{
    Audit, Case, Engine, Job, Limits, Sources, Subject, Survivor, Verdict, audit, child,
};
use gosched_verify::explore::{Explored, Quarantine};
use gosched_verify::instrument::Audited;
use libtest_mimic::{Arguments, Trial};

/// As in the binary: with it the explorer knows the memory of the models.
#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine::new();

/// The environment variable that holds a child's job.
const JOB: &str = "GOSCHED_AUDIT_JOB";

const FILE: &str = "verify/tests/audit/fixture.rs";

/// What is known to survive in the fixture: one entry that is needed, and two that are not.
const KNOWN: &[Survivor] = &[
    Survivor {
        file: FILE,
        function: "take",
        operation: "self.takes.fetch_add(AcqRel)",
        weakened: "AcqRel -> Relaxed",
        reason: "it only counts",
    },
    Survivor {
        file: FILE,
        function: "put",
        operation: "self.full.store(Release)",
        weakened: "Release -> Relaxed",
        reason: "a mistake: it is needed",
    },
    Survivor {
        file: FILE,
        function: "steal",
        operation: "self.full.store(Release)",
        weakened: "Release -> Relaxed",
        reason: "a mistake: there is no such function",
    },
];

fn main() -> ExitCode {
    if let Ok(job) = env::var(JOB) {
        return run_child(&job);
    }
    let tests: [(&str, fn()); 8] = [
        ("audit::what_is_needed_is_noticed", what_is_needed_is_noticed),
        ("audit::what_is_too_strong_survives", what_is_too_strong_survives),
        ("audit::what_no_case_reaches_is_named", what_no_case_reaches_is_named),
        ("audit::a_stale_explanation_is_named", a_stale_explanation_is_named),
        ("counted::every_operation_is_counted_once", counted::every_operation_is_counted_once),
        (
            "counted::accesses_under_a_lock_are_told_apart",
            counted::accesses_under_a_lock_are_told_apart,
        ),
        ("counted::sections_nest_and_survive_a_panic", counted::sections_nest_and_survive_a_panic),
        ("counted::each_thread_counts_its_own", counted::each_thread_counts_its_own),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn is_fixture(file: &str) -> bool {
    file.replace('\\', "/") == FILE
}

fn run_child(job: &str) -> ExitCode {
    let job: Job = serde_json::from_str(job).expect("the parent sends a job");
    let cases = match job.engine {
        Engine::Explore => models::cases::<Audited<Explored>>(),
        Engine::Loom { .. } => models::cases::<Audited<Loom>>(),
    };
    let (_, execution) =
        cases.into_iter().find(|(name, _)| *name == job.case).expect("the case is one of ours");
    let passed = child::run(&job, is_fixture, execution);
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The audit of the fixture by each engine, made once.
static AUDITS: LazyLock<[Audit; 2]> =
    LazyLock::new(|| [Engine::Explore, Engine::Loom { preemptions: None }].map(audited_by));

fn audited_by(engine: Engine) -> Audit {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let cases = models::cases::<Audited<Loom>>();
    let subject = Subject {
        cases: cases.map(|(name, _)| Case { name: name.into(), engine }).into(),
        sources: Sources::read(root, "verify/tests/audit", is_fixture).expect("it is there"),
        launch: Box::new(|job| {
            let mut command = Command::new(env::current_exe().expect("we have a name"));
            command.env(JOB, serde_json::to_string(job).expect("a job is plain data"));
            command
        }),
        survivors: KNOWN,
    };
    let limits = Limits { jobs: 2, budget: 60, seconds: 60, only: None };
    audit(&subject, &limits, &|_| {}).expect("the fixture can be audited")
}

/// Every row of the audit: function, operation, weakening, and the case that noticed.
fn rows(audit: &'static Audit) -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let verdict = |verdict: &'static Verdict| match verdict {
        Verdict::Killed { case, .. } => case.as_str(),
        Verdict::Survived { cut_off: 0, .. } => "survived",
        Verdict::Survived { .. } => "not finished",
        Verdict::Implied { .. } => "implied",
        Verdict::Unreached => "unreached",
    };
    let row = |row: &'static gosched_verify::audit::Row| {
        (&*row.function, &*row.operation, &*row.weakened, verdict(&row.verdict))
    };
    audit.rows.iter().map(row).collect()
}

fn what_is_needed_is_noticed() {
    let (handed_over, closed) = ("slot/handed_over", "slot/closed");
    let expected = [
        ("put", "self.full.store(Release)", "Release -> Relaxed", handed_over),
        ("take", "self.full.load(Acquire)", "Acquire -> Relaxed", handed_over),
        (
            "take_or_close",
            "self.full.compare_exchange(Relaxed, Acquire)",
            "failure: Acquire -> Relaxed",
            closed,
        ),
        ("announce", "Mem::fence(SeqCst)", "SeqCst -> none", "dekker/full"),
        ("announce", "Mem::fence(SeqCst)", "SeqCst -> Release", "dekker/full"),
        ("announce", "Mem::fence(SeqCst)", "SeqCst -> Acquire", "dekker/full"),
        ("announce", "Mem::fence(SeqCst)", "SeqCst -> AcqRel", "dekker/full"),
        ("announce_often", "Mem::light_fence()", "light -> none", "dekker/asymmetric"),
        ("announce_rarely", "Mem::heavy_fence()", "heavy -> none", "dekker/asymmetric"),
    ];
    for audit in &*AUDITS {
        let killed: Vec<_> = rows(audit).into_iter().filter(|row| row.3.contains('/')).collect();
        // Either of the slot's two cases may notice that nothing was published.
        let noticed = killed.iter().map(|row| match *row {
            ("put", operation, weakened, "slot/closed") => {
                ("put", operation, weakened, handed_over)
            }
            row => row,
        });
        assert_eq!(noticed.collect::<Vec<_>>(), expected);
    }
}

fn what_is_too_strong_survives() {
    let count = "self.takes.fetch_add(AcqRel)";
    let expected = [
        ("take", count, "AcqRel -> Relaxed", "survived"),
        ("take", count, "AcqRel -> Release", "implied"),
        ("take", count, "AcqRel -> Acquire", "implied"),
        ("forget", "Mem::fence", "not reached", "unreached"),
    ];
    for audit in &*AUDITS {
        let survivors: Vec<_> =
            rows(audit).into_iter().filter(|row| !row.3.contains('/')).collect();
        assert_eq!(survivors, expected);
        let explained = audit.rows.iter().filter(|row| row.reason == Some("it only counts"));
        assert_eq!(explained.count(), 3, "one reason explains the steps between, too");
    }
}

fn what_no_case_reaches_is_named() {
    for audit in &*AUDITS {
        let unexplained: Vec<_> = audit.unexplained().map(ToString::to_string).collect();
        assert_eq!(unexplained.len(), 1, "{unexplained:?}");
        let told = "forget: Mem::fence, not reached: NOT REACHED by any case";
        assert!(unexplained[0].ends_with(told));
        assert!(!audit.is_clean());
    }
}

fn a_stale_explanation_is_named() {
    let expected = [
        format!("{FILE} put: self.full.store(Release), Release -> Relaxed: is killed now"),
        format!("{FILE} steal: self.full.store(Release), Release -> Relaxed: is not in the source"),
    ];
    for audit in &*AUDITS {
        assert_eq!(audit.stale, expected);
    }
}

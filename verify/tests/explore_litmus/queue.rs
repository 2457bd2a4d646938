//! The run-queue scenarios: the plain port of Go's queue at capacity 4, whose executions were
//! counted by another explorer of the same axioms, and in part by GenMC.
//!
//! The owner is the main thread. It starts the thieves, follows its letters (`p` put, `n` put into
//! the slot, `g` get), gets until nothing is left, and joins. A thief steals so many times, runs
//! what it got, and then gets from its own queue until nothing is left. *Chained*: the first thief
//! leaves in its queue what it does not run at once, a second one that got nothing from the owner
//! steals from the first, and the owner empties the first one's queue after the joins. Each task
//! has a payload that is written without synchronisation, so a missing ordering is a race. *Native*
//! loops run as they stand; *waiting* ones block on a retry without side effects.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use gosched::memory::{Memory, RaceCell};
use gosched_verify::explore::{Builder, Explored, Report, thread};
use gosched_verify::plain_queue::PlainQueue;

use crate::native::Native;

/// What the threads do.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    letters: &'static str,
    thieves: usize,
    steals: usize,
    chained: bool,
}

/// A scenario with its counts.
struct Row {
    scenario: Scenario,
    /// Complete executions with native loops; 0 where that takes too long here.
    native: u64,
    /// Complete and blocked ones with waiting loops; 0 where they were never counted.
    waiting: (u64, u64),
    outcomes: usize,
}

const fn row(
    letters: &'static str,
    (thieves, steals): (usize, usize),
    native: u64,
    waiting: (u64, u64),
    outcomes: usize,
) -> Row {
    let scenario = Scenario { letters, thieves, steals, chained: false };
    Row { scenario, native, waiting, outcomes }
}

const fn chained(row: Row) -> Row {
    Row { scenario: Scenario { chained: true, ..row.scenario }, ..row }
}

const NOT_COUNTED: (u64, u64) = (0, 0);

const ROWS: &[Row] = &[
    row("p", (1, 1), 5, (4, 1), 2),
    row("pp", (1, 1), 20, (15, 5), 3),
    row("pn", (1, 1), 13, NOT_COUNTED, 3),
    row("npg", (1, 1), 13, (7, 2), 3),
    row("ppp", (1, 1), 69, (51, 18), 5),
    row("npn", (1, 1), 104, (19, 9), 4),
    row("nnn", (1, 1), 269, NOT_COUNTED, 4),
    row("nppg", (1, 1), 42, (18, 6), 4),
    row("pppp", (1, 1), 224, NOT_COUNTED, 6),
    row("nppn", (1, 1), 342, NOT_COUNTED, 6),
    row("nnnn", (1, 1), 2318, NOT_COUNTED, 6),
    row("ppppp", (1, 1), 90, (67, 23), 5),
    row("ngp", (1, 2), 41, (22, 7), 6),
    row("pngn", (1, 2), 231, NOT_COUNTED, 12),
    row("ngpp", (1, 2), 201, NOT_COUNTED, 10),
    row("ngpg", (1, 2), 41, NOT_COUNTED, 6),
    row("nggp", (1, 2), 41, NOT_COUNTED, 6),
    row("np", (2, 1), 173, (52, 45), 7),
    row("pp", (2, 1), 363, (215, 104), 7),
    row("pppp", (2, 1), 43_404, (25_120, 12_402), 27),
    chained(row("pppp", (2, 1), 44_010, (25_448, 12_409), 28)),
    row("ppppp", (2, 1), 48_376, (26_780, 10_524), 29),
];

/// Native executions of all scenarios with an owner of two to four letters, the first of which is
/// no get, and one thief that steals once or twice.
const ALL_OF_TWO_THREADS: (usize, u64) = (156, 87_669);

type Payload<Mem> = Arc<Vec<<Mem as Memory>::Cell<u8>>>;
type Queue<Mem> = PlainQueue<4, Mem>;

/// Moves a task's payload from one state to the next: 0 unborn, 1 created, 2 ran.
fn advance<Mem: Memory>(payload: &Payload<Mem>, task: usize, from: u8) {
    payload[task - 1].with_mut(|state| {
        // SAFETY: whoever has the task has its payload: that this is so is what is checked, and the
        // explorer ends an execution at an access that races.
        let state = unsafe { &mut *state };
        assert_eq!(*state, from, "task {task} was lost, doubled or not published");
        *state += 1;
    });
}

fn run<Mem: Memory>(scenario: Scenario) -> String {
    let count = scenario.letters.matches(['p', 'n']).count();
    let payload: Payload<Mem> = Arc::new((0..count).map(|_| Mem::Cell::new(0)).collect());
    let queue = Arc::new(Queue::<Mem>::new());
    let first = Arc::new(Queue::<Mem>::new());
    let thieves: Vec<_> = (0..scenario.thieves)
        .map(|number| {
            let (queue, payload) = (Arc::clone(&queue), Arc::clone(&payload));
            let first = Arc::clone(&first);
            thread::spawn(move || match (scenario.chained, number) {
                (true, 0) => rob(&first, &queue, &payload, scenario.steals),
                (true, _) => steal(&queue, Some(&first), &payload, scenario.steals),
                (false, _) => steal::<Mem>(&queue, None, &payload, scenario.steals),
            })
        })
        .collect();

    let mut log = String::new();
    let mut made = 0;
    for letter in scenario.letters.chars() {
        if letter == 'g' {
            let got = queue.get().map(|(task, _)| task);
            note::<Mem>(&payload, &mut log, got);
            continue;
        }
        made += 1;
        advance::<Mem>(&payload, made, 0);
        let overflow = |task| note::<Mem>(&payload, &mut log, Some(task));
        match letter {
            'p' => queue.put(made, overflow),
            'n' => queue.put_next(made, overflow),
            other => panic!("no operation {other:?}"),
        }
    }
    drain::<Mem>(&queue, &payload, &mut log);
    for thief in thieves {
        log.push('|');
        log.push_str(&thief.join());
    }
    if scenario.chained {
        drain::<Mem>(&first, &payload, &mut log);
    }
    for task in 1..=count {
        advance::<Mem>(&payload, task, 2);
    }
    log
}

/// A thief: steals, from `first` where the owner has nothing, and empties its own queue.
fn steal<Mem: Memory>(
    victim: &Queue<Mem>,
    first: Option<&Queue<Mem>>,
    payload: &Payload<Mem>,
    steals: usize,
) -> String {
    let own = Queue::<Mem>::new();
    let mut log = String::new();
    for _ in 0..steals {
        let stolen = own.steal(victim, true);
        let stolen = stolen.or_else(|| own.steal(first?, false));
        note::<Mem>(payload, &mut log, stolen);
    }
    drain::<Mem>(&own, payload, &mut log);
    log
}

/// The first thief of a chain: steals, and leaves its queue as it is.
fn rob<Mem: Memory>(
    own: &Queue<Mem>,
    victim: &Queue<Mem>,
    payload: &Payload<Mem>,
    steals: usize,
) -> String {
    let mut log = String::new();
    for _ in 0..steals {
        note::<Mem>(payload, &mut log, own.steal(victim, true));
    }
    log
}

fn drain<Mem: Memory>(queue: &Queue<Mem>, payload: &Payload<Mem>, log: &mut String) {
    while let Some((task, _)) = queue.get() {
        note::<Mem>(payload, log, Some(task));
    }
}

/// Runs a task, if there is one, and says which.
fn note<Mem: Memory>(payload: &Payload<Mem>, log: &mut String, task: Option<usize>) {
    match task {
        Some(task) => {
            advance::<Mem>(payload, task, 1);
            write!(log, " {task}").expect("a string can be written to");
        }
        None => log.push_str(" -"),
    }
}

fn explore<Mem: Memory>(scenario: Scenario) -> Report {
    let report = Builder::default().explore(move || run::<Mem>(scenario));
    assert!(report.failure.is_none() && report.exhaustive, "{scenario:?}: {report:?}");
    report
}

fn outcomes(report: &Report) -> Vec<&String> {
    report.outcomes.keys().collect()
}

/// The table, for the book.
pub(crate) fn section(page: &mut String) {
    page.push_str(
        "\n## The run queue\n\n\
         The plain port of Go's queue (`verify/src/plain_queue.rs`) at capacity 4: the letters of \
         the owner (`p` put, `n` put into the slot, `g` get), thieves × steals. With *native* loops a \
         lost race is tried again; with *waiting* ones a retry without side effects waits for a \
         change. *Chained*: a second thief that got nothing steals from the first one's queue. Both \
         have the same outcomes. All native counts are those of another explorer, and \
         where it has the same failure orderings, of GenMC.\n\n\
         | owner | thieves × steals | native | waiting, complete / blocked | outcomes |\n\
         |---|---|---|---|---|\n",
    );
    for Row { scenario, native, waiting, outcomes } in ROWS {
        let Scenario { letters, thieves, steals, chained } = scenario;
        let chained = if *chained { ", chained" } else { "" };
        let waiting = match waiting {
            (0, 0) => String::new(),
            (complete, blocked) => format!("{complete} / {blocked}"),
        };
        writeln!(
            page,
            "| `{letters}` | {thieves} × {steals}{chained} | {native} | {waiting} | {outcomes} |"
        )
        .expect("a string can be written to");
    }
    let (scenarios, executions) = ALL_OF_TWO_THREADS;
    writeln!(
        page,
        "\nAll {scenarios} scenarios with two to four letters, the first of them no get, and one \
         thief that steals once or twice: {executions} native executions."
    )
    .expect("a string can be written to");
}

#[test]
fn the_run_queue_has_its_golden_counts() {
    let mut wrong = BTreeMap::new();
    for Row { scenario, native, waiting, outcomes: expected } in ROWS {
        let loops = explore::<Native>(*scenario);
        let waits = explore::<Explored>(*scenario);
        let label = format!("{scenario:?}");
        if loops.complete != *native {
            wrong.insert(format!("{label} native"), format!("{} not {native}", loops.complete));
        }
        let counts = (waits.complete, waits.blocked);
        if *waiting != NOT_COUNTED && counts != *waiting {
            wrong.insert(format!("{label} waiting"), format!("{counts:?} not {waiting:?}"));
        }
        if outcomes(&waits).len() != *expected {
            wrong.insert(format!("{label} outcomes"), format!("{:?}", waits.outcomes));
        }
        assert_eq!(outcomes(&loops), outcomes(&waits), "{label}: waiting loses nothing");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_scenario_of_two_threads_is_through_and_waiting_loses_no_outcome() {
    let mut letters: Vec<String> = vec!["p".into(), "n".into()];
    let (mut scenarios, mut native, mut complete, mut blocked) = (0, 0, 0, 0);
    for _ in 2..=4 {
        letters = letters
            .iter()
            .flat_map(|word| ["p", "n", "g"].map(|letter| format!("{word}{letter}")))
            .collect();
        for (word, steals) in letters.iter().flat_map(|word| [(word, 1), (word, 2)]) {
            // The explorer's programs outlive their makers, so letters are kept for ever.
            let letters = word.clone().leak();
            let scenario = Scenario { letters, thieves: 1, steals, chained: false };
            let (loops, waits) = (explore::<Native>(scenario), explore::<Explored>(scenario));
            assert_eq!(outcomes(&loops), outcomes(&waits), "{scenario:?}");
            scenarios += 1;
            native += loops.complete;
            complete += waits.complete;
            blocked += waits.blocked;
        }
    }
    println!("{scenarios} scenarios: {native} native executions; waiting {complete} / {blocked}");
    assert_eq!((scenarios, native), ALL_OF_TWO_THREADS);
}

#[test]
fn the_counts_of_the_run_queue_do_not_depend_on_the_number_of_jobs() {
    let scenario = Scenario { letters: "pp", thieves: 2, steals: 1, chained: false };
    let one = explore::<Native>(scenario);
    for jobs in [2, 4] {
        let jobs = std::num::NonZeroUsize::new(jobs).expect("somebody must search");
        let builder = Builder { jobs, ..Builder::default() };
        let several = builder.explore(move || run::<Native>(scenario));
        assert_eq!((one.complete, one.blocked), (several.complete, several.blocked));
        assert_eq!(one.outcomes, several.outcomes);
    }
}

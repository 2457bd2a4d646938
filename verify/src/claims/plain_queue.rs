//! The plain port of Go's queue, and on it what loom cannot see.
//!
//! Letters as in the local queue's scenarios: the owner puts (`p`), puts into the slot (`n`), gets
//! (`g`), and at the end gets until nothing is left. The outcomes are worth counting here, since
//! other checkers have counted them on the same accesses: `ngp` against two steals has six, of
//! which loom reaches five (tokio-rs/loom#392), also without a preemption bound.

use std::fmt::Write as _;

use gosched::memory::Shared;

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::plain_queue::PlainQueue;
use crate::tasks::Tasks;
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let two = |name, letters, steals, witnesses| {
        let model = GoScenario { letters, thieves: 1, steals, witnesses };
        Case::new(name, "2 threads, capacity 4", Bounds::TWO_THREADS, model)
    };
    vec![Claim {
        name: "plain_queue::no_task_is_lost",
        sentence: "In Go's own order of accesses, too, every task is taken by exactly one thread.",
        cases: vec![
            two("put_x3", "ppp", 1, &[STOLEN]),
            two("next_put_get", "npg", 1, &[STOLEN]),
            two("overflow", "ppppp", 1, &[OVERFLOWED]),
            two("next_get_put", "ngp", 2, &[STOLEN]),
        ],
        properties: vec![],
    }]
}

/// An owner that puts four tasks, and two thieves: the largest model that others have counted too.
#[cfg(all(feature = "cli", feature = "loom", feature = "shuttle", feature = "explore"))]
pub(crate) fn yardstick() -> Case {
    let model = GoScenario { letters: "pppp", thieves: 2, steals: 1, witnesses: &[STOLEN] };
    Case::new("yardstick", "3 threads, capacity 4", Bounds::THREE_THREADS, model)
}

const STOLEN: Witness =
    Witness { name: "a thief stole", seen_in: |outcome| !outcome.ends_with("thief -") };
const OVERFLOWED: Witness =
    Witness { name: "the ring overflowed", seen_in: |outcome| outcome.contains(" o1") };

/// An owner that follows letters, and thieves that steal, slot included.
struct GoScenario {
    letters: &'static str,
    thieves: usize,
    /// Of each thief.
    steals: usize,
    witnesses: &'static [Witness],
}

impl Model for GoScenario {
    fn run<W: World>(&self) -> Outcome {
        let count = self.letters.matches(['p', 'n']).count();
        let tasks = Tasks::<W>::new(count);
        let queue = W::Arc::new(PlainQueue::<4, W>::new());
        let thieves: Vec<_> = (0..self.thieves)
            .map(|_| {
                let (victim, runs, steals) = (queue.clone(), tasks.clone(), self.steals);
                W::spawn(move || steal::<W>(&victim, &runs, steals))
            })
            .collect();

        let mut made = 0;
        let mut log = String::from("owner");
        for letter in self.letters.chars() {
            if letter == 'g' {
                match queue.get() {
                    Some((task, _)) => {
                        tasks.run(task);
                        let _ = write!(log, " {task}");
                    }
                    None => log.push_str(" -"),
                }
                continue;
            }
            made += 1;
            tasks.create(made);
            let overflow = |task| {
                tasks.run(task);
                let _ = write!(log, " o{task}");
            };
            match letter {
                'p' => queue.put(made, overflow),
                'n' => queue.put_next(made, overflow),
                other => panic!("no operation {other:?}"),
            }
        }
        while let Some((task, _)) = queue.get() {
            tasks.run(task);
            let _ = write!(log, " {task}");
        }
        thieves.into_iter().for_each(|thief| log.push_str(&W::join(thief)));
        tasks.assert_ran(count);
        log
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.witnesses.to_vec()
    }
}

/// A thief: steals, runs what it got, and gets from its own queue until nothing is left.
fn steal<W: World>(victim: &PlainQueue<4, W>, tasks: &Tasks<W>, steals: usize) -> String {
    let own = PlainQueue::<4, W>::new();
    let mut log = String::from(" thief");
    for _ in 0..steals {
        let Some(task) = own.steal(victim, true) else {
            log.push_str(" -");
            continue;
        };
        tasks.run(task);
        let _ = write!(log, " {task}");
    }
    while let Some((task, _)) = own.get() {
        tasks.run(task);
        let _ = write!(log, ",{task}");
    }
    log
}

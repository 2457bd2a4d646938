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
        let model = GoScenario { letters, steals, witnesses };
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

const STOLEN: Witness =
    Witness { name: "the thief stole", seen_in: |outcome| !outcome.ends_with("thief -") };
const OVERFLOWED: Witness =
    Witness { name: "the ring overflowed", seen_in: |outcome| outcome.contains(" o1") };

/// An owner that follows letters, and a thief that steals, slot included.
struct GoScenario {
    letters: &'static str,
    steals: usize,
    witnesses: &'static [Witness],
}

impl Model for GoScenario {
    fn run<W: World>(&self) -> Outcome {
        let count = self.letters.matches(['p', 'n']).count();
        let tasks = Tasks::<W>::new(count);
        let queue = W::Arc::new(PlainQueue::<4, W>::new());
        let (victim, runs, steals) = (queue.clone(), tasks.clone(), self.steals);
        let thief = W::spawn(move || {
            let own = PlainQueue::<4, W>::new();
            let mut log = String::from(" thief");
            for _ in 0..steals {
                let Some(task) = own.steal(&victim, true) else {
                    log.push_str(" -");
                    continue;
                };
                runs.run(task);
                let _ = write!(log, " {task}");
            }
            while let Some((task, _)) = own.get() {
                runs.run(task);
                let _ = write!(log, ",{task}");
            }
            log
        });

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
        log.push_str(&W::join(thief));
        tasks.assert_ran(count);
        log
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.witnesses.to_vec()
    }
}

//! The brute force: every candidate execution of a program, judged by the axioms.
//!
//! A candidate is a choice, for each operation that reads, of the operation it reads from (or of
//! the initial value), and for each word an order of its writes. Candidates are made without a
//! thought of how a machine would come to them; all that is asked at once is that nothing reads
//! from its own future (`sb ∪ rf` acyclic), for else there are no values to speak of.

use std::collections::BTreeMap;

use gosched::memory::Ordering;

use crate::axioms::{Event, Kind, Skeleton};
use crate::program::{Op, Program};
use crate::relation::Relation;

/// What a program can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Consistent executions in which every thread is through.
    pub(crate) complete: u64,
    /// Consistent executions in which a thread waits for ever.
    pub(crate) blocked: u64,
    /// In one of them every waiting thread has seen the newest value.
    pub(crate) deadlocks: bool,
    /// What was read, and what the words hold in the end, with the number of executions.
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// Candidates that were judged: of reads-from and of the order of each word's writes.
    pub(crate) candidates: u64,
}

/// Where an operation reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Initial,
    /// Operation, by its number in the program.
    Op(usize),
}

/// How an operation went.
#[derive(Clone, Copy, Debug)]
struct Done {
    read: u64,
    wrote: Option<u64>,
    /// It waits for another value.
    waits: bool,
}

/// Enumerates the executions of `program`.
pub(crate) fn enumerate(program: &Program) -> Verdict {
    let ops: Vec<(usize, Op)> = program
        .threads
        .iter()
        .enumerate()
        .flat_map(|(thread, ops)| ops.iter().map(move |&op| (thread, op)))
        .collect();
    let depends = Relation::of(ops.len(), |a, b| a < b && ops[a].0 == ops[b].0);
    let choices = vec![(Source::Initial, false); ops.len()];
    let mut oracle = Oracle { program, ops, verdict: Verdict::default() };
    oracle.choose(0, choices, &depends);
    oracle.verdict
}

/// A bound on the candidates, for choosing programs that are small enough.
pub(crate) fn bound(program: &Program) -> u64 {
    let ops: Vec<Op> = program.threads.iter().flatten().copied().collect();
    let writes = |word| {
        ops.iter().filter(|op| op.word(program.words) == Some(word) && op.may_write()).count()
    };
    let reads = ops.iter().filter(|op| op.reads()).map(|op| {
        let word = op.word(program.words).expect("what reads has a word");
        writes(word) as u64 + 1
    });
    let orders = (0..=program.words).map(|word| (1..=writes(word) as u64).product::<u64>());
    reads.product::<u64>() * orders.product::<u64>()
}

struct Oracle<'a> {
    program: &'a Program,
    /// The operations with their threads.
    ops: Vec<(usize, Op)>,
    verdict: Verdict,
}

impl Oracle<'_> {
    fn word(&self, op: usize) -> Option<usize> {
        self.ops[op].1.word(self.program.words)
    }

    /// Chooses where the operations from `next` on read from; then judges. The second half of a
    /// choice says whether a weak exchange fails spuriously.
    fn choose(&mut self, next: usize, choices: Vec<(Source, bool)>, depends: &Relation) {
        let Some(&(_, op)) = self.ops.get(next) else {
            return self.judge(&choices);
        };
        if !op.reads() {
            return self.choose(next + 1, choices, depends);
        }
        let weak = matches!(op, Op::Exchange { weak: true, .. });
        let writers = (0..self.ops.len()).filter(|&other| {
            other != next && self.word(other) == self.word(next) && self.ops[other].1.may_write()
        });
        let sources: Vec<Source> =
            std::iter::once(Source::Initial).chain(writers.map(Source::Op)).collect();
        for source in sources {
            let mut depends = *depends;
            if let Source::Op(writer) = source {
                depends.insert(writer, next);
                if !depends.is_acyclic() {
                    continue;
                }
            }
            for spurious in [false, true].into_iter().take(1 + usize::from(weak)) {
                let mut choices = choices.clone();
                choices[next] = (source, spurious);
                self.choose(next + 1, choices, &depends);
            }
        }
    }

    /// Computes what every operation does; `None` if the choices make no sense.
    fn evaluate(&self, choices: &[(Source, bool)]) -> Option<Vec<Option<Done>>> {
        let mut done: Vec<Option<Done>> = vec![None; self.ops.len()];
        let runs = |done: &[Option<Done>], op: usize| {
            op.checked_sub(1).is_none_or(|before| {
                self.ops[before].0 != self.ops[op].0 || done[before].is_some_and(|d| !d.waits)
            })
        };
        loop {
            let mut progress = false;
            for op in 0..self.ops.len() {
                if done[op].is_some() || !runs(&done, op) {
                    continue;
                }
                let read = match choices[op].0 {
                    Source::Initial => 0,
                    Source::Op(writer) => match done[writer] {
                        Some(write) => write.wrote?,
                        None => continue,
                    },
                };
                done[op] = Some(perform(self.ops[op].1, read, choices[op].1)?);
                progress = true;
            }
            if !progress {
                break;
            }
        }
        // What could run has run, and what has not run has chosen nothing.
        let sensible = (0..self.ops.len()).all(|op| match done[op] {
            Some(_) => true,
            None => !runs(&done, op) && choices[op] == (Source::Initial, false),
        });
        sensible.then_some(done)
    }

    fn judge(&mut self, choices: &[(Source, bool)]) {
        self.verdict.candidates += 1;
        let Some(done) = self.evaluate(choices) else { return };
        let layout = self.lay_out(choices, &done);
        let order = layout.skeleton.order();
        if !order.hb.is_irreflexive() {
            return;
        }
        let mut orders: Vec<Vec<(Vec<usize>, Relation)>> = Vec::new();
        for (word, writes) in layout.writes.iter().enumerate() {
            let mut coherent = Vec::new();
            // The initial write is first.
            permutations(&mut writes.clone(), 1, &mut |sequence| {
                self.verdict.candidates += 1;
                let mut mo = Relation::EMPTY;
                for (index, &a) in sequence.iter().enumerate() {
                    sequence[index + 1..].iter().for_each(|&b| mo.insert(a, b));
                }
                if order.is_coherent(&mo, word) {
                    coherent.push((sequence.to_vec(), mo));
                }
            });
            orders.push(coherent);
        }
        product(&orders, &mut Vec::new(), &mut |chosen| {
            let mo = chosen.iter().fold(Relation::EMPTY, |all, (_, mo)| all | *mo);
            if order.is_sequentially_consistent(&mo) {
                let newest = |word: usize| *chosen[word].0.last().expect("there is a first write");
                self.count(&done, &layout, &newest);
            }
        });
    }

    /// The events of an execution. The initial writes come first.
    fn lay_out(&self, choices: &[(Source, bool)], done: &[Option<Done>]) -> Layout {
        let words = self.program.words + 1;
        let initial = |word| Event {
            thread: None,
            kind: Kind::Write,
            word: Some(word),
            order: Ordering::Relaxed,
        };
        let mut events: Vec<Event> = (0..words).map(initial).collect();
        let mut writes: Vec<Vec<usize>> = (0..words).map(|word| vec![word]).collect();
        let mut reads: Vec<Option<usize>> = vec![None; self.ops.len()];
        let mut written: Vec<Option<usize>> = vec![None; self.ops.len()];
        let mut rmw = Relation::EMPTY;
        let mut values = Vec::new();
        for (index, &(thread, op)) in self.ops.iter().enumerate() {
            let Some(done) = done[index] else { continue };
            let word = self.word(index);
            let order = order_of(op, done.wrote.is_some());
            let mut push = |kind| {
                events.push(Event { thread: Some(thread), kind, word, order });
                events.len() - 1
            };
            match op {
                Op::Fence(_) => _ = push(Kind::Fence),
                Op::LightFence => _ = push(Kind::Light),
                Op::HeavyFence => _ = push(Kind::Heavy),
                _ => {
                    reads[index] = op.reads().then(|| push(Kind::Read));
                    written[index] = done.wrote.map(|_| push(Kind::Write));
                }
            }
            if let (Some(read), Some(write)) = (reads[index], written[index]) {
                rmw.insert(read, write);
            }
            if let (Some(word), Some(write)) = (word, written[index]) {
                writes[word].push(write);
                values.push((write, done.wrote.unwrap_or_default()));
            }
        }
        let mut rf = Relation::EMPTY;
        for (index, read) in reads.iter().enumerate() {
            let Some(read) = *read else { continue };
            let from = match choices[index].0 {
                Source::Initial => self.word(index),
                Source::Op(writer) => written[writer],
            };
            rf.insert(from.expect("a source writes"), read);
        }
        let mut by_event = vec![0; events.len()];
        values.into_iter().for_each(|(write, value)| by_event[write] = value);
        Layout { skeleton: Skeleton { events, rf, rmw }, writes, reads, values: by_event }
    }

    /// Counts a consistent execution.
    fn count(&mut self, done: &[Option<Done>], layout: &Layout, newest: &dyn Fn(usize) -> usize) {
        let mut waiting =
            (0..done.len()).filter(|&op| done[op].is_some_and(|d| d.waits)).peekable();
        if waiting.peek().is_some() {
            self.verdict.blocked += 1;
            self.verdict.deadlocks |= waiting.all(|op| {
                let word = self.word(op).expect("what waits has a word");
                let read = layout.reads[op].expect("what waits reads");
                layout.skeleton.rf.has(newest(word), read)
            });
            return;
        }
        self.verdict.complete += 1;
        let mut seen: Vec<Vec<u64>> = vec![Vec::new(); self.program.threads.len()];
        for (&(thread, op), done) in self.ops.iter().zip(done) {
            let done = done.expect("every operation of a complete execution is done");
            if op.reads() && !matches!(op, Op::Park | Op::Unpark) {
                seen[thread].push(done.read);
            }
            if matches!(op, Op::Exchange { .. }) {
                seen[thread].push(u64::from(done.wrote.is_some()));
            }
        }
        let last: Vec<u64> =
            (0..self.program.words).map(|word| layout.values[newest(word)]).collect();
        *self.verdict.outcomes.entry(format!("{seen:?} {last:?}")).or_default() += 1;
    }
}

struct Layout {
    skeleton: Skeleton,
    /// The writes to each word, the initial one first.
    writes: Vec<Vec<usize>>,
    /// The event in which an operation reads.
    reads: Vec<Option<usize>>,
    /// What a write writes, by event.
    values: Vec<u64>,
}

/// What an operation does that reads `read`; `None` if it cannot fail spuriously there.
fn perform(op: Op, read: u64, spurious: bool) -> Option<Done> {
    let wrote = match op {
        Op::Store { value, .. } => Some(value),
        Op::Modify { change, value, .. } => Some(change.apply(read, value)),
        Op::Exchange { expected, new, .. } => (read == expected).then_some(new),
        Op::Park => (read == 1).then_some(0),
        Op::Unpark => Some(1),
        _ => None,
    };
    if spurious && wrote.is_none() {
        return None;
    }
    let waits = match op {
        Op::Await { value, .. } => read != value,
        Op::Park => wrote.is_none(),
        _ => false,
    };
    Some(Done { read, wrote: wrote.filter(|_| !spurious), waits })
}

fn order_of(op: Op, wrote: bool) -> Ordering {
    match op {
        Op::Load { order, .. }
        | Op::Store { order, .. }
        | Op::Modify { order, .. }
        | Op::Await { order, .. }
        | Op::Fence(order) => order,
        Op::Exchange { success, failure, .. } => {
            if wrote {
                success
            } else {
                failure
            }
        }
        Op::Park => Ordering::Acquire,
        Op::Unpark => Ordering::Release,
        Op::LightFence | Op::HeavyFence => Ordering::Relaxed,
    }
}

/// Calls `f` with every order of `items` that leaves the first `fixed` where they are.
fn permutations(items: &mut Vec<usize>, fixed: usize, f: &mut dyn FnMut(&[usize])) {
    if fixed >= items.len() {
        return f(items);
    }
    for index in fixed..items.len() {
        items.swap(fixed, index);
        permutations(items, fixed + 1, f);
        items.swap(fixed, index);
    }
}

/// Calls `f` with every choice of one item from each list.
fn product<'a, T>(lists: &'a [Vec<T>], chosen: &mut Vec<&'a T>, f: &mut dyn FnMut(&[&T])) {
    let Some(list) = lists.get(chosen.len()) else {
        return f(chosen);
    };
    for item in list {
        chosen.push(item);
        product(lists, chosen, f);
        chosen.pop();
    }
}

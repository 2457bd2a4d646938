//! The idle word, in both forms, against a set and a count.

use std::collections::BTreeSet;

use gosched::{IdleProcessors, Put};

/// What the word stands for.
#[derive(Clone, Debug, Default)]
struct Naive {
    idle: BTreeSet<usize>,
    searching: usize,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Wake,
    Begin,
    End,
    PutQuiet(usize),
    PutSearching(usize),
    Take(usize),
}

impl Naive {
    fn lowest(&mut self) -> Option<usize> {
        self.idle.pop_first()
    }

    /// Whether the caller may: it owns the processor it puts, and is counted if it says so.
    fn allows(&self, operation: Operation) -> bool {
        match operation {
            Operation::End => self.searching > 0,
            Operation::PutQuiet(processor) => !self.idle.contains(&processor),
            Operation::PutSearching(processor) => {
                self.searching > 0 && !self.idle.contains(&processor)
            }
            _ => true,
        }
    }

    fn apply(&mut self, operation: Operation, processors: usize) -> String {
        match operation {
            Operation::Wake => {
                let woken = if self.searching == 0 { self.lowest() } else { None };
                self.searching += usize::from(woken.is_some());
                format!("{woken:?}")
            }
            Operation::Begin => {
                let may = 2 * self.searching < processors - self.idle.len();
                self.searching += usize::from(may);
                format!("{may}")
            }
            Operation::End => {
                let successor = if self.searching == 1 { self.lowest() } else { None };
                self.searching -= usize::from(successor.is_none());
                format!("{successor:?}")
            }
            Operation::PutQuiet(processor) => self.put(processor, false),
            Operation::PutSearching(processor) => self.put(processor, true),
            Operation::Take(preferred) if self.idle.remove(&preferred) => {
                format!("{:?}", Some(preferred))
            }
            Operation::Take(_) => format!("{:?}", self.lowest()),
        }
    }

    fn put(&mut self, processor: usize, searching: bool) -> String {
        self.idle.insert(processor);
        self.searching -= usize::from(searching);
        format!("{:?}", if self.searching > 0 { Put::Leave } else { Put::Look })
    }
}

fn apply(word: &IdleProcessors, operation: Operation) -> String {
    match operation {
        Operation::Wake => format!("{:?}", word.wake_one()),
        Operation::Begin => format!("{}", word.begin_search(word.processors())),
        Operation::End => format!("{:?}", word.end_search()),
        Operation::PutQuiet(processor) => format!("{:?}", word.put(processor, false)),
        Operation::PutSearching(processor) => format!("{:?}", word.put(processor, true)),
        Operation::Take(preferred) => format!("{:?}", word.take(preferred)),
    }
}

fn agree(word: &IdleProcessors, naive: &Naive, how: &[Operation]) {
    let view = word.view();
    let idle = (0..word.processors()).filter(|&id| view.is_idle(id)).collect::<BTreeSet<_>>();
    assert_eq!(idle, naive.idle, "after {how:?}");
    assert_eq!((view.idle(), view.searching()), (idle.len(), naive.searching), "after {how:?}");
    assert!(!view.is_stopping());
}

/// Every sequence of five operations on two processors, in the form that `make` gives.
fn every_short_sequence(make: fn(usize) -> IdleProcessors) -> usize {
    use Operation::{Begin, End, PutQuiet, PutSearching, Take, Wake};
    let all =
        [Wake, Begin, End, PutQuiet(0), PutQuiet(1), PutSearching(0), PutSearching(1), Take(1)];
    let mut checked = 0;
    for code in 0..all.len().pow(5) {
        let sequence: Vec<_> = (0..5).map(|at| all[code / all.len().pow(at) % all.len()]).collect();
        let (word, mut naive) = (make(2), Naive::default());
        for (at, &operation) in sequence.iter().enumerate() {
            if !naive.allows(operation) {
                break;
            }
            let expected = naive.apply(operation, 2);
            assert_eq!(apply(&word, operation), expected, "{sequence:?}, at {at}");
            agree(&word, &naive, &sequence[..=at]);
            checked += 1;
        }
    }
    checked
}

#[test]
fn one_word_is_a_set_and_a_count() {
    assert!(every_short_sequence(IdleProcessors::with_memory) > 10_000);
}

#[test]
fn many_words_are_a_set_and_a_count() {
    assert!(every_short_sequence(IdleProcessors::with_memory_in_many_words) > 10_000);
}

#[test]
fn every_processor_can_be_idle_at_each_size() {
    for processors in [1, 47, 48, 49, 63, 64, 65, 128, 10_000] {
        let word = IdleProcessors::new(processors);
        assert_eq!(word.processors(), processors);
        for id in 0..processors {
            assert_eq!(word.put(id, false), Put::Look);
            assert!(word.view().is_idle(id), "{id} of {processors}");
        }
        assert_eq!(word.view().idle(), processors);
        assert!(!word.view().is_idle(processors), "there is none beyond the last");
        let preferred = processors - 1;
        assert_eq!(word.take(preferred), Some(preferred), "the preferred one, if it is idle");
        let rest: Vec<_> = std::iter::from_fn(|| word.take(preferred)).collect();
        assert_eq!(rest, (0..preferred).collect::<Vec<_>>(), "else the lowest");
    }
}

#[test]
fn one_searcher_is_woken_until_it_has_found_or_given_up() {
    for word in [IdleProcessors::new(48), IdleProcessors::new(49)] {
        for id in 0..3 {
            let _ = word.put(id, false);
        }
        assert_eq!(word.wake_one(), Some(0));
        assert_eq!(word.wake_one(), None, "one searches");
        assert_eq!(word.end_search(), Some(1), "its successor");
        assert_eq!(word.wake_one(), None, "who searches in its place");
        assert_eq!(word.put(1, true), Put::Look);
        assert_eq!(word.wake_one(), Some(1));
    }
}

#[test]
fn a_stop_takes_all_and_closes_the_word() {
    for processors in [48, 49, 200] {
        let word = IdleProcessors::new(processors);
        for id in [0, 3, processors - 1] {
            let _ = word.put(id, false);
        }
        assert!(word.begin_search(processors));
        let mut taken = Vec::new();
        assert!(word.stop(|id| taken.push(id)));
        assert_eq!(taken, [0, 3, processors - 1]);
        assert!(word.view().is_stopping());
        assert_eq!(word.view().idle(), 0);
        assert!(!word.stop(|_| panic!("nothing is taken twice")), "it is stopping already");
        assert_eq!(word.put(5, false), Put::Stopping);
        assert!(!word.view().is_idle(5), "it goes to the stopper instead");
        assert_eq!((word.wake_one(), word.take_for_work(), word.take(0)), (None, None, None));
        word.cancel_search();
        word.resume([2, 3].into_iter());
        let view = word.view();
        assert!(!view.is_stopping() && view.searching() == 0);
        assert_eq!((view.is_idle(2), view.is_idle(3), view.idle()), (true, true, 2));
    }
}

//! Programs that grow with a number, and programs that the notation has no words for: locks, parked
//! threads, choices. Of these the counts are of interest.

use std::sync::Arc;

use gosched::memory::{Atomic, AtomicInt, Lock, Memory, Ordering, Park, RaceCell};
use gosched_verify::explore::{Explored, FaultKind, thread};

type Mutex = <Explored as Memory>::Mutex<u64>;
type Word = <Explored as Memory>::AtomicU64;
type Parker = <Explored as Memory>::Parker;
type Payload = <Explored as Memory>::Cell<u64>;

/// Straight-line programs, made of a thread that comes once and one that comes `n` times. `$n` is
/// the number of the copy, from 1.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) once: &'static str,
    pub(crate) copy: &'static str,
    /// Executions for `n` from 1 on. None is blocked.
    pub(crate) complete: &'static [u64],
}

impl Family {
    pub(crate) fn program(&self, n: usize) -> String {
        let copies = (1..=n).map(|copy| self.copy.replace("$n", &copy.to_string()));
        let once = Some(self.once.to_owned()).filter(|once| !once.is_empty());
        once.into_iter().chain(copies).collect::<Vec<_>>().join(" | ")
    }
}

pub(crate) const FAMILIES: &[Family] = &[
    Family {
        name: "n writers of one word: n!",
        once: "",
        copy: "W x $n rlx",
        complete: &[1, 2, 6, 24, 120, 720],
    },
    Family {
        name: "n read-modify-writes of one word: n!",
        once: "",
        copy: "add x 1 rlx",
        complete: &[1, 2, 6, 24, 120, 720],
    },
    Family {
        name: "a writer and n readers: 2^n",
        once: "W x 1 rlx",
        copy: "R x rlx",
        complete: &[2, 4, 8, 16, 32, 64],
    },
    Family {
        name: "n threads: load, exchange 0 for their number: n 2^(n-1)",
        once: "",
        copy: "R x rlx; cas x 0 $n rlx rlx",
        complete: &[1, 4, 12, 32],
    },
];

/// What the notation cannot say.
pub(crate) struct Special {
    pub(crate) name: &'static str,
    pub(crate) program: fn() -> String,
    pub(crate) complete: u64,
    pub(crate) blocked: u64,
    /// One of the executions fails, which ends the search: the counts above do not apply.
    pub(crate) fault: Option<FaultKind>,
}

const fn special(
    name: &'static str,
    program: fn() -> String,
    complete: u64,
    blocked: u64,
) -> Special {
    Special { name, program, complete, blocked, fault: None }
}

const fn deadlock(name: &'static str, program: fn() -> String) -> Special {
    Special { name, program, complete: 0, blocked: 0, fault: Some(FaultKind::Deadlock) }
}

const fn race(name: &'static str, program: fn() -> String) -> Special {
    Special { name, program, complete: 0, blocked: 0, fault: Some(FaultKind::Race) }
}

pub(crate) const SPECIALS: &[Special] = &[
    special("2 threads: lock, add 1, unlock", || counting(2), 2, 2),
    special("3 threads: lock, add 1, unlock", || counting(3), 6, 15),
    special("4 threads: lock, add 1, unlock", || counting(4), 24, 124),
    special("two locks, taken in the same order", || two_locks(false), 2, 2),
    deadlock("two locks, taken in opposite order", || two_locks(true)),
    special("a choice of 3 in one thread, of 2 in another", choices, 6, 0),
    special("spawn: a child sees what came before it", spawned, 1, 0),
    special("join: what a child did is seen, also by a later child", joined, 1, 0),
    special("spawn: a release fence before it is not the child's", fenced, 4, 0),
    special("SB, SeqCst, one half across a spawn", store_buffering_across_spawn, 3, 0),
    special("SB, SeqCst, one half across a join", store_buffering_across_join, 3, 0),
    special("park: announced and looked, a fence on both sides", || parked(Both), 3, 1),
    special(
        "park: the submitter's fence is light, the worker's heavy",
        || parked(LightHeavy),
        3,
        1,
    ),
    deadlock("park: no fence in the worker", || parked(Submitter)),
    deadlock("park: no fence in the submitter", || parked(Worker)),
    deadlock("park: light fences on both sides", || parked(LightLight)),
    special(
        "a payload behind a light fence, before a heavy one",
        || handed([LIGHT, HEAVY], 1),
        2,
        0,
    ),
    special(
        "a payload behind a heavy fence, before a light one",
        || handed([HEAVY, LIGHT], 1),
        2,
        0,
    ),
    special(
        "the same, light and heavy, by a read-modify-write",
        || handed([LIGHT, HEAVY], 2),
        6,
        0,
    ),
    special(
        "the same, heavy and light, by a read-modify-write",
        || handed([HEAVY, LIGHT], 2),
        6,
        0,
    ),
    race("a payload between two light fences", || handed([LIGHT, LIGHT], 1)),
];

/// Threads that count under a lock. The outcome is the count, which must be theirs.
fn counting(threads: usize) -> String {
    let counter = Arc::new(Mutex::new(0));
    let handles: Vec<_> = (0..threads)
        .map(|_| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || counter.with(|count| *count += 1))
        })
        .collect();
    handles.into_iter().for_each(thread::JoinHandle::join);
    let mut counter = Arc::into_inner(counter).expect("the threads are joined");
    assert_eq!(*counter.get_mut(), threads as u64, "an increment was lost");
    counter.get_mut().to_string()
}

fn two_locks(opposite: bool) -> String {
    let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
    let both = |first: usize, second: usize| {
        let locks = Arc::clone(&locks);
        thread::spawn(move || locks[first].with(|_| locks[second].with(|_| ())))
    };
    let threads = [both(0, 1), if opposite { both(1, 0) } else { both(0, 1) }];
    threads.into_iter().for_each(thread::JoinHandle::join);
    String::new()
}

fn choices() -> String {
    let other = thread::spawn(|| thread::choose(2));
    let mine = thread::choose(3);
    format!("{mine} {}", other.join())
}

fn spawned() -> String {
    let word = Arc::new(Word::new(0));
    word.store(1, Ordering::Relaxed);
    let seen = thread::spawn(move || word.load(Ordering::Relaxed)).join();
    assert_eq!(seen, 1);
    seen.to_string()
}

fn joined() -> String {
    let word = Arc::new(Word::new(0));
    let (writer, reader) = (Arc::clone(&word), Arc::clone(&word));
    thread::spawn(move || writer.store(1, Ordering::Relaxed)).join();
    let later = thread::spawn(move || reader.load(Ordering::Relaxed));
    let seen = (word.load(Ordering::Relaxed), later.join());
    assert_eq!(seen, (1, 1));
    format!("{seen:?}")
}

/// The child's relaxed store publishes nothing: its parent's fence stands in another thread.
fn fenced() -> String {
    let words = Arc::new([Word::new(0), Word::new(0)]);
    let (reader, writer) = (Arc::clone(&words), Arc::clone(&words));
    let reader = thread::spawn(move || {
        (reader[1].load(Ordering::Acquire), reader[0].load(Ordering::Relaxed))
    });
    words[0].store(1, Ordering::Relaxed);
    Explored::fence(Ordering::Release);
    thread::spawn(move || writer[1].store(1, Ordering::Relaxed)).join();
    format!("{:?}", reader.join())
}

/// One half of SB: stores to its own word, loads the other one.
fn half(words: &Arc<[Word; 2]>, mine: usize) -> thread::JoinHandle<u64> {
    let words = Arc::clone(words);
    thread::spawn(move || {
        words[mine].store(1, Ordering::SeqCst);
        words[1 - mine].load(Ordering::SeqCst)
    })
}

/// The store happens before the child, so it comes first in the order of the `SeqCst` accesses too.
fn store_buffering_across_spawn() -> String {
    let words = Arc::new([Word::new(0), Word::new(0)]);
    let other = half(&words, 1);
    words[0].store(1, Ordering::SeqCst);
    let child = thread::spawn(move || words[1].load(Ordering::SeqCst));
    let seen = (child.join(), other.join());
    assert_ne!(seen, (0, 0), "no order of the SeqCst accesses explains this");
    format!("{seen:?}")
}

fn store_buffering_across_join() -> String {
    let words = Arc::new([Word::new(0), Word::new(0)]);
    let other = half(&words, 1);
    let writer = Arc::clone(&words);
    thread::spawn(move || writer[0].store(1, Ordering::SeqCst)).join();
    let seen = (words[1].load(Ordering::SeqCst), other.join());
    assert_ne!(seen, (0, 0), "no order of the SeqCst accesses explains this");
    format!("{seen:?}")
}

/// Who has which fence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fences {
    Both,
    Worker,
    Submitter,
    LightHeavy,
    LightLight,
}
use Fences::{Both, LightHeavy, LightLight, Submitter, Worker};

/// A worker announces that it goes to sleep and looks once more for work; a submitter puts work and
/// looks whether anybody sleeps. If neither sees the other, the worker sleeps for ever.
fn parked(fences: Fences) -> String {
    let state = Arc::new((Word::new(0), Word::new(0), Parker::new()));
    let submitter = {
        let state = Arc::clone(&state);
        thread::spawn(move || {
            let (work, asleep, parker) = &*state;
            work.store(1, Ordering::Relaxed);
            match fences {
                Both | Submitter => Explored::fence(Ordering::SeqCst),
                LightHeavy | LightLight => Explored::light_fence(),
                Worker => {}
            }
            if asleep.load(Ordering::Relaxed) == 1 {
                parker.unpark();
            }
        })
    };
    let (work, asleep, parker) = &*state;
    asleep.store(1, Ordering::Relaxed);
    match fences {
        Both | Worker => Explored::fence(Ordering::SeqCst),
        LightHeavy => Explored::heavy_fence(),
        LightLight => Explored::light_fence(),
        Submitter => {}
    }
    let found = work.load(Ordering::Relaxed);
    if found == 0 {
        parker.park();
    }
    submitter.join();
    found.to_string()
}

const LIGHT: fn() = Explored::light_fence;
const HEAVY: fn() = Explored::heavy_fence;

/// A payload that is written without synchronisation, a fence, a flag; the flag, a fence, the
/// payload. The flag may be counted up on its way, by a thread that has no fence.
fn handed(fences: [fn(); 2], flag: u64) -> String {
    let state = Arc::new((Payload::new(0), Word::new(0)));
    let counting = (1..flag).map(|_| {
        let state = Arc::clone(&state);
        thread::spawn(move || _ = state.1.fetch_add(1, Ordering::Relaxed))
    });
    let counting: Vec<_> = counting.collect();
    let reader = {
        let state = Arc::clone(&state);
        thread::spawn(move || {
            if state.1.load(Ordering::Relaxed) != flag {
                return 0;
            }
            fences[1]();
            // SAFETY: the flag says that it was written; whether it shows is what is checked.
            state.0.with(|payload| unsafe { *payload })
        })
    };
    // SAFETY: nobody reads it before the flag is up.
    state.0.with_mut(|payload| unsafe { *payload = 7 });
    fences[0]();
    state.1.fetch_add(1, Ordering::Relaxed);
    let seen = reader.join();
    counting.into_iter().for_each(thread::JoinHandle::join);
    seen.to_string()
}

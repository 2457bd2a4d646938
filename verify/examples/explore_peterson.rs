//! Peterson's lock, explored: mutual exclusion by loads and stores alone.
//!
//! Run it with `cargo run --release -p gosched-verify --example explore_peterson`.
//!
//! Each of two threads announces that it wants to enter, gives the other one precedence, and waits
//! until the other does not want to or has given precedence in turn. So each first writes and then
//! reads what the other writes: store buffering, which `Release` and `Acquire` allow to go wrong.
//! `SeqCst` accesses are right. So are weaker ones with `SeqCst` fences, but it takes *two* fences
//! in each thread. With one, before the loads, a thread may miss that the other wants to enter,
//! and yet its store of `turn` come behind the other's, which thereby is given precedence as well.
//!
//! Source: G. L. Peterson, *Myths About the Mutual Exclusion Problem*, IPL 12(3), 1981.

use gosched::memory::{Atomic, Memory, Ordering, Shared};
use gosched_verify::explore::{Builder, Explored, Report, thread};

type Word = <Explored as Memory>::AtomicU32;
type Arc<T> = <Explored as Memory>::Arc<T>;

/// How the operations are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Every access is `SeqCst`.
    SeqCst,
    /// Stores are `Release` and loads `Acquire`.
    ReleaseAcquire,
    /// As `ReleaseAcquire`, and a `SeqCst` fence before the loads.
    OneFence,
    /// As `OneFence`, and another between the two stores.
    TwoFences,
}

impl Variant {
    fn store(self) -> Ordering {
        if self == Self::SeqCst { Ordering::SeqCst } else { Ordering::Release }
    }

    fn load(self) -> Ordering {
        if self == Self::SeqCst { Ordering::SeqCst } else { Ordering::Acquire }
    }
}

// ANCHOR: peterson
/// The lock of threads 0 and 1, and who is inside.
struct Peterson {
    wants: [Word; 2],
    turn: Word,
    inside: Word,
    variant: Variant,
}

impl Peterson {
    fn enter_and_leave(&self, me: usize) {
        let other = 1 - me;
        let (store, load) = (self.variant.store(), self.variant.load());
        // ORDER: the variant's, as of all accesses here: see the top of the file.
        self.wants[me].store(1, store);
        if self.variant == Variant::TwoFences {
            // ORDER: SeqCst: if the other's fence below comes before this one in their total
            // order, its `turn` stands before ours.
            Explored::fence(Ordering::SeqCst);
        }
        // ORDER: the variant's.
        self.turn.store(other as u32, store);
        if matches!(self.variant, Variant::OneFence | Variant::TwoFences) {
            // ORDER: SeqCst: of two such fences the later one's thread sees the other's stores.
            Explored::fence(Ordering::SeqCst);
        }
        // ORDER: the variant's.
        while self.wants[other].load(load) == 1 && self.turn.load(load) == other as u32 {
            // The loop only reads, and reads everything anew: a pure retry.
            Explored::retry_pure();
        }
        self.critical_section();
        // ORDER: the variant's; Release at least, so that the other enters after we have left.
        self.wants[me].store(0, store);
    }

    fn critical_section(&self) {
        // ORDER: Relaxed: where the lock works it orders the two threads.
        let others = self.inside.swap(1, Ordering::Relaxed);
        assert!(others == 0, "both are in the critical section");
        // ORDER: Relaxed: as above.
        self.inside.store(0, Ordering::Relaxed);
    }
}
// ANCHOR_END: peterson

/// Both threads enter once.
fn model(variant: Variant) -> String {
    let wants = [Word::new(0), Word::new(0)];
    let lock = Peterson { wants, turn: Word::new(0), inside: Word::new(0), variant };
    let lock = <Arc<Peterson> as Shared<Peterson>>::new(lock);
    let other = {
        let lock = lock.clone();
        thread::spawn(move || lock.enter_and_leave(1))
    };
    lock.enter_and_leave(0);
    other.join();
    "one at a time".into()
}

/// Explores a variant.
pub(crate) fn explore(variant: Variant) -> Report {
    Builder::default().explore(move || model(variant))
}

pub(crate) fn main() {
    let variants =
        [Variant::SeqCst, Variant::ReleaseAcquire, Variant::OneFence, Variant::TwoFences];
    for variant in variants {
        let Report { complete, blocked, exhaustive, failure, .. } = explore(variant);
        match failure {
            Some(failure) => println!("{variant:?}: {failure}"),
            None => println!(
                "{variant:?}: {complete} executions, {blocked} blocked, exhaustive: {exhaustive}"
            ),
        }
    }
}

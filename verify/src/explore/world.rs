//! `Explored`: the memory whose every execution is explored.

mod cell;
mod shared;
mod sync;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use gosched::memory::{Atomic, AtomicInt, Memory, Ordering};

pub use self::cell::ExploredCell;
pub use self::shared::ExploredArc;
pub use self::sync::{ExploredMutex, ExploredParker};
use super::event::{Arithmetic, Fence, Loc, ReadKind, Write};
use super::picture::What;
use super::quarantine;
use super::request::{Answer, Request};
use super::run::{Run, iteration, leave_if_panicking, perform, retry_pure, wait, with};
use crate::world::World;

/// The explorer's memory. Its types work inside [`model`](super::model) alone and panic elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Explored;

// SAFETY: the executions are those that RC11 allows, a subset of those of the C++ memory model; the
// asymmetric fences have the meaning that `Memory` documents.
unsafe impl Memory for Explored {
    const NAME: &'static str = "explored";
    const CHECKED: bool = true;

    type AtomicU32 = ExploredInt<u32>;
    type AtomicU64 = ExploredInt<u64>;
    type AtomicUsize = ExploredInt<usize>;
    type AtomicPtr<T: 'static> = ExploredPtr<T>;
    type Cell<T: Send> = ExploredCell<T>;
    type Mutex<T: Send> = ExploredMutex<T>;
    type Arc<T: Send + Sync> = ExploredArc<T>;
    type Parker = ExploredParker;

    #[track_caller]
    fn fence(order: Ordering) {
        assert!(order != Ordering::Relaxed, "there is no such thing as a relaxed fence");
        perform(Request::Fence(Fence::Ordered(order)), Location::caller());
    }
    #[track_caller]
    fn light_fence() {
        perform(Request::Fence(Fence::Light), Location::caller());
    }
    #[track_caller]
    fn heavy_fence() {
        perform(Request::Fence(Fence::Heavy), Location::caller());
    }
    fn spin_loop() {
        wait();
    }
    fn iteration() {
        iteration();
    }
    #[track_caller]
    fn retry_pure() {
        retry_pure(Location::caller());
    }
}

/// One word of the model's memory.
#[derive(Debug)]
struct Word {
    loc: Loc,
    /// The run that made it.
    run: u64,
}

impl Word {
    #[track_caller]
    fn new(value: u64, what: What) -> Self {
        let at = Location::caller();
        with(|run| Self { loc: run.new_location(value, what, at), run: run.number })
    }

    /// The word's location; `None` if the run is over, and the caller a destructor that is being
    /// unwound.
    fn reach(&self, at: &'static Location<'static>) -> Option<Loc> {
        let address = (&raw const *self).addr();
        reach(address, at, |run| {
            let mine = run.number == self.run;
            if mine {
                run.stands(self.loc, address);
            }
            (mine, self.loc)
        })
    }

    /// As [`read`](Word::read), and `None` as [`reach`](Word::reach).
    fn try_read(&self, kind: ReadKind, at: &'static Location<'static>) -> Option<Answer> {
        let loc = self.reach(at)?;
        let answer = perform(Request::Read { loc, kind }, at)?;
        if answer.exclusive {
            let value = kind.writes(answer.value).expect("an exclusive read writes");
            let order = kind.order(true);
            perform(Request::Write(Write { loc, value, order, exclusive: true }), at);
        }
        Some(answer)
    }

    fn read(&self, kind: ReadKind, at: &'static Location<'static>) -> Answer {
        self.try_read(kind, at).unwrap_or_else(|| {
            leave_if_panicking();
            // A destructor that repeats an exchange until it succeeds must come to an end.
            match kind {
                ReadKind::Exchange { expected, .. } => Answer { value: expected, exclusive: true },
                _ => Answer::default(),
            }
        })
    }

    fn write(&self, value: u64, order: Ordering, at: &'static Location<'static>) {
        if let Some(loc) = self.reach(at) {
            perform(Request::Write(Write { loc, value, order, exclusive: false }), at);
        }
    }

    /// What its only user reads. When the run is over it reads 0, so that destructors find
    /// nothing.
    fn last(&self, at: &'static Location<'static>) -> u64 {
        self.reach(at).map_or(0, |loc| with(|run| run.last_value(loc)))
    }
}

/// Uses an object of the model, at this address, unless the run is over. If the model has freed it,
/// the run is over now. Then this returns to destructors only.
///
/// # Panics
///
/// If `f` says that the object is none of this run.
fn reach<R>(
    address: usize,
    at: &'static Location<'static>,
    f: impl FnOnce(&mut Run<'_>) -> (bool, R),
) -> Option<R> {
    let reached = with(|run| (!run.is_over() && run.may_use(address, at)).then(|| f(run)));
    match reached {
        Some((mine, value)) => {
            // State that survives an execution makes the next one another program.
            assert!(
                mine,
                "state of an earlier execution is used (from a static, or from a variable outside \
                 the model): make all state in the model"
            );
            Some(value)
        }
        None => {
            // The run is over, so this does nothing but wait for its end.
            perform(Request::Choice(1), at);
            None
        }
    }
}

/// Values that fit into a word.
pub trait Value: Copy + fmt::Debug + Send + Sync + 'static {
    /// The bits of the type.
    const MASK: u64;
    /// As a word.
    fn to_word(self) -> u64;
    /// From a word.
    fn from_word(word: u64) -> Self;
}

macro_rules! value {
    ($($type:ty)+) => {
        $(impl Value for $type {
            const MASK: u64 = <$type>::MAX as u64;
            fn to_word(self) -> u64 {
                self as u64
            }
            fn from_word(word: u64) -> Self {
                word as $type
            }
        })+
    };
}

value!(u8 u16 u32 u64 usize);

/// An atomic integer of [`Explored`].
#[derive(Debug)]
pub struct ExploredInt<V> {
    word: Word,
    value: PhantomData<V>,
}

impl<V: Value> ExploredInt<V> {
    fn modify(
        &self,
        arithmetic: Arithmetic,
        value: V,
        order: Ordering,
        at: &'static Location<'static>,
    ) -> V {
        let kind = ReadKind::Modify { arithmetic, operand: value.to_word(), mask: V::MASK, order };
        V::from_word(self.word.read(kind, at).value)
    }
}

/// What `core` checks too.
fn check_load(order: Ordering) {
    assert!(
        !matches!(order, Ordering::Release | Ordering::AcqRel),
        "there is no such thing as a {order:?} load"
    );
}

fn check_store(order: Ordering) {
    assert!(
        !matches!(order, Ordering::Acquire | Ordering::AcqRel),
        "there is no such thing as a {order:?} store"
    );
}

impl<V: Value> Atomic<V> for ExploredInt<V> {
    fn new(value: V) -> Self {
        Self { word: Word::new(value.to_word(), What::Word), value: PhantomData }
    }
    #[track_caller]
    fn load(&self, order: Ordering) -> V {
        check_load(order);
        V::from_word(self.word.read(ReadKind::Load(order), Location::caller()).value)
    }
    #[track_caller]
    fn store(&self, value: V, order: Ordering) {
        check_store(order);
        self.word.write(value.to_word(), order, Location::caller());
    }
    #[track_caller]
    fn swap(&self, value: V, order: Ordering) -> V {
        self.modify(Arithmetic::Swap, value, order, Location::caller())
    }
    #[track_caller]
    fn compare_exchange(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V> {
        let (expected, new) = (current.to_word(), new.to_word());
        let kind = exchange(expected, new, success, failure, false);
        decode(self.word.read(kind, Location::caller()))
    }
    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V> {
        let (expected, new) = (current.to_word(), new.to_word());
        let kind = exchange(expected, new, success, failure, true);
        decode(self.word.read(kind, Location::caller()))
    }
    #[track_caller]
    fn load_mut(&mut self) -> V {
        V::from_word(self.word.last(Location::caller()))
    }
}

fn exchange(expected: u64, new: u64, success: Ordering, failure: Ordering, weak: bool) -> ReadKind {
    check_load(failure);
    ReadKind::Exchange { expected, new, success, failure, weak }
}

fn decode<V: Value>(answer: Answer) -> Result<V, V> {
    let value = V::from_word(answer.value);
    if answer.exclusive { Ok(value) } else { Err(value) }
}

macro_rules! arithmetic {
    ($($method:ident $arithmetic:ident)+) => {
        impl<V: Value> AtomicInt<V> for ExploredInt<V> {
            $(
                #[track_caller]
                fn $method(&self, value: V, order: Ordering) -> V {
                    self.modify(Arithmetic::$arithmetic, value, order, Location::caller())
                }
            )+
        }
    };
}

arithmetic! {
    fetch_add Add
    fetch_sub Sub
    fetch_and And
    fetch_or Or
    fetch_xor Xor
    fetch_max Max
    fetch_min Min
}

/// An atomic pointer of [`Explored`]. In the graph a pointer is a name, the same in every run.
pub struct ExploredPtr<T> {
    word: Word,
    pointee: PhantomData<fn(*mut T) -> *mut T>,
}

impl<T> fmt::Debug for ExploredPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExploredPtr").field(&self.word).finish()
    }
}

fn name<T>(pointer: *mut T) -> u64 {
    with(|run| run.name(pointer.cast()))
}

fn pointer<T>(name: u64) -> *mut T {
    with(|run| run.pointer(name)).cast()
}

impl<T: 'static> ExploredPtr<T> {
    #[track_caller]
    fn exchange(
        &self,
        current: *mut T,
        new: *mut T,
        orders: (Ordering, Ordering),
        weak: bool,
    ) -> Result<*mut T, *mut T> {
        let kind = exchange(name(current), name(new), orders.0, orders.1, weak);
        let answer = self.word.read(kind, Location::caller());
        let value = pointer(answer.value);
        if answer.exclusive { Ok(value) } else { Err(value) }
    }
}

impl<T: 'static> Atomic<*mut T> for ExploredPtr<T> {
    fn new(value: *mut T) -> Self {
        Self { word: Word::new(name(value), What::Pointer), pointee: PhantomData }
    }
    #[track_caller]
    fn load(&self, order: Ordering) -> *mut T {
        check_load(order);
        pointer(self.word.read(ReadKind::Load(order), Location::caller()).value)
    }
    #[track_caller]
    fn store(&self, value: *mut T, order: Ordering) {
        check_store(order);
        self.word.write(name(value), order, Location::caller());
    }
    #[track_caller]
    fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        let (arithmetic, operand) = (Arithmetic::Swap, name(value));
        let kind = ReadKind::Modify { arithmetic, operand, mask: u64::MAX, order };
        pointer(self.word.read(kind, Location::caller()).value)
    }
    #[track_caller]
    fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.exchange(current, new, (success, failure), false)
    }
    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.exchange(current, new, (success, failure), true)
    }
    #[track_caller]
    fn load_mut(&mut self) -> *mut T {
        pointer(self.word.last(Location::caller()))
    }
}

/// A thread of a model.
pub struct ExploredJoinHandle<T> {
    thread: u8,
    result: Arc<Mutex<Option<T>>>,
}

impl<T> fmt::Debug for ExploredJoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExploredJoinHandle({})", self.thread)
    }
}

impl World for Explored {
    type JoinHandle<T: Send + 'static> = ExploredJoinHandle<T>;

    #[track_caller]
    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T> {
        // The handle and the closure's box are the explorer's, not the model's.
        let _engine = quarantine::engine();
        let result = Arc::new(Mutex::new(None));
        let answer = perform(Request::Spawn, Location::caller()).unwrap_or_default();
        let thread = answer.value as u8;
        if thread > 0 {
            let result = Arc::clone(&result);
            let body = Box::new(move || {
                let value = f();
                *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            });
            with(|run| run.start(thread, body));
        }
        ExploredJoinHandle { thread, result }
    }

    #[track_caller]
    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T {
        perform(Request::Join(handle.thread), Location::caller());
        let mut result = handle.result.lock().unwrap_or_else(PoisonError::into_inner);
        result.take().expect("a joined thread has a result")
    }

    fn yield_now() {
        wait();
    }
}

/// One of `count` alternatives.
#[track_caller]
pub(super) fn choose(count: u8) -> u8 {
    assert!(count > 0, "there is nothing to choose from");
    perform(Request::Choice(count), Location::caller()).unwrap_or_default().value as u8
}

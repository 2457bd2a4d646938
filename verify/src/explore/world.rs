//! `Explored`: the memory whose every execution is explored.

use std::cell::{RefCell, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use gosched::memory::{Atomic, AtomicInt, Lock, Memory, Ordering, Park, RaceCell, Shared};

use super::event::{Arithmetic, Clock, Fence, Loc, ReadKind, THREADS_MAX, Write};
use super::fault::FaultKind;
use super::picture::What;
use super::request::{Answer, Request};
use super::run::{is_inside, iteration, perform, retry, with};
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
        retry();
    }
    fn iteration() {
        iteration();
    }
    fn retry_pure() {
        retry();
    }
}

/// One word of the model's memory.
#[derive(Debug)]
struct Word {
    loc: Loc,
    /// The run that made it.
    run: u64,
}

/// State that survives an execution makes the next one another program.
fn check_run(made_in: u64) {
    let mine = with(|run| run.number == made_in || run.is_dead());
    assert!(
        mine,
        "state of an earlier execution is used (from a static, or from a variable outside the \
         model): make all state in the model"
    );
}

impl Word {
    #[track_caller]
    fn new(value: u64, what: What) -> Self {
        let at = Location::caller();
        with(|run| Self { loc: run.new_location(value, what, at), run: run.number })
    }

    /// The word's location.
    fn loc(&self) -> Loc {
        check_run(self.run);
        self.loc
    }

    fn read(&self, kind: ReadKind, at: &'static Location<'static>) -> Answer {
        let loc = self.loc();
        let Some(answer) = perform(Request::Read { loc, kind }, at) else {
            return Answer::default();
        };
        if answer.exclusive {
            let value = kind.writes(answer.value).expect("an exclusive read writes");
            let order = kind.order(true);
            perform(Request::Write(Write { loc, value, order, exclusive: true }), at);
        }
        answer
    }

    fn write(&self, value: u64, order: Ordering, at: &'static Location<'static>) {
        let loc = self.loc();
        perform(Request::Write(Write { loc, value, order, exclusive: false }), at);
    }

    /// What its only user reads. When the run is over it reads 0, so that destructors find
    /// nothing.
    fn last(&self) -> u64 {
        let loc = self.loc();
        with(|run| if run.is_dead() { 0 } else { run.last_value(loc) })
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

value!(u32 u64 usize);

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
    fn load_mut(&mut self) -> V {
        V::from_word(self.word.last())
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
    with(|run| {
        let thread = run.running();
        let index = run.done(thread);
        run.pointers.name(pointer.cast(), thread, index)
    })
}

fn pointer<T>(name: u64) -> *mut T {
    with(|run| run.pointers.pointer(name)).cast()
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
    fn load_mut(&mut self) -> *mut T {
        pointer(self.word.last())
    }
}

/// An access to a cell: by how many events of its thread it was preceded, and where it stands.
type Access = Option<(u16, &'static Location<'static>)>;

/// A race-checked cell of [`Explored`].
pub struct ExploredCell<T> {
    value: UnsafeCell<T>,
    /// The run that made it.
    run: u64,
    /// The last read and the last write of each thread.
    accesses: RefCell<[(Access, Access); THREADS_MAX]>,
}

// SAFETY: as for the cells of the other worlds: shared access yields raw pointers only. The threads
// of a model are coroutines in one OS thread, so the `RefCell` is never used by two at once.
unsafe impl<T: Send> Sync for ExploredCell<T> {}

impl<T> ExploredCell<T> {
    /// Records an access, and ends the run if it races with another.
    fn access(&self, writes: bool, at: &'static Location<'static>) {
        check_run(self.run);
        let races = with(|run| {
            if run.is_dead() {
                return None;
            }
            let (thread, now) = (run.running(), run.now());
            let mut accesses = self.accesses.borrow_mut();
            let race = find_race(&accesses, thread, &now, writes);
            let mine = &mut accesses[usize::from(thread)];
            let access = Some((run.done(thread), at));
            if writes {
                mine.1 = access
            } else {
                mine.0 = access
            }
            let Race { thread: other, after, wrote, at: there } = race?;
            run.mark_after(other, after, describe(wrote), there);
            run.mark(thread, describe(writes), Some(at));
            run.fault(
                FaultKind::Race,
                format!(
                    "thread {thread} {} at {at}, and nothing orders that with thread {other}, which \
                     {} at {there}",
                    describe(writes),
                    describe(wrote)
                ),
            );
            Some(())
        });
        if races.is_some() {
            // The run has ended: this never returns, except to a destructor.
            perform(Request::Choice(1), at);
        }
    }
}

/// An access of another thread that nothing orders before this one.
struct Race {
    thread: u8,
    /// Events of its thread that came before it.
    after: u16,
    wrote: bool,
    at: &'static Location<'static>,
}

fn describe(writes: bool) -> &'static str {
    if writes { "writes a cell" } else { "reads a cell" }
}

fn find_race(
    accesses: &[(Access, Access); THREADS_MAX],
    thread: u8,
    now: &Clock,
    writes: bool,
) -> Option<Race> {
    let others = (0..THREADS_MAX as u8).filter(|&other| other != thread);
    others
        .flat_map(|other| {
            let (read, write) = accesses[usize::from(other)];
            let conflicting = [(write, true), (if writes { read } else { None }, false)];
            conflicting.into_iter().filter_map(move |(access, wrote)| {
                access.map(|(after, at)| Race { thread: other, after, wrote, at })
            })
        })
        .find(|race| now.of(race.thread) < race.after + 1)
}

impl<T: Send> RaceCell<T> for ExploredCell<T> {
    fn new(value: T) -> Self {
        let run = with(|run| run.number);
        Self { value: UnsafeCell::new(value), run, accesses: RefCell::default() }
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.access(false, Location::caller());
        f(self.value.get())
    }
    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.access(true, Location::caller());
        f(self.value.get())
    }
}

impl<T> fmt::Debug for ExploredCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExploredCell(..)")
    }
}

/// A mutex of [`Explored`]: a word that is 1 while somebody holds it. Who waits for it is blocked.
pub struct ExploredMutex<T> {
    held: Word,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by the thread that holds the lock, or through `&mut`.
unsafe impl<T: Send> Sync for ExploredMutex<T> {}

/// Releases the lock, also when the closure panics.
struct Release<'a>(&'a Word, &'static Location<'static>);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.write(0, Ordering::Release, self.1);
    }
}

impl<T: Send> Lock<T> for ExploredMutex<T> {
    #[track_caller]
    fn new(value: T) -> Self {
        Self { held: Word::new(0, What::Lock), value: UnsafeCell::new(value) }
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let at = Location::caller();
        self.held.read(ReadKind::Await { expected: 0, new: 1, order: Ordering::Acquire }, at);
        let _release = Release(&self.held, at);
        // SAFETY: we hold the lock. (When the run is over, its threads are unwound one by one, and
        // none of them is inside a closure but the one that is being unwound.)
        f(unsafe { &mut *self.value.get() })
    }
    fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> fmt::Debug for ExploredMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExploredMutex(..)")
    }
}

/// An `Arc` of [`Explored`]: a count that is explored like any other word, so that every owner is
/// the last one in some execution. Of a value without a destructor it does not matter who is, and
/// nothing is explored.
pub struct ExploredArc<T>(Arc<Counted<T>>);

struct Counted<T> {
    /// The owners; `None` if the value has no destructor.
    owners: Option<Word>,
    /// Dropped by the last owner, and by nobody when the run was cut short.
    value: UnsafeCell<ManuallyDrop<T>>,
}

// SAFETY: the value is shared as by std's `Arc`, and dropped by the last owner, after all others.
unsafe impl<T: Send + Sync> Send for ExploredArc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for ExploredArc<T> {}

impl<T> ExploredArc<T> {
    /// Changes the number of owners; returns what it was, unless the run is over.
    #[track_caller]
    fn count(&self, arithmetic: Arithmetic, order: Ordering) -> Option<u64> {
        let at = Location::caller();
        let loc = self.0.owners.as_ref()?.loc();
        let kind = ReadKind::Modify { arithmetic, operand: 1, mask: u64::MAX, order };
        let before = perform(Request::Read { loc, kind }, at)?.value;
        let value = kind.writes(before).expect("a read-modify-write writes");
        perform(Request::Write(Write { loc, value, order, exclusive: true }), at)?;
        Some(before)
    }
}

impl<T: Send + Sync> Shared<T> for ExploredArc<T> {
    #[track_caller]
    fn new(value: T) -> Self {
        // Outside a model this panics, also where nobody counts.
        with(|_| ());
        let counts = std::mem::needs_drop::<T>();
        let owners = if counts { Some(Word::new(1, What::Owners)) } else { None };
        Self(Arc::new(Counted { owners, value: UnsafeCell::new(ManuallyDrop::new(value)) }))
    }
}

impl<T> Clone for ExploredArc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.count(Arithmetic::Add, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for ExploredArc<T> {
    fn drop(&mut self) {
        if !is_inside() {
            // Of a model that is gone: its last owner cannot be known any more.
            return;
        }
        if self.count(Arithmetic::Sub, Ordering::Release) == Some(1)
            && perform(Request::Fence(Fence::Ordered(Ordering::Acquire)), Location::caller())
                .is_some()
        {
            // SAFETY: the count says that all other owners are gone, and their uses happen before
            // the fence: nobody else has a reference.
            let value = unsafe { &mut *self.0.value.get() };
            // SAFETY: only the last owner drops it, and only once.
            unsafe { ManuallyDrop::drop(value) };
        }
    }
}

impl<T> Deref for ExploredArc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the value is dropped by the last owner, and we are one.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> fmt::Debug for ExploredArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExploredArc(..)")
    }
}

/// A parking place of [`Explored`]: a word that is 1 while there is a token.
#[derive(Debug)]
pub struct ExploredParker(Word);

impl Park for ExploredParker {
    #[track_caller]
    fn new() -> Self {
        Self(Word::new(0, What::Parker))
    }
    #[track_caller]
    fn park(&self) {
        let kind = ReadKind::Await { expected: 1, new: 0, order: Ordering::Acquire };
        self.0.read(kind, Location::caller());
    }
    #[track_caller]
    fn unpark(&self) {
        let (arithmetic, order) = (Arithmetic::Swap, Ordering::Release);
        let kind = ReadKind::Modify { arithmetic, operand: 1, mask: 1, order };
        self.0.read(kind, Location::caller());
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
        retry();
    }
}

/// One of `count` alternatives.
#[track_caller]
pub(super) fn choose(count: u8) -> u8 {
    assert!(count > 0, "there is nothing to choose from");
    perform(Request::Choice(count), Location::caller()).unwrap_or_default().value as u8
}

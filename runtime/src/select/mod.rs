//! Select: waiting for the first of several futures.
//!
//! The futures lie side by side in a [`Select`], which polls them in random order, each time in
//! another: where several are ready, none is preferred, as in Go. All are given the same waker, so
//! that a goroutine parks once, whoever comes first. The others are dropped.
//!
//! ```text
//!    select! {                          poll, in random order: 2, 0, 1
//!        a = x.recv() => ..             none is ready: the goroutine parks
//!        b = y.recv() => ..             somebody wakes it
//!        () = after(..) => ..           poll: 0, 2: it is 2
//!    }                                  drop all; run the arm of 2
//! ```
//!
//= go1.27:src/runtime/select.go#selectgo

mod macros;

use std::cell::Cell;
use std::fmt;
use std::future::{Future, pending};
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::goroutine::WaitReason;
use crate::park::{checkpoint, wait_for};

/// How many futures a select can wait for.
pub const MOST_ARMS: usize = 8;

/// Several futures, of which the first to be ready is wanted: tuples of one to eight.
pub trait Arms {
    /// The output of the first: [`OneOf2`] for two, and so on.
    type First;
    /// How many there are.
    const COUNT: usize;
    /// Polls one of them.
    fn poll_arm(self: Pin<&mut Self>, arm: usize, context: &mut Context<'_>) -> Poll<Self::First>;
}

/// Implements [`Arms`] for a tuple, and declares what it becomes.
macro_rules! arms {
    ($name:ident, $words:literal, $count:literal: $($index:tt $future:ident $variant:ident),+) => {
        #[doc = concat!("What was ready first, of ", $words, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name<$($future),+> {
            $(#[doc = concat!("Number ", stringify!($index), ", counted from 0.")] $variant($future),)+
        }

        impl<$($future: Future),+> Arms for ($($future,)+) {
            type First = $name<$($future::Output),+>;
            const COUNT: usize = $count;

            fn poll_arm(
                self: Pin<&mut Self>,
                arm: usize,
                context: &mut Context<'_>,
            ) -> Poll<Self::First> {
                // SAFETY: the tuple is not moved out of.
                let this = unsafe { self.get_unchecked_mut() };
                match arm {
                    $($index => {
                        // SAFETY: it lies in a pinned tuple, which is `Unpin` only if all in it
                        // are, and is not handed out otherwise.
                        let future = unsafe { Pin::new_unchecked(&mut this.$index) };
                        future.poll(context).map($name::$variant)
                    })+
                    _ => Poll::Pending,
                }
            }
        }
    };
}

arms!(OneOf1, "one", 1: 0 A First);
arms!(OneOf2, "two", 2: 0 A First, 1 B Second);
arms!(OneOf3, "three", 3: 0 A First, 1 B Second, 2 C Third);
arms!(OneOf4, "four", 4: 0 A First, 1 B Second, 2 C Third, 3 D Fourth);
arms!(OneOf5, "five", 5: 0 A First, 1 B Second, 2 C Third, 3 D Fourth, 4 E Fifth);
arms!(OneOf6, "six", 6: 0 A First, 1 B Second, 2 C Third, 3 D Fourth, 4 E Fifth, 5 F Sixth);
arms!(OneOf7, "seven", 7: 0 A First, 1 B Second, 2 C Third, 3 D Fourth, 4 E Fifth, 5 F Sixth,
    6 G Seventh);
arms!(OneOf8, "eight", 8: 0 A First, 1 B Second, 2 C Third, 3 D Fourth, 4 E Fifth, 5 F Sixth,
    6 G Seventh, 7 H Eighth);

/// Waits for the first of several futures, and drops the others: a goroutine parks, a thread
/// blocks. Where several are ready each of them is as likely to be taken.
///
/// [`select!`](crate::select!) is this with a match. What a future loses when it is dropped halfway
/// is its own affair: most `recv`s lose nothing.
///
/// ```
/// use std::future::{pending, ready};
/// use gosched_runtime::{Runtime, select::{OneOf2, select}};
///
/// # Runtime::new()?.run(|| {
/// let first = select((pending::<()>(), ready(7)));
/// assert_eq!(first, OneOf2::Second(7));
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
//= go1.27:src/runtime/select.go#selectgo
pub fn select<A: Arms>(arms: A) -> A::First {
    let mut select = pin!(Select::new(arms));
    wait_for(WaitReason::Select, |context| select.as_mut().poll(context))
}

/// Polls each of several futures once, in random order, and drops them all: the first that was
/// ready, if any was. A [`checkpoint`] if none was.
///
/// They are polled with a waker that wakes nobody.
pub fn try_select<A: Arms>(arms: A) -> Option<A::First> {
    let select = pin!(Select::new(arms));
    match select.poll(&mut Context::from_waker(std::task::Waker::noop())) {
        Poll::Ready(first) => Some(first),
        Poll::Pending => {
            checkpoint();
            None
        }
    }
}

/// Waits for ever: a select of nothing.
pub fn never<T>() -> T {
    let mut never = pin!(pending());
    wait_for(WaitReason::Select, |context| never.as_mut().poll(context))
}

/// [`select()`] as a future.
#[must_use = "a future does nothing unless it is polled"]
pub struct Select<A> {
    arms: A,
}

impl<A: Arms> Select<A> {
    /// The first of these futures.
    pub fn new(arms: A) -> Self {
        Self { arms }
    }
}

impl<A: Arms> Future for Select<A> {
    type Output = A::First;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<A::First> {
        // SAFETY: the arms lie in a pinned value, which is `Unpin` only if they are, and are not
        // handed out otherwise.
        let mut arms = unsafe { self.map_unchecked_mut(|this| &mut this.arms) };
        // As one shuffles cards, but no further than it is needed.
        let mut order: [usize; MOST_ARMS] = std::array::from_fn(|arm| arm);
        for polled in 0..A::COUNT {
            order.swap(polled, polled + below(A::COUNT - polled));
            let poll = arms.as_mut().poll_arm(order[polled], context);
            if poll.is_ready() {
                return poll;
            }
        }
        Poll::Pending
    }
}

impl<A> fmt::Debug for Select<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").finish_non_exhaustive()
    }
}

thread_local! {
    /// The state of this thread's generator.
    static RANDOM: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
}

/// A random number below `bound`. Nothing of the thread's is kept: the goroutine may go on in
/// another.
#[inline(never)]
pub(crate) fn below(bound: usize) -> usize {
    // Marsaglia's xorshift.
    let mut state = RANDOM.get();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    RANDOM.set(state);
    // The upper half of the product: no division.
    ((u128::from(state) * bound as u128) >> 64) as usize
}

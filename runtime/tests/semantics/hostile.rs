//! A panic in every place where a program's code runs. Each is carried to whoever joins, or ends
//! where it began; the runtime goes on as ever, and nobody who waits is forgotten.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::Duration;

use gosched_runtime::{
    JoinError, WaitGroup, WaitReason, block_on, blocking, checkpoint, current, go, go_future,
    goroutine_local, park, yield_now,
};

use crate::kinds::{Hog, both, eventually, watch, works_and_ends};

/// Panics when it is dropped, with something that panics when it is dropped, so many times.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        match self.0 {
            0 => resume_unwind(Box::new("a bomb")),
            more => resume_unwind(Box::new(Bomb(more - 1))),
        }
    }
}

/// Runs what may panic with something that panics when it is dropped.
fn defuse(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        std::mem::forget(payload);
    }
}

#[test]
fn in_the_destructor_of_what_was_captured() {
    let _watch = watch();
    for runtime in both(2) {
        let bomb = Bomb(0);
        let error = runtime.go(move || drop(bomb)).join().unwrap_err();
        assert_eq!(error.message(), Some("a bomb"));
        let bomb = Bomb(0);
        let error = runtime
            .go(move || {
                let _bomb = bomb;
                yield_now();
            })
            .join()
            .unwrap_err();
        assert!(matches!(error, JoinError::Panicked(_)));
        works_and_ends(&runtime);
    }
}

#[test]
fn in_the_destructor_of_a_result_that_nobody_takes() {
    let _watch = watch();
    for runtime in both(2) {
        for depth in 0..3 {
            for _ in 0..20 {
                // Whichever is later drops it, the goroutine or the handle: that one's is a panic
                // of whoever drops the handle.
                let handle = runtime.go(move || Bomb(depth));
                defuse(|| drop(handle));
                let future = runtime.run(move || {
                    let handle = go_future(async move { Bomb(depth) });
                    defuse(|| drop(handle));
                });
                future.unwrap();
            }
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn in_the_destructor_of_a_panics_payload_that_nobody_takes() {
    let _watch = watch();
    for runtime in both(2) {
        for depth in 0..3 {
            for _ in 0..20 {
                let handle = runtime.go(move || resume_unwind(Box::new(Bomb(depth))));
                defuse(|| drop(handle));
            }
        }
        works_and_ends(&runtime);
    }
}

goroutine_local! {
    static BOMBS: Cell<Vec<Bomb>> = Cell::new(Vec::new());
    static MORE: Cell<Option<Bomb>> = Cell::new(None);
    static LAST: Cell<Option<Tells>> = Cell::new(None);
    static NEVER: Cell<u32> = init();
    static TWICE: Cell<u32> = twice();
}

/// Tells that it was dropped.
struct Tells(Arc<AtomicBool>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn in_the_destructors_of_several_locals() {
    let _watch = watch();
    for runtime in both(2) {
        let dropped = Arc::new(AtomicBool::new(false));
        let tells = Tells(Arc::clone(&dropped));
        runtime
            .run(move || {
                BOMBS.with(|bombs| bombs.set(vec![Bomb(2)]));
                MORE.with(|bomb| bomb.set(Some(Bomb(1))));
                LAST.with(|last| last.set(Some(tells)));
            })
            .unwrap();
        eventually("the last local is dropped, too", || dropped.load(SeqCst));
        works_and_ends(&runtime);
    }
}

fn init() -> Cell<u32> {
    panic!("a local's first value")
}

/// Panics the first time, and is asked again.
fn twice() -> Cell<u32> {
    static ASKED: AtomicBool = AtomicBool::new(false);
    assert!(ASKED.swap(true, SeqCst), "the first time");
    Cell::new(5)
}

#[test]
fn in_the_first_value_of_a_local() {
    let _watch = watch();
    for runtime in both(2) {
        let error = runtime.go(|| NEVER.with(Cell::get)).join().unwrap_err();
        assert_eq!(error.message(), Some("a local's first value"));
        works_and_ends(&runtime);
    }
    let [runtime, _] = both(1);
    let value = runtime.run(|| {
        assert!(catch_unwind(|| TWICE.with(Cell::get)).is_err());
        TWICE.with(Cell::get)
    });
    assert_eq!(value.unwrap(), 5);
}

/// A future that panics when it is polled for the second time, or dropped.
struct Fuse {
    polls: u32,
    in_drop: bool,
}

impl Future for Fuse {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        self.polls += 1;
        if self.polls == 1 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        assert!(self.in_drop, "a poll");
        Poll::Ready(7)
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        if self.in_drop {
            drop(Bomb(1));
        }
    }
}

#[test]
fn in_a_futures_poll_and_in_its_drop() {
    let _watch = watch();
    for runtime in both(2) {
        let (polled, dropped) = runtime
            .run(|| {
                let polled = go_future(Fuse { polls: 0, in_drop: false }).join();
                let dropped = go_future(Fuse { polls: 0, in_drop: true }).join();
                let inside = catch_unwind(|| block_on(Fuse { polls: 0, in_drop: false }));
                assert!(inside.is_err());
                (polled, dropped)
            })
            .unwrap();
        assert_eq!(polled.unwrap_err().message(), Some("a poll"));
        assert_eq!(dropped.unwrap(), 7);
        works_and_ends(&runtime);
    }
}

#[test]
fn in_a_blocking_call_whose_processor_was_taken() {
    let _watch = watch();
    for runtime in both(1) {
        let stop = Arc::new(AtomicBool::new(false));
        let hog = runtime.go({
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(SeqCst) {
                    checkpoint();
                }
            }
        });
        for _ in 0..5 {
            let calls = runtime.go(|| {
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    blocking(|| {
                        thread::sleep(Duration::from_millis(2));
                        resume_unwind(Box::new("in a call"));
                    });
                }));
                assert!(caught.is_err());
                // It may have no processor now; all works none the less.
                let child = go(|| 1);
                blocking(|| thread::sleep(Duration::from_micros(50)));
                yield_now();
                child.join().unwrap()
            });
            assert_eq!(calls.join().unwrap(), 1);
            let ends = runtime.go(|| {
                blocking(|| {
                    thread::sleep(Duration::from_millis(2));
                    panic_any(9_u8);
                });
            });
            assert_eq!(*ends.join().unwrap_err().into_panic().downcast::<u8>().unwrap(), 9);
        }
        stop.store(true, SeqCst);
        hog.join().unwrap();
        works_and_ends(&runtime);
    }
}

/// Which of a waker's functions panics.
#[derive(Clone, Copy, PartialEq)]
enum Panics {
    Wake,
    Clone,
    Drop,
}

static HOSTILE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        panic_if(data, Panics::Clone);
        RawWaker::new(data, &HOSTILE)
    },
    |data| panic_if(data, Panics::Wake),
    |data| panic_if(data, Panics::Wake),
    |data| panic_if(data, Panics::Drop),
);

#[track_caller]
fn panic_if(data: *const (), which: Panics) {
    if data.addr() == which as usize + 1 && !thread::panicking() {
        resume_unwind(Box::new("somebody else's waker"));
    }
}

fn hostile(panics: Panics) -> Waker {
    let data = std::ptr::without_provenance(panics as usize + 1);
    // SAFETY: the functions keep the contract, but for their panics.
    unsafe { Waker::from_raw(RawWaker::new(data, &HOSTILE)) }
}

/// Polls once, with a waker whose functions panic.
fn poll_with<F: Future>(future: Pin<&mut F>, panics: Panics) {
    let waker = hostile(panics);
    let polled = catch_unwind(AssertUnwindSafe(|| {
        assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
    }));
    assert_eq!(polled.is_err(), panics == Panics::Clone);
    let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
}

#[test]
fn in_the_waker_of_whoever_polls_a_join_handle() {
    let _watch = watch();
    for runtime in both(1) {
        for panics in [Panics::Wake, Panics::Clone, Panics::Drop] {
            for stackful in [true, false] {
                let open = Arc::new(AtomicBool::new(false));
                let opens = Arc::clone(&open);
                let handle = runtime.run(move || match stackful {
                    true => go(move || {
                        while !open.load(SeqCst) {
                            yield_now();
                        }
                        7
                    }),
                    false => go_future(poll_fn(move |context| {
                        context.waker().wake_by_ref();
                        if open.load(SeqCst) { Poll::Ready(7) } else { Poll::Pending }
                    })),
                });
                let mut handle = pin!(handle.unwrap());
                poll_with(handle.as_mut(), panics);
                opens.store(true, SeqCst);
                // The result is there none the less.
                assert_eq!(block_on(handle).unwrap(), 7);
                runtime.run(yield_now).unwrap();
            }
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn in_the_waker_of_whoever_polls_a_wait_group() {
    let _watch = watch();
    for runtime in both(2) {
        for panics in [Panics::Wake, Panics::Clone, Panics::Drop] {
            let group = Arc::new(WaitGroup::new());
            group.add(1);
            let mut first = Box::pin(group.finished());
            poll_with(first.as_mut(), panics);
            // Another waker in the place of it.
            let mut second = Box::pin(group.finished());
            poll_with(second.as_mut(), panics);
            assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let waits = runtime.go({
                let group = Arc::clone(&group);
                move || group.wait()
            });
            eventually("it waits", || {
                let dump = runtime.dump();
                dump.goroutines.iter().any(|info| info.reason == WaitReason::Group)
            });
            let mut third = Box::pin(group.finished());
            poll_with(third.as_mut(), panics);
            drop(third);
            group.done();
            waits.join().unwrap();
        }
        works_and_ends(&runtime);
    }
}

/// Panics whenever it wakes.
struct Loud;

impl Wake for Loud {
    fn wake(self: Arc<Self>) {
        resume_unwind(Box::new("a waker"));
    }
}

#[test]
fn in_a_waker_while_a_goroutine_is_unwound() {
    let _watch = watch();
    for runtime in both(1) {
        let group = Arc::new(WaitGroup::new());
        let open = Arc::new(AtomicBool::new(false));
        let unwinds = runtime.run({
            let (group, open) = (Arc::clone(&group), Arc::clone(&open));
            move || {
                group.go(move || {
                    while !open.load(SeqCst) {
                        yield_now();
                    }
                    resume_unwind(Box::new("the goroutine"));
                })
            }
        });
        let mut waits = Box::pin(group.finished());
        let loud = Waker::from(Arc::new(Loud));
        assert!(waits.as_mut().poll(&mut Context::from_waker(&loud)).is_pending());
        open.store(true, SeqCst);
        let error = unwinds.unwrap().join().unwrap_err();
        assert_eq!(error.message(), Some("the goroutine"));
        works_and_ends(&runtime);
    }
}

/// Panics when it is dropped, even where that is in a panic.
struct Worse;

impl Drop for Worse {
    fn drop(&mut self) {
        resume_unwind(Box::new("a payload"));
    }
}

#[test]
fn in_the_payload_of_a_scopes_goroutine_while_its_body_panics() {
    let _watch = watch();
    for runtime in both(2) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            runtime.scope(|scope| {
                let _panics = scope.go(|| resume_unwind(Box::new(Worse)));
                resume_unwind(Box::new("the body"));
            });
        }));
        assert_eq!(result.unwrap_err().downcast_ref(), Some(&"the body"));
        works_and_ends(&runtime);
    }
}

#[test]
fn in_what_is_dropped_when_the_runtime_ends() {
    let _watch = watch();
    for depth in 0..3 {
        for runtime in both(1) {
            let hog = Hog::on(&runtime);
            let never: Vec<_> = (0..10)
                .map(|_| {
                    let bomb = Bomb(depth);
                    let mut never = Box::pin(runtime.go(move || drop(bomb)));
                    poll_with(never.as_mut(), Panics::Wake);
                    never
                })
                .collect();
            let shutdown = thread::scope(|scope| {
                let shutdown = scope.spawn(|| runtime.shutdown(Duration::ZERO));
                eventually("it shuts down", || runtime.snapshot().stopped);
                hog.stop()();
                shutdown.join().unwrap().unwrap()
            });
            // None but the hog, which may not have ended yet.
            assert!(shutdown.left.goroutines.len() <= 1, "{shutdown}");
            hog.join();
            let cancelled = never.into_iter().map(block_on).filter(Result::is_err).count();
            assert_eq!(cancelled, 10);
        }
    }
}

#[test]
fn in_a_goroutine_that_is_unwound_while_it_waits_for_another() {
    let _watch = watch();
    for runtime in both(2) {
        let message = runtime.run(|| {
            let main = current().unwrap();
            let waits = go(move || {
                struct Parks;
                impl Drop for Parks {
                    fn drop(&mut self) {
                        park();
                    }
                }
                let _parks = Parks;
                go(move || main.unpark());
                resume_unwind(Box::new("while it waits"));
            });
            park();
            // It waits with its thread; the permit finds it there.
            drop(waits);
        });
        message.unwrap();
        // One goroutine is left, on a thread of its own: a shutdown says both.
        let shutdown = runtime.shutdown(Duration::from_millis(50)).unwrap();
        assert_eq!((shutdown.left.goroutines.len(), shutdown.threads), (1, 1), "{shutdown}");
    }
}

//! `select!`: a select with a match, in Go's shape.

/// Waits for the first of up to eight futures, and runs its arm.
///
/// Where several are ready, any of them is taken. The others are dropped before the arm runs. With
/// a `default` arm, which comes last, it does not wait: that arm runs if none is ready. Without any
/// arm it waits for ever.
///
/// A pattern must match every output of its future. The arms are ordinary expressions: `break`, `?`
/// and `return` do there what they do around the `select!`. See [`select`](mod@crate::select).
///
/// ```
/// use std::time::Duration;
/// use gosched_runtime::{Runtime, go, select, time::after};
///
/// # Runtime::new()?.run(|| {
/// let (sends, receives) = async_channel::bounded(1);
/// go(move || sends.send_blocking(7));
/// let got = select! {
///     value = receives.recv() => value.ok(),
///     () = after(Duration::from_secs(60)) => None,
/// };
/// assert_eq!(got, Some(7));
///
/// let empty = select! {
///     _ = std::future::pending::<()>() => false,
///     default => true,
/// };
/// assert!(empty);
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! select {
    () => { $crate::select::never() };
    ($($arms:tt)+) => { $crate::__select!([] $($arms)+) };
}

/// The arms of [`select!`], one after the other into the brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    ([$($done:tt)+] default => $default:expr $(,)?) => {
        $crate::__select_arms!(try_select, [$default] $($done)+)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr => $then:expr, $($rest:tt)+) => {
        $crate::__select!([$($done)* {$pattern} {$future} {$then}] $($rest)+)
    };
    ([$($done:tt)*] $pattern:pat = $future:expr => $then:expr $(,)?) => {
        $crate::__select_arms!(select, [] $($done)* {$pattern} {$future} {$then})
    };
}

/// The collected arms of [`select!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __select_arms {
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt) => {
        $crate::__select_match!($how, $default OneOf1: First $p0 $f0 $t0)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt) => {
        $crate::__select_match!($how, $default OneOf2: First $p0 $f0 $t0, Second $p1 $f1 $t1)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt $p2:tt $f2:tt $t2:tt) => {
        $crate::__select_match!($how, $default OneOf3:
            First $p0 $f0 $t0, Second $p1 $f1 $t1, Third $p2 $f2 $t2)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt $p2:tt $f2:tt $t2:tt
        $p3:tt $f3:tt $t3:tt) => {
        $crate::__select_match!($how, $default OneOf4:
            First $p0 $f0 $t0, Second $p1 $f1 $t1, Third $p2 $f2 $t2, Fourth $p3 $f3 $t3)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt $p2:tt $f2:tt $t2:tt
        $p3:tt $f3:tt $t3:tt $p4:tt $f4:tt $t4:tt) => {
        $crate::__select_match!($how, $default OneOf5:
            First $p0 $f0 $t0, Second $p1 $f1 $t1, Third $p2 $f2 $t2, Fourth $p3 $f3 $t3,
            Fifth $p4 $f4 $t4)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt $p2:tt $f2:tt $t2:tt
        $p3:tt $f3:tt $t3:tt $p4:tt $f4:tt $t4:tt $p5:tt $f5:tt $t5:tt) => {
        $crate::__select_match!($how, $default OneOf6:
            First $p0 $f0 $t0, Second $p1 $f1 $t1, Third $p2 $f2 $t2, Fourth $p3 $f3 $t3,
            Fifth $p4 $f4 $t4, Sixth $p5 $f5 $t5)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt $p2:tt $f2:tt $t2:tt
        $p3:tt $f3:tt $t3:tt $p4:tt $f4:tt $t4:tt $p5:tt $f5:tt $t5:tt $p6:tt $f6:tt $t6:tt) => {
        $crate::__select_match!($how, $default OneOf7:
            First $p0 $f0 $t0, Second $p1 $f1 $t1, Third $p2 $f2 $t2, Fourth $p3 $f3 $t3,
            Fifth $p4 $f4 $t4, Sixth $p5 $f5 $t5, Seventh $p6 $f6 $t6)
    };
    ($how:ident, $default:tt $p0:tt $f0:tt $t0:tt $p1:tt $f1:tt $t1:tt $p2:tt $f2:tt $t2:tt
        $p3:tt $f3:tt $t3:tt $p4:tt $f4:tt $t4:tt $p5:tt $f5:tt $t5:tt $p6:tt $f6:tt $t6:tt
        $p7:tt $f7:tt $t7:tt) => {
        $crate::__select_match!($how, $default OneOf8:
            First $p0 $f0 $t0, Second $p1 $f1 $t1, Third $p2 $f2 $t2, Fourth $p3 $f3 $t3,
            Fifth $p4 $f4 $t4, Sixth $p5 $f5 $t5, Seventh $p6 $f6 $t6, Eighth $p7 $f7 $t7)
    };
    ($how:ident, $default:tt $($more:tt)+) => {
        ::core::compile_error!("select! waits for at most eight futures")
    };
}

/// The match of [`select!`]. The futures, and what they borrow of temporaries, are gone before it.
#[doc(hidden)]
#[macro_export]
macro_rules! __select_match {
    ($how:ident, [] $of:ident:
        $($variant:ident {$pattern:pat} {$future:expr} {$then:expr}),+) => {{
        let first = $crate::select::$how(($($future,)+));
        match first {
            $($crate::select::$of::$variant($pattern) => $then,)+
        }
    }};
    ($how:ident, [$default:expr] $of:ident:
        $($variant:ident {$pattern:pat} {$future:expr} {$then:expr}),+) => {{
        let first = $crate::select::$how(($($future,)+));
        match first {
            $(::core::option::Option::Some($crate::select::$of::$variant($pattern)) => $then,)+
            ::core::option::Option::None => $default,
        }
    }};
}

//! The asymmetric fence: one side pays almost nothing, because the other side pays for both.
//!
//! Two threads that each *store, fence, load the other's word* (Dekker's pattern: a submitter and a
//! machine going to sleep, an owner and a thief) need a full fence on both sides, or both may miss
//! the other's store:
//!
//! ```text
//!    frequent side            rare side
//!    x = 1                    y = 1
//!    light_fence()            heavy_fence()
//!    r0 = y                   r1 = x          never r0 = r1 = 0
//! ```
//!
//! Linux can make the rare side carry the cost of both: `membarrier(PRIVATE_EXPEDITED)` interrupts
//! every running thread of the process and makes it execute a full fence, so the frequent side
//! needs only to keep the *compiler* from reordering. Whatever point of the frequent side the
//! interrupt hits, its store is visible before the rare side's load, or its load comes after the
//! rare side's store.
//!
//! # The mode moves once
//!
//! Whether the system call works is known only at run time, so the process has a mode:
//!
//! ```text
//!                 first heavy fence, or choose(Membarrier), and the system has it
//!              +------------------------------------------------------------------> membarrier
//!    unknown --+
//!              +------------------------------------------------------------------> SeqCst
//!                 the system has none, or choose(SeqCst)
//! ```
//!
//! | mode read by the light side | light | heavy, which has always chosen first |
//! |---|---|---|
//! | unknown (perhaps stale) | `fence(SeqCst)` | `membarrier`, or `fence(SeqCst)` |
//! | membarrier | compiler fence | `membarrier`: no other choice can have been made |
//! | SeqCst | `fence(SeqCst)` | `fence(SeqCst)`: no other choice can have been made |
//!
//! Each row orders both sides. The one combination that would not (compiler fence against
//! `fence(SeqCst)`) needs two different choices, and the mode is chosen by one compare-exchange.
//! Hence also: a `membarrier` that fails after the choice leaves no sound way on, and aborts.
//!
//! Source: C++ proposal P1202 (asymmetric fences); `membarrier(2)`.

/// How the asymmetric fences of this process work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceMode {
    /// Light fences bind the compiler alone; heavy fences are `membarrier(PRIVATE_EXPEDITED)`.
    Membarrier,
    /// Both are `fence(SeqCst)`.
    SeqCst,
}

#[cfg(all(feature = "std", target_os = "linux", not(miri)))]
pub(super) use linux::{choose, heavy, light, mode};

#[cfg(not(all(feature = "std", target_os = "linux", not(miri))))]
pub(super) use elsewhere::{choose, heavy, light, mode};

#[cfg(all(feature = "std", target_os = "linux", not(miri)))]
mod linux {
    use core::sync::atomic::{AtomicU32, Ordering, compiler_fence, fence};

    use super::FenceMode;

    const UNKNOWN: u32 = 0;
    const MEMBARRIER: u32 = 1;
    const SEQ_CST: u32 = 2;

    static MODE: AtomicU32 = AtomicU32::new(UNKNOWN);

    #[inline(always)]
    pub(in crate::memory) fn light() {
        // ORDER: Relaxed: a stale "unknown" gives the stronger fence, and the other two values are
        // final; the table at the top of this file.
        if MODE.load(Ordering::Relaxed) == MEMBARRIER {
            // ORDER: SeqCst, for the compiler alone: pairs with the membarrier of `heavy`, which
            // makes this processor fence wherever the compiler left our store and our load.
            compiler_fence(Ordering::SeqCst);
        } else {
            // ORDER: SeqCst: pairs with the fence, or the membarrier, of `heavy`.
            fence(Ordering::SeqCst);
        }
    }

    #[inline]
    pub(in crate::memory) fn heavy() {
        // ORDER: SeqCst: pairs with `light` in the mode SeqCst, and makes a heavy fence a SeqCst
        // fence to every other one in both modes.
        fence(Ordering::SeqCst);
        if choose(FenceMode::Membarrier) == FenceMode::Membarrier && !barrier() {
            fail();
        }
    }

    pub(in crate::memory) fn mode() -> Option<FenceMode> {
        // ORDER: Relaxed: the word guards no other memory.
        match MODE.load(Ordering::Relaxed) {
            MEMBARRIER => Some(FenceMode::Membarrier),
            SEQ_CST => Some(FenceMode::SeqCst),
            _ => None,
        }
    }

    #[inline]
    pub(in crate::memory) fn choose(wish: FenceMode) -> FenceMode {
        match mode() {
            Some(chosen) => chosen,
            None => choose_now(wish),
        }
    }

    #[cold]
    fn choose_now(wish: FenceMode) -> FenceMode {
        let choice = match wish {
            // One barrier on trial: a registration that succeeds without a barrier that does
            // must not become the mode.
            FenceMode::Membarrier if register() && barrier() => MEMBARRIER,
            _ => SEQ_CST,
        };
        // ORDER: Relaxed: one compare-exchange from UNKNOWN is all that makes the choice single;
        // what the loser reads is the winner's choice. The kernel orders the registration, which
        // belongs to the process, before any later barrier.
        let chosen = MODE.compare_exchange(UNKNOWN, choice, Ordering::Relaxed, Ordering::Relaxed);
        match chosen {
            Ok(_) if choice == MEMBARRIER => FenceMode::Membarrier,
            Err(MEMBARRIER) => FenceMode::Membarrier,
            _ => FenceMode::SeqCst,
        }
    }

    fn register() -> bool {
        call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    fn barrier() -> bool {
        call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
    }

    fn call(command: libc::c_int) -> bool {
        // SAFETY: `membarrier` takes a command and two flags words and touches no memory of ours.
        let result = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
        result == 0
    }

    #[cold]
    fn fail() -> ! {
        std::eprintln!(
            "gosched: membarrier failed after light fences came to rely on it: {}",
            std::io::Error::last_os_error()
        );
        std::process::abort()
    }
}

#[cfg(not(all(feature = "std", target_os = "linux", not(miri))))]
mod elsewhere {
    use core::sync::atomic::{Ordering, fence};

    use super::FenceMode;

    #[inline(always)]
    pub(in crate::memory) fn light() {
        // ORDER: SeqCst: pairs with `heavy`, which is the same fence here.
        fence(Ordering::SeqCst);
    }

    #[inline(always)]
    pub(in crate::memory) fn heavy() {
        // ORDER: SeqCst: pairs with `light`.
        fence(Ordering::SeqCst);
    }

    pub(in crate::memory) fn mode() -> Option<FenceMode> {
        Some(FenceMode::SeqCst)
    }

    pub(in crate::memory) fn choose(_wish: FenceMode) -> FenceMode {
        FenceMode::SeqCst
    }
}

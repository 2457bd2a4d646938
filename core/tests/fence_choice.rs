//! How the mode of the asymmetric fence is chosen: from unknown, once, for all threads.
//!
//! The choice is once a process, so every test here runs in a child process of its own: the test
//! binary starts itself again with the name of one scenario.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test of the memory itself, on the hardware"
)]
#![cfg(all(feature = "std", target_os = "linux", not(miri)))]

mod litmus;

use core::time::Duration;
use std::process::{Command, Output};
use std::sync::Barrier;
use std::thread;

use gosched::memory::{FenceMode, Hardware, Memory};

const SCENARIO: &str = "GOSCHED_FENCE_SCENARIO";

/// Runs `scenario` in a fresh process.
fn in_a_fresh_process(scenario: &str) -> Output {
    let test_binary = std::env::current_exe().expect("a test knows its own path");
    Command::new(test_binary)
        .args(["--exact", "the_scenario_of_a_child_process", "--nocapture"])
        .env(SCENARIO, scenario)
        .output()
        .expect("the test binary can start itself")
}

fn assert_passes(scenario: &str) -> String {
    let child = in_a_fresh_process(scenario);
    let text = String::from_utf8_lossy(&child.stdout).into_owned();
    let errors = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{scenario}: {}\n{text}\n{errors}", child.status);
    text
}

/// Not a test of its own: does what the environment asks for, and nothing when it asks nothing.
#[test]
fn the_scenario_of_a_child_process() {
    match std::env::var(SCENARIO).as_deref() {
        Ok("light_does_not_choose") => light_does_not_choose(),
        Ok("heavy_chooses") => heavy_chooses(),
        Ok("first_choice_stays") => first_choice_stays(),
        Ok("race") => race(),
        Ok("absent") => absent(),
        Ok("vanishes") => vanishes(),
        Ok(other) => panic!("no scenario {other}"),
        Err(_) => {}
    }
}

#[test]
fn a_light_fence_leaves_the_mode_unknown() {
    assert_passes("light_does_not_choose");
}

fn light_does_not_choose() {
    assert_eq!(Hardware::fence_mode(), None);
    Hardware::light_fence();
    assert_eq!(Hardware::fence_mode(), None);
}

#[test]
fn the_first_heavy_fence_chooses() {
    assert_passes("heavy_chooses");
}

fn heavy_chooses() {
    Hardware::heavy_fence();
    let chosen = Hardware::fence_mode();
    assert!(chosen.is_some());
    assert_eq!(Some(Hardware::choose_fence_mode(FenceMode::SeqCst)), chosen);
}

#[test]
fn the_first_choice_stays() {
    assert_passes("first_choice_stays");
}

fn first_choice_stays() {
    assert_eq!(Hardware::choose_fence_mode(FenceMode::SeqCst), FenceMode::SeqCst);
    assert_eq!(Hardware::choose_fence_mode(FenceMode::Membarrier), FenceMode::SeqCst);
    Hardware::heavy_fence();
    assert_eq!(Hardware::fence_mode(), Some(FenceMode::SeqCst));
}

#[test]
fn racing_wishes_get_one_answer() {
    for _ in 0..40 {
        assert_passes("race");
    }
}

fn race() {
    const THREADS: usize = 8;
    let start = Barrier::new(THREADS);
    let answers = thread::scope(|scope| {
        let wish = |number: usize| {
            start.wait();
            match number % 3 {
                0 => Hardware::choose_fence_mode(FenceMode::Membarrier),
                1 => Hardware::choose_fence_mode(FenceMode::SeqCst),
                _ => {
                    Hardware::heavy_fence();
                    Hardware::fence_mode().expect("a heavy fence chooses")
                }
            }
        };
        let wishes: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || wish(number))).collect();
        wishes.into_iter().map(|wish| wish.join().expect("no wish panics")).collect::<Vec<_>>()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(Hardware::fence_mode(), Some(answers[0]));
}

#[test]
fn without_the_system_call_both_fences_are_seq_cst() {
    println!("{}", assert_passes("absent"));
}

fn absent() {
    if !forbid_membarrier() {
        return;
    }
    Hardware::heavy_fence();
    assert_eq!(Hardware::fence_mode(), Some(FenceMode::SeqCst));
    let limit = Duration::from_millis(200);
    let (light, heavy) = (Hardware::light_fence, Hardware::heavy_fence);
    let seen = litmus::store_buffering(light, heavy, limit, |_| false);
    assert_eq!(seen.neither, 0, "{seen:?}");
}

/// Nothing sound is left to do when light fences rely on a call that now fails.
#[test]
fn a_membarrier_that_vanishes_after_the_choice_aborts() {
    let child = in_a_fresh_process("vanishes");
    let errors = String::from_utf8_lossy(&child.stderr);
    if String::from_utf8_lossy(&child.stdout).contains("not tested") {
        println!("{}", String::from_utf8_lossy(&child.stdout));
        return;
    }
    let signal = std::os::unix::process::ExitStatusExt::signal(&child.status);
    assert_eq!(signal, Some(libc::SIGABRT), "{}\n{errors}", child.status);
    assert!(errors.contains("membarrier failed after light fences came to rely on it"), "{errors}");
}

fn vanishes() {
    if Hardware::choose_fence_mode(FenceMode::Membarrier) != FenceMode::Membarrier {
        println!("not tested: this system has no membarrier");
        return;
    }
    Hardware::heavy_fence();
    if forbid_membarrier() {
        Hardware::heavy_fence();
        unreachable!("a heavy fence returned without a barrier");
    }
}

/// Makes `membarrier` answer `ENOSYS` in this thread and those it starts, as an old kernel or a
/// sandbox does. Says so and returns false where a filter cannot be installed.
fn forbid_membarrier() -> bool {
    const NUMBER_OF_THE_CALL: u32 = 0;
    const NO: libc::c_ulong = 0;
    const YES: libc::c_ulong = 1;
    let membarrier = u32::try_from(libc::SYS_membarrier).expect("system calls are small numbers");
    let refuse = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let mut filter = [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, NUMBER_OF_THE_CALL),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, membarrier),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, refuse),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: takes no pointer; this process will start no other program.
    let promised = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, YES, NO, NO, NO) };
    // SAFETY: `program` points to four steps that end in a return; the kernel copies them.
    let installed = unsafe {
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program, NO, NO)
    };
    let works = promised == 0 && installed == 0;
    if !works {
        println!("not tested: no system call filter here: {}", std::io::Error::last_os_error());
    }
    works
}

fn step(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).expect("BPF codes are small"), jt, jf, k }
}

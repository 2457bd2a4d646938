//! What the operating system refuses, and what is left at the end. Each claim is shown in a process
//! of its own, as limits hold for a whole process: the test starts itself again, by name.

mod child;
mod limits;
mod memory;

use child::in_a_child;

#[test]
fn no_thread_for_the_monitor_is_an_error() {
    in_a_child(
        "no_thread_for_the_monitor_is_an_error",
        &[("RUST_MIN_STACK", "1000000000000000")],
        || {
            limits::no_thread_for_the_monitor();
        },
    );
}

#[test]
fn threads_that_cannot_be_started_are_asked_for_again() {
    // The stacks of threads that have ended are not kept for the next ones, and a thread that
    // allocates maps no arena of its own, of which it would give one half back.
    let variables =
        [("GLIBC_TUNABLES", "glibc.pthread.stack_cache_size=0"), ("MALLOC_ARENA_MAX", "1")];
    let name = "threads_that_cannot_be_started_are_asked_for_again";
    in_a_child(name, &variables, limits::no_machines);
}

#[test]
fn goroutines_without_a_stack_are_cancelled_and_the_others_go_on() {
    in_a_child(
        "goroutines_without_a_stack_are_cancelled_and_the_others_go_on",
        &[("MALLOC_ARENA_MAX", "1")],
        limits::no_stacks,
    );
}

#[test]
fn a_panic_with_its_backtrace_fits_into_the_stack_that_is_the_default() {
    in_a_child(
        "a_panic_with_its_backtrace_fits_into_the_stack_that_is_the_default",
        &[("RUST_BACKTRACE", "full")],
        limits::backtrace,
    );
}

#[test]
fn nothing_grows_in_a_runtime_that_works_for_long() {
    in_a_child("nothing_grows_in_a_runtime_that_works_for_long", &[], memory::nothing_grows);
}

#[test]
fn a_runtime_that_has_ended_gives_its_memory_back() {
    in_a_child(
        "a_runtime_that_has_ended_gives_its_memory_back",
        &[("MALLOC_ARENA_MAX", "1")],
        memory::given_back,
    );
}

#[test]
fn many_goroutines_are_parked_at_once() {
    in_a_child("many_goroutines_are_parked_at_once", &[], memory::many_parked);
}

//! Programs on the simulated host that people wrote down, or that a tester found and shrank.
//!
//! Add one by pasting the `Debug` form of a failing program and naming it by what went wrong.

use super::literal::*;

pub(super) fn programs() -> Vec<(&'static str, Program<Simulation>)> {
    let mut programs = of_everyday();
    programs.extend(of_order());
    programs.extend(of_locks());
    programs.extend(of_mistakes());
    programs
}

fn small(ops: Vec<super::SchedulerOp>) -> Program<Simulation> {
    Program { setup: Simulation { processors: 1, form: One, polling: Never, numbers: Small }, ops }
}

fn alone(ops: Vec<super::SchedulerOp>) -> Program<Simulation> {
    Program { setup: Simulation { processors: 0, form: One, polling: Never, numbers: Small }, ops }
}

fn polling(ops: Vec<super::SchedulerOp>) -> Program<Simulation> {
    Program {
        setup: Simulation { processors: 1, form: One, polling: Sometimes, numbers: Small },
        ops,
    }
}

/// What happens every day.
fn of_everyday() -> Vec<(&'static str, Program<Simulation>)> {
    vec![
        ("one_task", small(vec![Inject, Begin(0), End(0), End(0)])),
        ("interrupted_inject", alone(vec![Interrupt(0), Inject])),
        (
            "half_of_a_ring",
            Program {
                setup: Simulation { processors: 1, form: One, polling: Sometimes, numbers: Small },
                ops: vec![Input(2), Timer(2, 0), Input(2)],
            },
        ),
        ("share", alone(vec![Inject, Inject, Inject])),
        ("last_look", alone(vec![Interrupt(0), Bring, End(0), Inject])),
        (
            "sent_home",
            small(vec![Bring, Bring, End(0), End(1), Dismiss(1), Dismiss(1), Inject, End(0)]),
        ),
        (
            "sent_home_and_not_gone_yet",
            Program {
                setup: Simulation { processors: 0, form: One, polling: Never, numbers: Few },
                ops: vec![
                    Bring,
                    Bring,
                    End(0),
                    End(1),
                    Dismiss(0),
                    Dismiss(0),
                    Inject,
                    End(0),
                    Monitor(0),
                ],
            },
        ),
        (
            "sent_home_before_it_is_given_a_processor",
            alone(vec![Bring, End(0), Interrupt(1), Inject, Dismiss(0)]),
        ),
        ("hand_off", small(vec![Inject, Bring, Drop(0)])),
        (
            "retaken",
            Program {
                setup: Simulation { processors: 0, form: One, polling: Sometimes, numbers: Small },
                ops: vec![Bring, Input(1), End(0), Monitor(4), Enter(0), Monitor(0), Monitor(0)],
            },
        ),
        ("kept", alone(vec![Inject, Begin(0), End(0), Enter(0)])),
        (
            "got_another",
            polling(vec![Timer(0, 0), Begin(0), ParkInVain(0), Resize(0), Enter(0), Resize(0)]),
        ),
        (
            "no_processor",
            alone(vec![
                Bring,
                Bring,
                Bring,
                Inject,
                Inject,
                End(3),
                End(0),
                End(0),
                End(1),
                EnterLong(0),
                Inject,
            ]),
        ),
    ]
}

/// In which order tasks run.
fn of_order() -> Vec<(&'static str, Program<Simulation>)> {
    vec![
        ("slice_too_long", alone(vec![Inject, Monitor(0), Monitor(4)])),
        ("made_ready_wrongly", alone(vec![Inject, ReadyOutside(0)])),
        (
            "tasks_of_a_processor_out_of_service",
            small(vec![Bring, Bring, Inject, End(1), Spawn(1, 3), Resize(1), Resize(2)]),
        ),
        (
            "tasks_of_two_processors_out_of_service",
            Program {
                setup: Simulation { processors: 2, form: One, polling: Never, numbers: Small },
                ops: vec![
                    Bring,
                    Bring,
                    Bring,
                    Inject,
                    End(0),
                    Spawn(0, 3),
                    Inject,
                    End(1),
                    Spawn(1, 3),
                    Inject,
                    End(2),
                    Spawn(2, 3),
                    Resize(1),
                ],
            },
        ),
        (
            "sixty_one_slices",
            Program {
                setup: Simulation { processors: 0, form: One, polling: Never, numbers: Go },
                ops: vec![InjectBatch(1), Begin(0), End(0), Submit(0, 2), Inject, Chain(0, 200)],
            },
        ),
    ]
}

/// Tasks that are locked to a machine.
fn of_locks() -> Vec<(&'static str, Program<Simulation>)> {
    vec![
        ("passed", alone(vec![Inject, Begin(0), End(0), Lock(0), Resize(0)])),
        (
            "stopper_waits_for_a_machine_to_which_its_task_has_come",
            alone(vec![
                Bring,
                Bring,
                End(1),
                Inject,
                End(0),
                Lock(0),
                Inject,
                EnterLong(0),
                Yield(0),
                End(1),
                End(1),
                End(1),
                Stop,
            ]),
        ),
        (
            "machine_is_not_dropped_while_its_task_comes",
            alone(vec![
                Bring,
                Bring,
                End(1),
                Inject,
                End(0),
                Lock(0),
                Inject,
                EnterLong(0),
                Yield(0),
                End(1),
                End(1),
                Interrupt(1),
                End(1),
                Drop(0),
            ]),
        ),
    ]
}

/// Each of these found a mistake in the scheduler.
fn of_mistakes() -> Vec<(&'static str, Program<Simulation>)> {
    vec![
        ("told_again_that_all_sleep", alone(vec![Bring, End(0), Bring])),
        (
            "told_again_after_a_machine_too_many",
            Program {
                setup: Simulation { processors: 0, form: One, polling: Never, numbers: Few },
                ops: vec![Bring, Bring, End(2), End(1), Bring, Resize(0)],
            },
        ),
        (
            "timer_of_a_processor_handed_off",
            Program {
                setup: Simulation { processors: 1, form: One, polling: Sometimes, numbers: Small },
                ops: vec![
                    Timer(0, 0),
                    Timer(0, 0),
                    Begin(0),
                    Spawn(0, 0),
                    Begin(0),
                    Timer(0, 1),
                    ParkInVain(1),
                    EnterLong(0),
                    Advance(1),
                ],
            },
        ),
        ("batch_of_new_tasks", alone(vec![InjectBatch(1)])),
        ("all_sleep_after_a_stop", polling(vec![Timer(0, 0), Resize(0)])),
        ("sleeper_leaves", alone(vec![Bring, End(0), Drop(0)])),
        ("timer_added_in_a_stop", polling(vec![Stop, Timer(0, 1)])),
        ("no_poll_after_a_shutdown", polling(vec![Bring, Bring, ShutDownBy(1), Input(1), End(0)])),
        (
            "locked_machine_dropped_while_it_waits",
            small(vec![Inject, Begin(0), End(0), Lock(0), Park(0), End(0), Drop(0)]),
        ),
        (
            "locked_task_comes_before_its_machine_waits",
            small(vec![
                Bring,
                Bring,
                Bring,
                Inject,
                End(2),
                End(1),
                End(0),
                Lock(0),
                Yield(0),
                End(1),
                End(1),
                End(0),
            ]),
        ),
        ("searcher_stops_the_world", small(vec![Inject, Begin(0), StopBy(0)])),
        ("searcher_shuts_down", small(vec![Inject, Begin(0), ShutDownBy(0)])),
        ("timer_of_an_idle_processor", polling(vec![Timer(1, 0), Begin(0), End(0)])),
        (
            "refused_when_all_sleep",
            small(vec![InjectBatch(2), Begin(0), End(0), End(0), End(0), End(0), Refuse(0)]),
        ),
    ]
}

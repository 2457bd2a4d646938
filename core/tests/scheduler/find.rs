//! The order in which a machine looks for its next task.

use gosched::Event;

use crate::host::{batch, busy, job, next, run, scheduler};

#[test]
fn timers_then_slot_then_ring_then_global_then_poller() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(0)).unwrap();
    assert_eq!(next(&mut machine), 0); // past the slice that looks at the global queue first
    let host = scheduler.host();
    host.add_timer(0, 5, job(1));
    host.set_now(5);
    host.incoming.lock().unwrap().push(job(6));
    machine.submit(job(4)).unwrap();
    machine.spawn(job(3)).unwrap();
    scheduler.inject(job(5)).unwrap();
    // A timer's task goes to the ring, behind what is there.
    assert_eq!(run(&mut machine), [3, 4, 1, 5, 6]);
}

#[test]
fn a_due_timer_alone_is_found() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().add_timer(0, 5, job(1));
    scheduler.host().set_now(4);
    assert_eq!(run(&mut machine), [0; 0], "it is not due");
    scheduler.host().set_now(5);
    assert_eq!(next(&mut machine), 1);
}

#[test]
fn the_first_slice_and_each_61st_look_at_the_global_queue_first() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    scheduler.inject_batch(batch(2..=3)).unwrap();
    assert_eq!(next(&mut machine), 2);
    let told = scheduler.host().log.take();
    assert_eq!(told.last(), Some(&Event::TookShare { count: 1 }), "one, not a share");
    assert_eq!(run(&mut machine), [1, 3]);
}

#[test]
fn others_are_visited_last() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[1].submit(job(1)).unwrap();
    scheduler.inject(job(2)).unwrap();
    assert_eq!(run(&mut machines[0]), [2, 1]);
    assert!(scheduler.host().log.take().contains(&Event::Stole { victim: 1, count: 1 }));
}

#[test]
fn a_slice_is_counted_for_each_task_that_does_not_inherit_one() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    for id in 1..=3 {
        machine.submit(job(id)).unwrap();
    }
    machine.spawn(job(4)).unwrap();
    assert_eq!(run(&mut machine), [4, 1, 2, 3]);
    assert_eq!(scheduler.snapshot().processors[0].slices, 3, "the slot's task inherits");
}

#[test]
fn a_machine_that_finds_nothing_puts_its_processor_down_and_sleeps() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().log.take();
    assert_eq!(run(&mut machine), [0; 0]);
    assert_eq!(
        scheduler.host().log.take(),
        [
            Event::PutDown { processor: 0, look: true },
            Event::Looked { found: false },
            Event::Parked
        ]
    );
    assert_eq!(machine.processor(), None);
}

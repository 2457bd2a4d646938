//! The picture of the scheduler, and its text.

use gosched::ProcessorState;

use crate::host::{batch, busy, job, next, run, scheduler};

#[test]
fn the_numbers_are_what_was_done() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[2]), [0; 0]);
    for id in 1..=3 {
        machines[0].submit(job(id)).unwrap(); // the first rouses machine 2, as a searcher
    }
    machines[0].spawn(job(4)).unwrap();
    assert_eq!(next(&mut machines[0]), 4);
    machines[1].enter_blocking().unwrap();
    scheduler.inject_batch(batch(5..=6)).unwrap();
    let snapshot = scheduler.snapshot();
    let states: Vec<_> = snapshot.processors.iter().map(|processor| processor.state).collect();
    let expected = [ProcessorState::Running, ProcessorState::InSystemCall, ProcessorState::Running];
    assert_eq!(states, expected);
    let queued: Vec<_> = snapshot.processors.iter().map(|processor| processor.queued).collect();
    assert_eq!(queued, [3, 0, 0]);
    assert_eq!(snapshot.processors[0].slices, 0, "what ran came from the slot");
    assert_eq!(snapshot.processors[1].system_calls, 1);
    assert_eq!((snapshot.idle, snapshot.searching, snapshot.global), (0, 1, 2));
    assert_eq!((snapshot.machines, snapshot.sleeping), (3, 0));
    assert!(!snapshot.polling && !snapshot.stopped);
}

#[test]
fn the_text_is_go_s_line() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[1].submit(job(1)).unwrap();
    machines[1].submit(job(2)).unwrap();
    assert_eq!(next(&mut machines[1]), 1);
    assert_eq!(
        scheduler.snapshot().schedtrace(1234).to_string(),
        "SCHED 1234ms: gomaxprocs=2 idleprocs=0 threads=2 spinningthreads=0 needspinning=0 \
         idlethreads=0 runqueue=0 [ 0 1 ] schedticks=[ 0 1 ]"
    );
    assert_eq!(run(&mut machines[0]), [2]);
    scheduler.inject_batch(batch(3..=5)).unwrap(); // rouses a searcher on processor 0
    assert_eq!(
        scheduler.snapshot().schedtrace(0).to_string(),
        "SCHED 0ms: gomaxprocs=2 idleprocs=0 threads=2 spinningthreads=1 needspinning=0 \
         idlethreads=0 runqueue=3 [ 0 0 ] schedticks=[ 1 1 ]"
    );
}

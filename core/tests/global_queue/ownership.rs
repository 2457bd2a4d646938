//! Whoever drops a queue or a batch drops its tasks: each once, and all of them, also when one of
//! them panics as it is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;

use gosched::{Batch, GlobalQueue};

use super::number;

/// Logs its number when it is dropped; panics then if it is told to.
struct Logged {
    id: usize,
    log: Arc<Mutex<Vec<usize>>>,
    panics: bool,
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.log.lock().expect("nobody panics with the log").push(self.id);
        assert!(!self.panics, "task {} panics as it is dropped", self.id);
    }
}

/// Ten tasks in blocks of three, some from a batch; the one with the number `panics` panics.
fn queue_of_ten(panics: usize) -> (GlobalQueue<Box<Logged>>, Arc<Mutex<Vec<usize>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let task = |id| Box::new(Logged { id, log: log.clone(), panics: id == panics });
    let queue = GlobalQueue::with_memory_and_block(number(3));
    (1..=4).for_each(|id| queue.push(task(id)));
    queue.push_batch((5..=9).map(task).collect());
    queue.push(task(10));
    (queue, log)
}

fn logged(log: &Mutex<Vec<usize>>) -> Vec<usize> {
    log.lock().expect("nobody panics with the log").clone()
}

#[test]
fn dropping_a_queue_drops_each_task_once_and_in_order() {
    let (queue, log) = queue_of_ten(0);
    drop(queue.pop());
    drop(queue);
    assert_eq!(logged(&log), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn dropping_a_batch_or_its_iterator_drops_each_task_once_and_in_order() {
    let (queue, log) = queue_of_ten(0);
    let mut share = Batch::new();
    queue.pop_share(number(2), usize::MAX, &mut share);
    drop(share);
    assert_eq!(logged(&log), [1, 2, 3, 4, 5, 6]);
    let mut rest = queue.pop_all().into_iter();
    drop(rest.next());
    assert_eq!(logged(&log), [1, 2, 3, 4, 5, 6, 7]);
    drop(rest);
    assert_eq!(logged(&log), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_task_that_panics_as_it_is_dropped_does_not_keep_the_others() {
    for panics in 1..=10 {
        let (queue, log) = queue_of_ten(panics);
        catch_unwind(AssertUnwindSafe(|| drop(queue))).expect_err("the panic goes on");
        assert_eq!(logged(&log), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
}

#[test]
fn tasks_that_are_taken_are_the_takers() {
    let (queue, log) = queue_of_ten(0);
    let first = queue.pop();
    let rest = queue.pop_all();
    drop(queue);
    assert_eq!(logged(&log), []);
    drop(rest);
    assert_eq!(logged(&log), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
    drop(first);
    assert_eq!(logged(&log).last(), Some(&1));
}

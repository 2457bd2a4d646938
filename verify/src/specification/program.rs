//! Programs: what the tasks do, and how many processors and machines there are to do it.
//!
//! A program is written as a line, `sub2+sys+monitor`: terms joined by `+`.
//!
//! | term | is |
//! |---|---|
//! | `subN` | a task that readies N leaves (`sub` is `sub1`) and ends |
//! | `leaf` | a task that ends |
//! | `sys`, `block` | a task that makes a system call; a call that gives its P away at once |
//! | `yield`, `yieldl` | a task that yields to the global queue; to its own ring |
//! | `tree` | a task that readies two `sub2` |
//! | `injN` | a thread from outside that pushes N leaves at once |
//! | `monitor` | a monitor, which takes Ps from system calls |
//! | `searcher` | a machine that searches when the program begins |
//!
//! Operations combine: `sub2sys` readies two and then makes a call. Each task term runs on a
//! machine and a P of its own when the program begins; the other Ps are idle, the other machines
//! parked. Every task may stay where it is for ever: that is how a long computation looks here.

use super::state::{INJECTORS_MAX, MACHINES_MAX, PROCESSORS_MAX, RING_MAX, Task};

/// What a task does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It ends.
    End,
    /// It readies a task.
    Submit(Task),
    /// It goes to the tail of the global queue.
    Yield,
    /// It goes to the tail of its P's ring, and nobody is woken.
    YieldLocally,
    /// It makes a system call, during which the monitor may take its P.
    Call,
    /// It makes a call that gives its P away first.
    BlockingCall,
}

/// The task that is about to end, in every program.
pub const LEAF: Task = 1;

/// A program, with what it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The line it was written as.
    pub text: String,
    /// How many Ps there are.
    pub processors: usize,
    /// How many machines there are.
    pub machines: usize,
    /// How many tasks a ring holds.
    pub capacity: usize,
    /// The tasks that run when it begins.
    pub running: Vec<Task>,
    /// How many leaves each thread from outside pushes.
    pub injections: Vec<u8>,
    /// Whether there is a monitor.
    pub monitor: bool,
    /// How many machines search when it begins.
    pub searchers: usize,
    /// What each task does next, and the task that it is afterwards. Equal futures are one entry,
    /// so that tasks need no names: two that will do the same are the same.
    points: Vec<(Operation, Task)>,
}

impl Program {
    /// The program that `text` describes, on so many Ps and machines, with rings of `capacity`.
    ///
    /// # Errors
    ///
    /// If a term is unknown, or it does not fit.
    pub fn new(
        text: &str,
        processors: usize,
        machines: usize,
        capacity: usize,
    ) -> Result<Self, String> {
        let mut program = Self {
            text: text.into(),
            processors,
            machines,
            capacity,
            running: Vec::new(),
            injections: Vec::new(),
            monitor: false,
            searchers: 0,
            points: vec![(Operation::End, 0), (Operation::End, 0)],
        };
        for term in text.split('+') {
            program.add(term)?;
        }
        let started = program.running.len() + program.searchers;
        if !(1..=PROCESSORS_MAX).contains(&processors) || started > processors {
            return Err(format!("{text}: {started} tasks or searchers do not fit on {processors}"));
        }
        if !(started..=MACHINES_MAX).contains(&machines) {
            return Err(format!("{text}: {machines} machines are too few or too many"));
        }
        if !(1..=RING_MAX).contains(&capacity) || program.injections.len() > INJECTORS_MAX {
            return Err(format!("{text}: too many injectors, or no ring of {capacity}"));
        }
        Ok(program)
    }

    fn add(&mut self, term: &str) -> Result<(), String> {
        match term {
            "monitor" => self.monitor = true,
            "searcher" => self.searchers += 1,
            _ => match term.strip_prefix("inj") {
                Some(count) => self.injections.push(number(count)?),
                None => {
                    let task = self.task(term)?;
                    self.running.push(task);
                }
            },
        }
        Ok(())
    }

    /// The task of a term.
    fn task(&mut self, term: &str) -> Result<Task, String> {
        let mut operations = Vec::new();
        let mut rest = term;
        while !rest.is_empty() {
            let word = ["yieldl", "yield", "block", "leaf", "tree", "sys", "sub"]
                .into_iter()
                .find(|word| rest.starts_with(word))
                .ok_or_else(|| format!("{term}: no such term"))?;
            rest = &rest[word.len()..];
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let count = if digits == 0 { 1 } else { number(&rest[..digits])? };
            rest = &rest[digits..];
            let operation = match word {
                "leaf" => continue,
                "yieldl" => Operation::YieldLocally,
                "yield" => Operation::Yield,
                "block" => Operation::BlockingCall,
                "sys" => Operation::Call,
                "sub" => Operation::Submit(LEAF),
                _ => {
                    let branch = self.task("sub2")?;
                    operations.push(Operation::Submit(branch));
                    Operation::Submit(branch)
                }
            };
            operations.extend((0..count).map(|_| operation));
        }
        let mut task = LEAF;
        for operation in operations.into_iter().rev() {
            task = self.point(operation, task);
        }
        Ok(task)
    }

    /// The task that does `operation` and is `after` afterwards.
    fn point(&mut self, operation: Operation, after: Task) -> Task {
        let known = self.points.iter().position(|point| *point == (operation, after));
        let index = known.unwrap_or_else(|| {
            self.points.push((operation, after));
            self.points.len() - 1
        });
        Task::try_from(index).expect("a program has few points")
    }

    /// What `task` does next, and the task that it is afterwards.
    #[must_use]
    pub fn next(&self, task: Task) -> (Operation, Task) {
        self.points[usize::from(task)]
    }

    /// `sub2+sys+monitor on 2 Ps, 4 machines, rings of 2`.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { text, processors, machines, capacity, .. } = self;
        format!("{text} on {processors} Ps, {machines} machines, rings of {capacity}")
    }
}

fn number(digits: &str) -> Result<u8, String> {
    match digits.parse() {
        Ok(count @ 1..=4) => Ok(count),
        _ => Err(format!("{digits}: not a number from 1 to 4")),
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAF, Operation, Program};

    #[test]
    fn equal_futures_are_one_task() {
        let program = Program::new("sub2+sub+leaf", 3, 3, 1).expect("it is well-formed");
        let (operation, after) = program.next(program.running[0]);
        assert_eq!((operation, after), (Operation::Submit(LEAF), program.running[1]));
        assert_eq!(program.running[2], LEAF);
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, processors, machines) in
            [("sub9", 2, 4), ("dance", 2, 4), ("leaf+leaf+leaf", 2, 4), ("leaf", 2, 9)]
        {
            assert!(Program::new(text, processors, machines, 2).is_err(), "{text}");
        }
    }
}

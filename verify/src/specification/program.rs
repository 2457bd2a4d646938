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
//! | `lock`, `free` | locks the task to its machine; takes that back |
//! | `loop` | a task that readies one like itself and ends, and so on for ever |
//! | `injN` | a thread from outside that pushes N leaves at once |
//! | `stop` | a thread from outside that stops the world once and lets it go on |
//! | `resize` | one that stops it for one P fewer, and again for as many as before |
//! | `refuseN` | a host that starts the machines one by one, and may refuse N times |
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
    /// It locks itself to its machine.
    Lock,
    /// It is locked no more.
    Free,
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
    /// A thread that stops the world, and whether it changes the number of Ps.
    pub stopper: Option<bool>,
    /// How often the host may refuse a machine.
    pub refusals: u8,
    /// Whether a task locks itself to its machine.
    pub locks: bool,
    /// Whether it never ends.
    pub endless: bool,
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
            stopper: None,
            refusals: 0,
            locks: false,
            endless: false,
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
        let outside = program.injections.len() + usize::from(program.stopper.is_some());
        if !(1..=RING_MAX).contains(&capacity) || outside > INJECTORS_MAX {
            return Err(format!("{text}: too many threads from outside, or no ring of {capacity}"));
        }
        if program.stopper == Some(true) && processors == 1 {
            return Err(format!("{text}: the last P stays"));
        }
        program.check_locks()?;
        Ok(program)
    }

    fn add(&mut self, term: &str) -> Result<(), String> {
        match term {
            "monitor" => self.monitor = true,
            "searcher" => self.searchers += 1,
            "stop" | "resize" if self.stopper.is_some() => {
                return Err(format!("{term}: one thread stops the world"));
            }
            "stop" | "resize" => self.stopper = Some(term == "resize"),
            _ => match (term.strip_prefix("inj"), term.strip_prefix("refuse")) {
                (Some(count), _) => self.injections.push(number(count)?),
                (_, Some(count)) => self.refusals = number(count)?,
                _ => {
                    let task = self.task(term)?;
                    self.running.push(task);
                }
            },
        }
        Ok(())
    }

    /// One task may lock itself, once, and must unlock itself: a task has no name, so the machine
    /// that is locked is that task's.
    fn check_locks(&mut self) -> Result<(), String> {
        let does = |operation| move |point: &&(Operation, Task)| point.0 == operation;
        let locks = self.points.iter().filter(does(Operation::Lock)).count();
        let frees = self.points.iter().filter(does(Operation::Free)).count();
        let of_one =
            self.text.split('+').filter(|term| term.replace("block", "").contains("lock")).count();
        if locks > 1 || locks != frees || of_one > 1 {
            return Err(format!("{}: one task locks itself, and unlocks itself", self.text));
        }
        self.locks = locks == 1;
        Ok(())
    }

    /// Whether a machine asks what is wanted of it before it looks for a task.
    #[must_use]
    pub fn asks_first(&self) -> bool {
        self.stopper.is_some() || self.refusals != 0 || self.locks
    }

    /// Whether `task` is locked to a machine: it has locked itself, and will unlock itself.
    #[must_use]
    pub fn is_locked(&self, mut task: Task) -> bool {
        while self.locks && task != 0 {
            match self.next(task) {
                (Operation::Free, _) => return true,
                (Operation::Lock, _) => return false,
                (_, after) => task = after,
            }
        }
        false
    }

    /// The task of a term.
    fn task(&mut self, term: &str) -> Result<Task, String> {
        let mut operations = Vec::new();
        let mut last = LEAF;
        let mut rest = term;
        while !rest.is_empty() {
            let word =
                ["yieldl", "yield", "block", "leaf", "loop", "tree", "lock", "free", "sys", "sub"]
                    .into_iter()
                    .find(|word| rest.starts_with(word))
                    .ok_or_else(|| format!("{term}: no such term"))?;
            rest = &rest[word.len()..];
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let count = if digits == 0 { 1 } else { number(&rest[..digits])? };
            rest = &rest[digits..];
            let operation = match word {
                "leaf" => continue,
                "loop" if rest.is_empty() => {
                    self.endless = true;
                    last = Task::try_from(self.points.len()).expect("a program has few points");
                    self.points.push((Operation::Submit(last), LEAF));
                    continue;
                }
                "loop" => return Err(format!("{term}: nothing comes after `loop`")),
                "yieldl" => Operation::YieldLocally,
                "yield" => Operation::Yield,
                "block" => Operation::BlockingCall,
                "sys" => Operation::Call,
                "lock" => Operation::Lock,
                "free" => Operation::Free,
                "sub" => Operation::Submit(LEAF),
                _ => {
                    let branch = self.task("sub2")?;
                    operations.push(Operation::Submit(branch));
                    Operation::Submit(branch)
                }
            };
            operations.extend((0..count).map(|_| operation));
        }
        let mut task = last;
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

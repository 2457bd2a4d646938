//! Dumps: what each goroutine does, since when, and who it is; asked for by the program, by a
//! deadlock, and by a signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use gosched_runtime::{
    Migrating, RunError, Runtime, Status, WaitReason, block_on, blocking, go, go_future,
    lock_os_thread, named, park, yield_now,
};

fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

/// Waits until it is so, and shows what there is if it never becomes so.
fn eventually(what: &str, runtime: &Runtime, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "{what}: {}", runtime.dump());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What comes within this time on a busy machine, if it comes at all.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_dump_shows_each_goroutine_as_it_is() {
    for runtime in both(1) {
        let begin = Instant::now();
        let parks = named("parks").go_on(&runtime, park);
        let future = named("future").go_on(&runtime, || block_on(std::future::pending::<()>()));
        let stackless = runtime.go(|| go_future(std::future::pending::<()>()).join().unwrap());
        let waiting = || {
            runtime.dump().goroutines.iter().filter(|info| info.status == Status::Waiting).count()
        };
        eventually("four wait", &runtime, || waiting() == 4);
        std::thread::sleep(Duration::from_millis(300));
        let (stop, stops) = Stop::new();
        // The others hang behind one that never stops; a dump needs nobody.
        let busy = runtime.go(move || while !stops.load(Ordering::Relaxed) {});
        let (of, line) = (|| runtime.dump().goroutines, line!() - 1);
        eventually("one runs", &runtime, || of().iter().any(|info| info.status == Status::Running));
        let waits = named("a name of more than thirty-two bytes").go_on(&runtime, || ());
        let find = |id| of().into_iter().find(|info| info.id == id).unwrap();
        let shown = |id| {
            let info = find(id);
            (info.name, info.status, info.reason)
        };
        let text = |name: &str| name.to_owned();
        assert_eq!(shown(parks.id()), (text("parks"), Status::Waiting, WaitReason::Park));
        assert_eq!(shown(future.id()), (text("future"), Status::Waiting, WaitReason::Future));
        assert_eq!(shown(stackless.id()), (text(""), Status::Waiting, WaitReason::Join));
        assert_eq!(shown(busy.id()), (text(""), Status::Running, WaitReason::None));
        let name = text("a name of more than thirty-two b");
        assert_eq!(shown(waits.id()), (name, Status::Runnable, WaitReason::None));
        let waited = find(parks.id()).waited;
        let about = Duration::from_millis(250)..begin.elapsed() + Duration::from_millis(50);
        assert!(about.contains(&waited), "{waited:?}");
        assert_eq!(find(busy.id()).waited, Duration::ZERO);
        let at = find(busy.id()).location;
        assert_eq!((at.file(), at.line()), (file!(), line));
        let ids: Vec<u64> = of().iter().map(|info| info.id).collect();
        assert!(ids.is_sorted() && ids.len() == 6, "{ids:?}");
        drop(stop);
        busy.join().unwrap();
        waits.join().unwrap();
        // Those that have ended are not there, a little after their results are.
        eventually("four are left", &runtime, || of().len() == 4);
    }
}

#[test]
fn a_lock_is_shown_and_a_system_call() {
    // SAFETY: as above.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(migrating).build().unwrap();
    let (stop, stops) = Stop::new();
    let sleeps = runtime.go(move || {
        let _lock = lock_os_thread();
        blocking(|| sleep_until(&stops));
    });
    let find = || runtime.dump().goroutines.into_iter().find(|info| info.id == sleeps.id());
    let mut info = None;
    eventually("it is in a system call", &runtime, || {
        info = find().filter(|info| info.status == Status::InSystemCall);
        info.is_some()
    });
    let info = info.unwrap();
    assert!(info.locked.is_some());
    let text = info.to_string();
    assert!(text.contains("[in a system call, locked to thread] started at "), "{text}");
    drop(stop);
    sleeps.join().unwrap();
}

#[test]
fn a_dump_while_goroutines_come_and_go_shows_none_that_never_was() {
    for runtime in both(2) {
        let (stop, stops) = Stop::new();
        let first = line!() + 3;
        let maker = runtime.go(move || {
            while !stops.load(Ordering::Relaxed) {
                let short = named("short").go(yield_now);
                let long = named("a name that is longer by far").go(yield_now);
                short.join().unwrap();
                long.join().unwrap();
            }
        });
        let (mut seen, begin) = (0, Instant::now());
        let mut dumps = 0;
        while dumps < 20_000 || seen <= 1000 {
            assert!(begin.elapsed() < LONG || dumps < 20_000, "{seen} seen in {dumps} dumps");
            dumps += 1;
            for info in runtime.dump().goroutines {
                let names = ["", "short", "a name that is longer by far"];
                assert!(names.contains(&&*info.name), "{info}");
                // Those with a name are started in the lines above, and never locked.
                let line = info.location.line();
                let of_name = match &*info.name {
                    "short" => first..=first,
                    "" => first - 2..=first - 2,
                    _ => first + 1..=first + 1,
                };
                assert!(of_name.contains(&line), "{info}");
                seen += usize::from(!info.name.is_empty());
            }
        }
        drop(stop);
        maker.join().unwrap();
    }
}

#[test]
fn a_deadlock_is_told_in_gos_words_with_every_goroutine() {
    for runtime in both(2) {
        let error = runtime
            .run(|| {
                drop(named("reader").go(|| block_on(std::future::pending::<()>())));
                drop(go(park));
                go(park).join().unwrap();
            })
            .unwrap_err();
        assert!(matches!(error, RunError::Deadlock(_)), "{error}");
        let text = error.to_string();
        println!("{text}");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("all goroutines are asleep - deadlock!"));
        assert_eq!(lines.next(), Some(""));
        let mut rest: Vec<String> = lines
            .map(|line| {
                let (number, rest) =
                    line.strip_prefix("goroutine ").unwrap().split_once(' ').unwrap();
                assert!(number.parse::<u64>().is_ok(), "{line}");
                rest.to_owned()
            })
            .collect();
        rest.sort();
        let first = line!() - 21;
        let at = |line: u32| format!("started at {}:{line}", file!());
        assert_eq!(
            rest,
            [
                format!("[future] \"reader\" {}", at(first + 1)),
                format!("[join] {}", at(first)),
                format!("[park] {}", at(first + 2)),
                format!("[park] {}", at(first + 3)),
            ]
        );
    }
}

/// Says so when it is dropped, by a test that fails too, or the runtime waits for ever.
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn new() -> (Self, Arc<AtomicBool>) {
        let stop = Arc::new(AtomicBool::new(false));
        (Self(Arc::clone(&stop)), stop)
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sleeps until it is so.
fn sleep_until(is_so: &AtomicBool) {
    while !is_so.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What the child is to do.
const ROLE: &str = "GOSCHED_TEST_CHILD";

/// This test binary again, in another role, which it plays until its standard input is closed.
struct Child {
    process: std::process::Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    /// What it has written to the standard error by now.
    text: String,
}

impl Child {
    fn new(role: &str, debug: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["in_the_child", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if let Some(debug) = debug {
            command.env("GOSCHEDDEBUG", debug);
        }
        let mut process = command.spawn().unwrap();
        let (input, error) = (process.stdin.take(), process.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(error).lines().try_for_each(|line| send.send(line.unwrap()))
        });
        Self { process, input, lines, text: String::new() }
    }

    fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(LONG) {
            Ok(line) => {
                self.text.push_str(&line);
                self.text.push('\n');
                Some(line)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs: {}", self.text),
        }
    }

    /// Waits until it has written a line with this in it.
    fn await_line(&mut self, part: &str) -> String {
        loop {
            let line = self.line().unwrap_or_else(|| panic!("no {part}: {}", self.text));
            if line.contains(part) {
                return line;
            }
        }
    }

    fn signal(&self, signal: libc::c_int) {
        // SAFETY: it sends a signal to the child, which has not been waited for.
        unsafe { libc::kill(self.process.id().cast_signed(), signal) };
    }

    /// Has it end, and gives everything that it wrote.
    fn end(mut self) -> (ExitStatus, String) {
        drop(self.input.take());
        while self.line().is_some() {}
        (self.process.wait().unwrap(), std::mem::take(&mut self.text))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = (self.process.kill(), self.process.wait());
    }
}

/// Tells the parent, by one `write`: other threads write, too.
fn tell(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Waits until the parent has heard enough.
fn until_the_parent_has_enough() {
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn in_the_child() {
    match std::env::var(ROLE).as_deref() {
        Ok("quit") => {
            let runtime = Runtime::builder().processors(1).dump_on_signal().name("first");
            let runtime = runtime.build().unwrap();
            let _second = Runtime::builder().dump_on_signal().name("second").build().unwrap();
            let _third = Runtime::builder().name("third").build().unwrap();
            let is =
                |status| runtime.dump().goroutines.last().is_some_and(|info| info.status == status);
            let _parks = named("sleeper").go_on(&runtime, park);
            eventually("it parks", &runtime, || is(Status::Waiting));
            let _hog = named("hog").go_on(&runtime, || {
                loop {
                    std::hint::spin_loop();
                }
            });
            eventually("it runs", &runtime, || is(Status::Running));
            tell("ready");
            until_the_parent_has_enough();
            std::process::exit(7);
        }
        #[cfg(target_os = "linux")]
        Ok("interrupted") => {
            let _runtime = Runtime::builder().dump_on_signal().name("first").build().unwrap();
            interrupt_the_thread_that_dumps();
            until_the_parent_has_enough();
        }
        Ok("trace") => {
            let begin = Instant::now();
            let runtime = Runtime::builder().processors(2).build().unwrap();
            runtime.run(|| blocking(until_the_parent_has_enough)).unwrap();
            assert!(runtime.shutdown(LONG).unwrap().is_clean());
            tell(&format!("over after {} ms", begin.elapsed().as_millis()));
            std::thread::sleep(Duration::from_millis(100));
        }
        _ => {}
    }
}

#[test]
fn a_signal_has_all_goroutines_dumped_and_the_process_goes_on() {
    let mut child = Child::new("quit", None);
    child.await_line("ready");
    for _ in 0..2 {
        child.signal(libc::SIGQUIT);
        // The last that it writes of a dump.
        child.await_line("SIGQUIT: goroutines of `second`");
    }
    let (status, text) = child.end();
    assert_eq!(status.code(), Some(7), "{text}");
    let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count("SIGQUIT: goroutines of `first`"), 2, "{text}");
    assert_eq!(count("SIGQUIT: goroutines of `second`"), 2, "{text}");
    assert_eq!(count("third"), 0, "{text}");
    assert_eq!(count("[park] \"sleeper\" started at runtime/tests/dump.rs:"), 2, "{text}");
    assert_eq!(count("[running] \"hog\" started at runtime/tests/dump.rs:"), 2, "{text}");
}

#[test]
fn the_environment_has_the_scheduler_traced() {
    let mut child = Child::new("trace", Some("schedtrace=20"));
    (0..3).for_each(|_| drop(child.await_line("SCHED ")));
    let (status, text) = child.end();
    assert!(status.success(), "{text}");
    let (before, after) = text.split_once("over after ").unwrap_or_else(|| panic!("{text}"));
    let took: usize = after.split_once(' ').unwrap().0.parse().unwrap();
    let lines: Vec<_> = before.lines().filter(|line| line.starts_with("SCHED ")).collect();
    assert!((3..=took / 20 + 1).contains(&lines.len()), "{text}");
    assert!(!after.contains("SCHED "), "after the shutdown: {text}");
    assert!(lines[1].contains("ms: gomaxprocs=2 idleprocs="), "{text}");
    assert!(!text.contains("\n  P0"), "{text}");

    let mut child = Child::new("trace", Some("schedtrace=50,scheddetail=1"));
    child.await_line(": status=in a system call(nothing) m=");
    let (_, text) = child.end();
    for part in ["\n  P0: status=", "\n  P1: status=", "\n  M"] {
        assert!(text.contains(part), "{part}: {text}");
    }

    let (status, text) = Child::new("trace", Some("schedtrace=soon")).end();
    assert!(status.success(), "{text}");
    let warning = "GOSCHEDDEBUG: `schedtrace=soon`: not a number of milliseconds; left out";
    assert!(text.lines().any(|line| line == warning), "{text}");
    assert!(!text.contains("SCHED "), "{text}");
}

/// Has the program's own handler call the runtime's, as a program may, but not in a way that has
/// the read go on that it interrupts.
#[cfg(target_os = "linux")]
fn interrupt_the_thread_that_dumps() {
    static BEFORE: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    extern "C" fn calls_the_one_before(signal: libc::c_int) {
        // SAFETY: the address of such a function, which the runtime has installed.
        let before: extern "C" fn(libc::c_int) =
            unsafe { std::mem::transmute(BEFORE.load(Ordering::Relaxed)) };
        before(signal);
    }
    // SAFETY: zeroes are a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: it only asks.
    unsafe { libc::sigaction(libc::SIGQUIT, std::ptr::null(), &raw mut action) };
    BEFORE.store(action.sa_sigaction, Ordering::Relaxed);
    action.sa_sigaction = calls_the_one_before as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: the handler does what a handler may.
    unsafe { libc::sigaction(libc::SIGQUIT, &raw const action, std::ptr::null_mut()) };
    let field = |status: &str, name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    // It is there as soon as it has a name, and a mask, and sleeps in its read.
    let begin = Instant::now();
    let thread = loop {
        assert!(begin.elapsed() < LONG, "no thread that dumps");
        std::thread::sleep(Duration::from_millis(1));
        let status = std::fs::read_dir("/proc/self/task").unwrap().find_map(|entry| {
            let status = std::fs::read_to_string(entry.ok()?.path().join("status")).ok()?;
            (field(&status, "Name:") == "gosched-dump").then_some(status)
        });
        let Some(status) = status else { continue };
        let blocked = u64::from_str_radix(&field(&status, "SigBlk:"), 16).unwrap();
        let is_blocked = |signal: libc::c_int| blocked & (1 << (signal - 1)) != 0;
        if field(&status, "State:").starts_with('S') && is_blocked(libc::SIGUSR1) {
            assert!(![libc::SIGQUIT, libc::SIGSEGV].into_iter().any(is_blocked), "{status}");
            break field(&status, "Pid:").parse::<libc::pid_t>().unwrap();
        }
    };
    // SAFETY: a signal, which is handled.
    unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGQUIT) };
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_read_does_not_end_the_dumps() {
    let mut child = Child::new("interrupted", None);
    child.await_line("SIGQUIT: goroutines of `first`");
    child.signal(libc::SIGQUIT);
    child.await_line("SIGQUIT: goroutines of `first`");
    let (status, text) = child.end();
    assert!(status.success(), "{text}");
}

#[test]
fn schedtrace_shows_what_runs_where() {
    // SAFETY: as above.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(migrating).build().unwrap();
    let (stop, stops) = Stop::new();
    let spins = Arc::clone(&stops);
    let busy = runtime.go(move || {
        let _lock = lock_os_thread();
        while !spins.load(Ordering::Relaxed) {}
    });
    let parks = runtime.go(park);
    let blocks = runtime.go(move || blocking(|| sleep_until(&stops)));
    // One runs, one parks, and the third one's processor was taken: nobody needs it.
    let is = |id: u64, status| {
        runtime.dump().goroutines.iter().any(|info| info.id == id && info.status == status)
    };
    eventually("all is as it should be", &runtime, || {
        is(busy.id(), Status::Running)
            && is(parks.id(), Status::Waiting)
            && is(blocks.id(), Status::InSystemCall)
            && runtime.schedtrace().to_string().contains(" idleprocs=1 ")
    });
    let trace = runtime.schedtrace();
    let text = format!("{trace:#}");
    println!("{text}");
    assert_eq!(text.lines().next().unwrap(), trace.to_string());
    let field = |line: &str, name: &str| {
        let mut fields = line.split_whitespace();
        fields.find_map(|field| field.strip_prefix(name)).unwrap_or_default().to_owned()
    };
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    let goroutine = line(&format!("  G{}: ", busy.id()));
    assert!(goroutine.contains("status=running(nothing) m="), "{text}");
    let machine = line(&format!("  M{}: ", field(&goroutine, "m=")));
    assert_eq!(field(&goroutine, "lockedm="), field(&goroutine, "m="), "{text}");
    assert_eq!(field(&machine, "curg="), busy.id().to_string(), "{text}");
    assert_eq!(field(&machine, "lockedg="), busy.id().to_string(), "{text}");
    let processor = line(&format!("  P{}: ", field(&machine, "p=")));
    assert!(processor.contains("status=Running "), "{text}");
    assert_eq!(field(&processor, "m="), field(&goroutine, "m="), "{text}");
    let parked = line(&format!("  G{}: ", parks.id()));
    assert!(parked.ends_with("status=waiting(park) m=nil lockedm=nil"), "{text}");
    // Its processor was taken long ago.
    let blocked = line(&format!("  G{}: ", blocks.id()));
    let machine = line(&format!("  M{}: ", field(&blocked, "m=")));
    assert_eq!(field(&machine, "p="), "nil", "{text}");
    let idle = text.lines().find(|line| line.starts_with("  P") && line.contains("status=Idle"));
    assert!(idle.is_some_and(|idle| field(idle, "m=") == "nil"), "{text}");
    drop(stop);
    busy.join().unwrap();
    blocks.join().unwrap();
}

//! Dumps: what each goroutine does, since when, and who it is; asked for by the program, by a
//! deadlock, and by a signal.

use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

#[test]
fn a_dump_shows_each_goroutine_as_it_is() {
    for runtime in both(1) {
        let parks = named("parks").go_on(&runtime, park);
        let future = named("future").go_on(&runtime, || block_on(std::future::pending::<()>()));
        let stackless = runtime.go(|| go_future(std::future::pending::<()>()).join().unwrap());
        std::thread::sleep(Duration::from_millis(300));
        let (stop, stops) = Stop::new();
        // The others hang behind one that never stops; a dump needs nobody.
        let busy = runtime.go(move || while !stops.load(Ordering::Relaxed) {});
        let (of, line) = (|| runtime.dump().goroutines, line!() - 1);
        while of().iter().all(|info| info.status != Status::Running) {}
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
        let about = Duration::from_millis(250)..Duration::from_secs(30);
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
        let begin = Instant::now();
        while of().len() != 4 {
            assert!(begin.elapsed() < Duration::from_secs(20), "{}", runtime.dump());
        }
    }
}

#[test]
fn a_lock_is_shown_and_a_system_call() {
    // SAFETY: as above.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(migrating).build().unwrap();
    let sleeps = runtime.go(|| {
        let _lock = lock_os_thread();
        blocking(|| std::thread::sleep(Duration::from_millis(200)));
    });
    let find = || runtime.dump().goroutines.into_iter().find(|info| info.id == sleeps.id());
    let info = loop {
        match find() {
            Some(info) if info.status == Status::InSystemCall => break info,
            _ => std::thread::yield_now(),
        }
    };
    assert!(info.locked.is_some());
    let text = info.to_string();
    assert!(text.contains("[in a system call, locked to thread] started at "), "{text}");
    sleeps.join().unwrap();
}

#[test]
fn a_dump_while_goroutines_come_and_go_shows_none_that_never_was() {
    for runtime in both(2) {
        let (stop, stops) = Stop::new();
        let maker = runtime.go(move || {
            while !stops.load(Ordering::Relaxed) {
                let short = named("short").go(yield_now);
                let long = named("a name that is longer by far").go(yield_now);
                short.join().unwrap();
                long.join().unwrap();
            }
        });
        let mut seen = 0;
        for _ in 0..20_000 {
            for info in runtime.dump().goroutines {
                let names = ["", "short", "a name that is longer by far"];
                assert!(names.contains(&&*info.name), "{info}");
                // Those with a name are started in the lines above, and never locked.
                let line = info.location.line();
                let first = line!() - 13;
                let of_name = match &*info.name {
                    "short" => first..=first,
                    "" => first - 2..=first - 2,
                    _ => first + 1..=first + 1,
                };
                assert!(of_name.contains(&line), "{info}");
                seen += usize::from(!info.name.is_empty());
            }
        }
        assert!(seen > 1000, "{seen}");
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

/// What the child is to do.
const ROLE: &str = "GOSCHED_TEST_CHILD";

fn child(role: &str, debug: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["in_the_child", "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    if let Some(debug) = debug {
        command.env("GOSCHEDDEBUG", debug);
    }
    command.output().unwrap()
}

#[test]
fn in_the_child() {
    match std::env::var(ROLE).as_deref() {
        Ok("quit") => {
            let runtime = Runtime::builder().processors(1).dump_on_signal().name("first");
            let runtime = runtime.build().unwrap();
            let _second = Runtime::builder().dump_on_signal().name("second").build().unwrap();
            let _third = Runtime::builder().name("third").build().unwrap();
            let _parks = named("sleeper").go_on(&runtime, park);
            std::thread::sleep(Duration::from_millis(50));
            let _hog = named("hog").go_on(&runtime, || {
                loop {
                    std::hint::spin_loop();
                }
            });
            for _ in 0..2 {
                std::thread::sleep(Duration::from_millis(50));
                // SAFETY: it sends a signal, which is handled.
                unsafe { libc::kill(std::process::id().cast_signed(), libc::SIGQUIT) };
            }
            std::thread::sleep(Duration::from_millis(200));
            std::process::exit(7);
        }
        Ok("trace") => {
            let runtime = Runtime::builder().processors(2).build().unwrap();
            let main = || blocking(|| std::thread::sleep(Duration::from_millis(300)));
            runtime.run(main).unwrap();
            assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
            std::thread::sleep(Duration::from_millis(100));
        }
        _ => {}
    }
}

#[test]
fn a_signal_has_all_goroutines_dumped_and_the_process_goes_on() {
    let output = child("quit", None);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{text}");
    let count = |what: &str| text.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count("SIGQUIT: goroutines of `first`"), 2, "{text}");
    assert_eq!(count("SIGQUIT: goroutines of `second`"), 2, "{text}");
    assert_eq!(count("third"), 0, "{text}");
    assert_eq!(count("[park] \"sleeper\" started at runtime/tests/dump.rs:"), 2, "{text}");
    assert_eq!(count("[running] \"hog\" started at runtime/tests/dump.rs:"), 2, "{text}");
}

#[test]
fn the_environment_has_the_scheduler_traced() {
    let output = child("trace", Some("schedtrace=20"));
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("SCHED ")).collect();
    // 300 ms, and nothing after the shutdown.
    assert!((3..=17).contains(&lines.len()), "{text}");
    assert!(lines[1].contains("ms: gomaxprocs=2 idleprocs="), "{text}");
    assert!(!text.contains("\n  P0"), "{text}");

    let output = child("trace", Some("schedtrace=50,scheddetail=1"));
    let text = String::from_utf8_lossy(&output.stderr);
    for part in
        ["\n  P0: status=", "\n  P1: status=", "\n  M", ": status=in a system call(nothing) m="]
    {
        assert!(text.contains(part), "{part}: {text}");
    }

    let output = child("trace", Some("schedtrace=soon"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let warning = "GOSCHEDDEBUG: `schedtrace=soon`: not a number of milliseconds; left out";
    assert!(text.lines().any(|line| line == warning), "{text}");
    assert!(!text.contains("SCHED "), "{text}");
}

#[test]
fn schedtrace_shows_what_runs_where() {
    // SAFETY: as above.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(migrating).build().unwrap();
    let (stop, stops) = Stop::new();
    let busy = runtime.go(move || {
        let _lock = lock_os_thread();
        while !stops.load(Ordering::Relaxed) {}
    });
    let parks = runtime.go(park);
    let blocks = runtime.go(|| blocking(|| std::thread::sleep(Duration::from_millis(300))));
    std::thread::sleep(Duration::from_millis(100));
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

//! Traces: the file is JSON, every slice ends, every arrow has both ends, and what happens on one
//! processor happens in order.

use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use gosched_runtime::{
    Migrating, Runtime, Trace, TraceSummary, blocking, current, go, go_future, named, park,
    set_processors, yield_now,
};
use serde_json::Value;

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

/// Goroutines that do everything which a trace shows.
fn work() {
    let workers: Vec<_> = (0..20)
        .map(|number| {
            named(format!("worker \"{number}\"")).go(move || {
                for round in 0..20 {
                    match (round + number) % 4 {
                        0 => yield_now(),
                        1 => blocking(|| std::thread::sleep(Duration::from_micros(100))),
                        2 => go(yield_now).join().unwrap(),
                        _ => go_future(wakes_itself(3)).join().unwrap(),
                    }
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// A future that is woken inside its own polls, so many times.
fn wakes_itself(mut times: u32) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Something that took a while, in nanoseconds.
#[derive(Clone, Debug)]
struct Slice {
    name: String,
    begin: u64,
    end: u64,
}

/// A file that was read back.
struct Read {
    summary: TraceSummary,
    json: Value,
    /// By process and thread, in the order of their begin.
    slices: HashMap<(u64, u64), Vec<Slice>>,
}

fn nanoseconds(value: &Value) -> u64 {
    (value.as_f64().expect("a time") * 1000.0).round() as u64
}

impl Read {
    fn new(trace: Trace) -> Self {
        let mut file = Vec::new();
        let summary = trace.write_json(&mut file).unwrap();
        let json: Value = serde_json::from_slice(&file).unwrap();
        let mut read = Self { summary, json, slices: HashMap::new() };
        let mut slices: HashMap<_, Vec<Slice>> = HashMap::new();
        for event in read.events("X") {
            let begin = nanoseconds(&event["ts"]);
            let end = begin + nanoseconds(&event["dur"]);
            assert!(end > begin, "{event}");
            let name = event["name"].as_str().unwrap().to_owned();
            slices.entry(track(event)).or_default().push(Slice { name, begin, end });
        }
        slices.values_mut().for_each(|slices| slices.sort_by_key(|slice| slice.begin));
        read.slices = slices;
        read
    }

    fn events<'a>(&'a self, phase: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        let events = self.json["traceEvents"].as_array().unwrap();
        events.iter().filter(move |event| event["ph"] == phase)
    }

    fn count(&self, phase: &str, name: &str) -> usize {
        self.events(phase).filter(|event| event["name"] == name).count()
    }

    fn slice_at(&self, track: (u64, u64), time: u64) -> Option<&Slice> {
        let mut slices = self.slices.get(&track)?.iter().rev();
        slices.find(|slice| slice.begin <= time && time <= slice.end)
    }

    /// What holds of every trace.
    fn check(&self) {
        for (track, slices) in &self.slices {
            for pair in slices.windows(2) {
                let apart = pair[0].end <= pair[1].begin;
                // On a thread a system call lies inside its goroutine's slice.
                let inside = track.0 == 2 && pair[1].end <= pair[0].end;
                assert!(apart || inside, "{track:?}: {pair:?}");
            }
        }
        let ends = |phase| {
            let of = |event: &Value| (event["id"].as_u64().unwrap(), event.clone());
            self.events(phase).map(of).collect::<HashMap<_, _>>()
        };
        let (froms, tos) = (ends("s"), ends("f"));
        assert_eq!(froms.len(), self.summary.arrows);
        assert_eq!(froms.len(), self.events("s").count(), "the numbers differ");
        assert_eq!(tos.len(), self.events("f").count(), "the numbers differ");
        assert_eq!(froms.len(), tos.len());
        for (id, from) in &froms {
            let to = &tos[id];
            assert!(nanoseconds(&from["ts"]) <= nanoseconds(&to["ts"]), "{from} {to}");
            for end in [from, to] {
                let slice = self.slice_at(track(end), nanoseconds(&end["ts"]));
                assert!(slice.is_some(), "an arrow begins and ends at slices: {end}");
            }
        }
    }
}

fn track(event: &Value) -> (u64, u64) {
    (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap())
}

#[test]
fn a_trace_shows_every_run_and_what_led_to_it() {
    for (runtime, processors) in both(2).into_iter().chain(both(1)).zip([2, 2, 1, 1]) {
        let trace = runtime.start_trace().unwrap();
        runtime.run(work).unwrap();
        let read = Read::new(trace);
        read.check();
        let metrics = runtime.metrics();
        let summary = read.summary;
        assert_eq!(summary.dropped, 0);
        assert_eq!(summary.runs as u64, metrics.total.switches, "every switch is a run");
        assert_eq!(summary.arrows, summary.runs, "an arrow leads to every run");
        assert_eq!(read.count("X", "system call") as u64, metrics.total.blocking_calls);
        assert_eq!(read.count("i", "stole") as u64, metrics.total.steals);
        assert_eq!(read.count("i", "retaken") as u64, metrics.total.retakes);
        assert_eq!(read.count("i", "hands off") as u64, metrics.total.hand_offs);
        let of = |track: &(u64, u64)| track.0 == 1;
        assert!(read.slices.keys().filter(|track| of(track)).count() <= processors);
        let named = read.events("X").find(|event| {
            event["name"].as_str().is_some_and(|name| name.ends_with(" worker \"3\""))
        });
        let started = named.expect("the name is shown")["args"]["started"].clone();
        assert!(started.as_str().unwrap().contains("trace.rs:"), "{started}");
    }
}

#[test]
fn an_arrow_leads_from_the_goroutine_that_unparks() {
    for runtime in both(1) {
        let trace = runtime.start_trace().unwrap();
        let (parks, wakes) = runtime
            .run(|| {
                let (says, said) = std::sync::mpsc::channel();
                let parks = go(move || {
                    says.send(current().unwrap()).unwrap();
                    park();
                });
                let id = parks.id();
                yield_now();
                while parks.is_finished() {}
                let handle = said.recv().unwrap();
                yield_now();
                let wakes = go(move || handle.unpark());
                let wakes_id = wakes.id();
                wakes.join().unwrap();
                parks.join().unwrap();
                (id, wakes_id)
            })
            .unwrap();
        let read = Read::new(trace);
        read.check();
        let name = |event: &Value| {
            read.slice_at(track(event), nanoseconds(&event["ts"])).unwrap().name.clone()
        };
        let tos: HashMap<_, _> = read.events("f").map(|to| (to["id"].as_u64(), to)).collect();
        let found = read.events("s").any(|from| {
            name(from).starts_with(&format!("G{wakes} "))
                && name(tos[&from["id"].as_u64()]).starts_with(&format!("G{parks} "))
        });
        assert!(found, "from G{wakes} to G{parks}");
    }
}

#[test]
fn what_finds_no_room_is_counted() {
    for runtime in both(2) {
        let trace = runtime.start_trace_with_room(4096).unwrap();
        runtime.run(|| (0..10_000).for_each(|_| yield_now())).unwrap();
        assert!(trace.dropped() > 10_000);
        let read = Read::new(trace);
        read.check();
        assert!(read.summary.dropped > 10_000 && read.summary.runs > 200, "{}", read.summary);
        assert_eq!(read.json["otherData"]["dropped"], read.summary.dropped.to_string());
    }
}

#[test]
fn a_trace_may_begin_and_end_in_the_middle_of_a_run() {
    for runtime in both(2) {
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let busy = runtime.go(move || {
            while !stops.load(std::sync::atomic::Ordering::Relaxed) {
                work();
            }
        });
        for _ in 0..10 {
            let trace = runtime.start_trace().unwrap();
            assert!(runtime.start_trace().is_err(), "one at a time");
            std::thread::sleep(Duration::from_millis(3));
            Read::new(trace).check();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        busy.join().unwrap();
    }
}

#[test]
fn a_builder_writes_the_trace_at_the_shutdown() {
    let path = std::env::temp_dir().join(format!("gosched-trace-{}.json", std::process::id()));
    let runtime = Runtime::builder().processors(2).trace(&path).build().unwrap();
    runtime.run(work).unwrap();
    assert!(runtime.start_trace().is_err(), "it is traced already");
    assert!(runtime.shutdown(Duration::from_secs(5)).unwrap().is_clean());
    let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    assert!(events.iter().filter(|event| event["ph"] == "X").count() > 400);
    let unwritable = Runtime::builder().trace("/nowhere/at/all.json").build();
    assert!(unwritable.is_err(), "told when it is built");
}

#[test]
fn a_goroutine_that_changes_the_processors_is_shown_where_it_runs() {
    for runtime in both(4) {
        let trace = runtime.start_trace().unwrap();
        let resizes = || {
            let all = [1, 2].map(|few| go(move || resize(few)));
            all.into_iter().for_each(|one| one.join().unwrap());
        };
        runtime.run(resizes).unwrap();
        let read = Read::new(trace);
        read.check();
        assert!(read.count("X", "stops the world") >= 160);
        let enters = |event: &&Value| event["args"]["stopped"] == "stops the world";
        let begins = read.events("X").filter(enters).map(track);
        let tracks = begins.collect::<HashSet<_>>();
        assert!(tracks.len() > 1, "on more than one processor: {tracks:?}");
    }
}

/// Takes processors out of service, its own maybe, and has others run on them afterwards, again and
/// again.
fn resize(few: usize) {
    for _ in 0..40 {
        set_processors(few).unwrap();
        set_processors(4).unwrap();
        let others: Vec<_> = (0..8).map(|_| go(spin)).collect();
        spin();
        others.into_iter().for_each(|other| other.join().unwrap());
    }
}

/// Some tens of microseconds.
fn spin() {
    assert_eq!((0..20_000).map(std::hint::black_box).max(), Some(19_999));
}

#[test]
fn the_tracks_of_machines_have_their_numbers() {
    let [_, other] = both(1);
    for runtime in both(2).map(Arc::new) {
        let trace = runtime.start_trace().unwrap();
        runtime.run(work).unwrap();
        // From a machine, but one of somebody else.
        let ours = Arc::clone(&runtime);
        other.run(move || drop(ours.go(|| ()))).unwrap();
        let read = Read::new(trace);
        let of = |name: &str| {
            let threads = read.events("M").filter(|event| event["pid"] == 2);
            let found = threads.filter(|event| event["name"] == name);
            let value = |event: &Value| (event["tid"].as_u64(), event["args"].clone());
            found.map(value).collect::<HashMap<_, _>>()
        };
        let (names, orders) = (of("thread_name"), of("thread_sort_index"));
        let (mut machines, mut foreign) = (Vec::new(), 0);
        for (track, name) in &names {
            let order = orders[track]["sort_index"].as_u64().unwrap();
            let name = name["name"].as_str().unwrap();
            match name.strip_prefix('M').and_then(|number| number.parse::<u64>().ok()) {
                Some(number) => {
                    assert_eq!(order, number, "{name}");
                    machines.push(number);
                }
                None => {
                    assert!(order > 1_000_000, "{name} stands below the machines: {order}");
                    foreign += usize::from(name.starts_with("gosched-m"));
                }
            }
        }
        machines.sort_unstable();
        assert!(machines.len() >= 2 && machines.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(foreign, 1, "the other runtime's machine: {names:?}");
    }
}

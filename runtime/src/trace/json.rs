//! The JSON form of trace events, one event a line.
//!
//! Every slice is one event with its length (`X`), so that none can lack its end. An arrow is two
//! events with one number, `s` and `f`, each of which lies in a slice of its track. Times are in
//! microseconds, with three decimals.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::io::{self, BufWriter, Write};

use super::buffer::Recording;
use super::shape::{Shape, Shown, Slice, Track};
use super::{Instant, Why, Without};

/// The processes that stand for processors, and for threads.
const PROCESSORS: usize = 1;
const THREADS: usize = 2;
/// The numbers of threads begin here: those of processors' tracks are below.
const FIRST_THREAD: usize = 100_000;

/// Writes a trace.
pub(super) fn write(shape: &Shape, recording: &Recording, writer: impl Write) -> io::Result<()> {
    let mut file = File { writer: BufWriter::new(writer), first: true };
    file.begin()?;
    metadata(shape, &mut file)?;
    let names = recording.take_names();
    for slice in &shape.slices {
        file.event(format_args!("{}", SliceEvent { slice, names: &names }))?;
    }
    for (track, time, instant) in &shape.instants {
        file.event(format_args!(
            "\"ph\":\"i\",\"s\":\"t\",\"cat\":\"scheduler\",\"name\":\"{}\",{},\"ts\":{},\"args\":{{{}}}",
            instant_name(*instant),
            Place(*track),
            Time(*time),
            InstantArgs(*instant),
        ))?;
    }
    for (id, arrow) in shape.arrows.iter().enumerate() {
        let (from, to) = (arrow.from, arrow.to);
        file.event(format_args!(
            "\"ph\":\"s\",\"id\":{id},\"cat\":\"ready\",\"name\":\"ready\",{},\"ts\":{}",
            Place(from.0),
            Time(from.1),
        ))?;
        file.event(format_args!(
            "\"ph\":\"f\",\"bp\":\"e\",\"id\":{id},\"cat\":\"ready\",\"name\":\"ready\",{},\"ts\":{}",
            Place(to.0),
            Time(to.1),
        ))?;
    }
    file.end(recording.dropped())
}

/// The names of the tracks, and their order.
fn metadata(shape: &Shape, file: &mut File<impl Write>) -> io::Result<()> {
    for (process, name) in [(PROCESSORS, "processors (P)"), (THREADS, "machines (M) and threads")] {
        file.event(format_args!(
            "\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{process},\"args\":{{\"name\":\"{name}\"}}"
        ))?;
        file.event(format_args!(
            "\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":{process},\"args\":{{\"sort_index\":{process}}}"
        ))?;
    }
    let on_processor = |track| match track {
        Track::Processor(processor) => Some(processor),
        Track::Thread(_) => None,
    };
    let tracks = shape.slices.iter().map(|slice| slice.track);
    let tracks = tracks.chain(shape.instants.iter().map(|(track, ..)| *track));
    let count = tracks.filter_map(on_processor).max().map_or(0, |most| most + 1);
    for processor in 0..count {
        file.name(Track::Processor(processor), &format!("P{processor}"), processor)?;
    }
    for (index, (machine, name)) in shape.threads.iter().enumerate() {
        let shown = machine.map_or_else(|| name.clone(), |machine| format!("M{machine}"));
        file.name(Track::Thread(index), &shown, machine.unwrap_or(usize::MAX >> 40))?;
    }
    Ok(())
}

/// The file, and the commas in it.
struct File<W: Write> {
    writer: BufWriter<W>,
    first: bool,
}

impl<W: Write> File<W> {
    fn begin(&mut self) -> io::Result<()> {
        self.writer.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")
    }

    fn event(&mut self, event: fmt::Arguments<'_>) -> io::Result<()> {
        self.writer.write_all(if std::mem::take(&mut self.first) { b"\n{" } else { b",\n{" })?;
        self.writer.write_fmt(event)?;
        self.writer.write_all(b"}")
    }

    fn name(&mut self, track: Track, name: &str, order: usize) -> io::Result<()> {
        let (place, name) = (Place(track), Escaped(name));
        self.event(format_args!(
            "\"ph\":\"M\",\"name\":\"thread_name\",{place},\"args\":{{\"name\":\"{name}\"}}"
        ))?;
        self.event(format_args!(
            "\"ph\":\"M\",\"name\":\"thread_sort_index\",{place},\"args\":{{\"sort_index\":{order}}}"
        ))
    }

    fn end(&mut self, dropped: u64) -> io::Result<()> {
        writeln!(self.writer, "\n],\"otherData\":{{\"dropped\":\"{dropped}\"}}}}")?;
        self.writer.flush()
    }
}

/// Nanoseconds, as microseconds.
struct Time(u64);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A track's process and thread. Perfetto wants the threads' numbers to differ everywhere.
struct Place(Track);

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (process, thread) = match self.0 {
            Track::Processor(processor) => (PROCESSORS, processor + 1),
            Track::Thread(thread) => (THREADS, FIRST_THREAD + thread),
        };
        write!(f, "\"pid\":{process},\"tid\":{thread}")
    }
}

/// A text inside of JSON's quotes.
struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl fmt::Write for Escaping<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                text.chars().try_for_each(|c| match c {
                    '"' | '\\' => write!(self.0, "\\{c}"),
                    c if c < ' ' => write!(self.0, "\\u{:04x}", c as u32),
                    c => write!(self.0, "{c}"),
                })
            }
        }
        fmt::Write::write_fmt(&mut Escaping(f), format_args!("{}", self.0))
    }
}

/// A slice's event.
struct SliceEvent<'a> {
    slice: &'a Slice,
    names: &'a HashMap<u64, String>,
}

impl Display for SliceEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slice { track, begin, end, what } = *self.slice;
        let length = Time(end.saturating_sub(begin).max(1));
        let (place, begin) = (Place(track), Time(begin));
        match what {
            Shown::Run { goroutine, location, why } => {
                write!(f, "\"ph\":\"X\",\"cat\":\"goroutine\",\"name\":\"G{goroutine}")?;
                let name = self.names.get(&goroutine);
                match (name, location) {
                    (Some(name), _) => write!(f, " {}", Escaped(name))?,
                    (None, Some(at)) => {
                        let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
                        write!(f, " {}:{}", Escaped(file), at.line())?;
                    }
                    (None, None) => {}
                }
                write!(f, "\",{place},\"ts\":{begin},\"dur\":{length},\"args\":{{")?;
                write!(f, "\"goroutine\":{goroutine}")?;
                if let Some(at) = location {
                    write!(f, ",\"started\":\"{}:{}\"", Escaped(at.file()), at.line())?;
                }
                write!(f, ",\"stopped\":\"{}\"}}", why_name(why))
            }
            Shown::Without(without) => write!(
                f,
                "\"ph\":\"X\",\"cat\":\"goroutine\",\"name\":\"{}\",{place},\
                 \"ts\":{begin},\"dur\":{length}",
                without_name(without)
            ),
            Shown::Wakes { goroutine } => write!(
                f,
                "\"ph\":\"X\",\"cat\":\"scheduler\",\"name\":\"wakes G{goroutine}\",{place},\
                 \"ts\":{begin},\"dur\":{length}"
            ),
        }
    }
}

fn why_name(why: Option<Why>) -> String {
    match why {
        Some(Why::Yield) => "yield".to_owned(),
        Some(Why::Preempted) => "preempted".to_owned(),
        Some(Why::Park(reason)) => format!("park: {reason}"),
        Some(Why::NoProcessor) => "no processor".to_owned(),
        Some(Why::Enter(without)) => without_name(without).to_owned(),
        Some(Why::Done) => "done".to_owned(),
        None => "goes on".to_owned(),
    }
}

fn without_name(without: Without) -> &'static str {
    match without {
        Without::SystemCall => "system call",
        Without::StoppedWorld => "stops the world",
    }
}

fn instant_name(instant: Instant) -> &'static str {
    match instant {
        Instant::Stole { .. } => "stole",
        Instant::Polled { .. } => "polled",
        Instant::Polls => "polls",
        Instant::HandsOff { .. } => "hands off",
        Instant::Retaken { .. } => "retaken",
        Instant::AskedToYield { .. } => "asked to yield",
        Instant::Began { .. } => "takes P",
        Instant::PutDown { .. } => "puts P down",
        Instant::Roused { .. } => "rouses M",
        Instant::Started { .. } => "starts M",
        Instant::Stopped { .. } => "stopped",
        Instant::Resumed { .. } => "world goes on",
    }
}

/// What belongs to an instant.
struct InstantArgs(Instant);

impl Display for InstantArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Instant::Stole { victim, count } => {
                write!(f, "\"victim\":{victim},\"count\":{count}")
            }
            Instant::Polled { count } => write!(f, "\"count\":{count}"),
            Instant::Polls => Ok(()),
            Instant::HandsOff { processor }
            | Instant::Retaken { processor }
            | Instant::AskedToYield { processor }
            | Instant::Began { processor }
            | Instant::PutDown { processor }
            | Instant::Stopped { processor } => write!(f, "\"processor\":{processor}"),
            Instant::Roused { sleeper: machine, processor }
            | Instant::Started { started: machine, processor } => {
                write!(f, "\"machine\":{machine},\"processor\":{processor}")
            }
            Instant::Resumed { processors } => write!(f, "\"processors\":{processors}"),
        }
    }
}

//! Where a trace's records lie: chunks, each written by one thread.
//!
//! A thread fills a chunk and takes the next. How many chunks there may be is decided when the
//! trace begins; a thread that gets none drops what it has to tell, and counts it. A chunk's length
//! is stored after the record, so that whoever reads up to it reads what was written.
//!
//! A thread keeps its writer until it records for another trace, or ends. So a trace that is over
//! has its chunks forgotten by the buffers; each writer still holds the one it was filling.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::mem::{self, MaybeUninit};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::What;

/// How many records a chunk has.
const CHUNK: usize = 512;
/// How many names are kept at most.
const NAMES: usize = 1 << 16;

/// Something that a thread did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// On the runtime's clock.
    pub(super) time: u64,
    /// The goroutine's number; 0 if it is about none.
    pub(super) goroutine: u64,
    pub(super) what: What,
}

/// Records of one thread.
struct Chunk {
    records: Box<[UnsafeCell<MaybeUninit<Record>>]>,
    /// How many are written. By the thread alone.
    len: AtomicUsize,
}

// SAFETY: a record is written once, by the one thread that has the chunk, before the length counts
// it; others read what is counted.
unsafe impl Sync for Chunk {}
// SAFETY: as above.
unsafe impl Send for Chunk {}

impl Chunk {
    fn new() -> Self {
        let records = (0..CHUNK).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        Self { records, len: AtomicUsize::new(0) }
    }

    /// False if it is full. By its thread alone.
    fn push(&self, record: Record) -> bool {
        // ORDER: Relaxed: our own.
        let len = self.len.load(Ordering::Relaxed);
        let Some(place) = self.records.get(len) else { return false };
        // SAFETY: nobody reads beyond the length, and nobody else writes.
        unsafe { (*place.get()).write(record) };
        // ORDER: Release: the record, for `records`.
        self.len.store(len + 1, Ordering::Release);
        true
    }

    fn records(&self) -> impl Iterator<Item = Record> + '_ {
        // ORDER: Acquire: pairs with the Release in `push`.
        let len = self.len.load(Ordering::Acquire);
        self.records[..len].iter().map(|place| {
            // SAFETY: so many are written, and are not written again.
            let record = unsafe { &*place.get() };
            // SAFETY: as above.
            unsafe { record.assume_init() }
        })
    }
}

/// What one thread has told.
pub(super) struct Buffer {
    thread: ThreadId,
    /// The number of its machine, if it runs one of the runtime that is traced.
    machine: Option<usize>,
    name: String,
    chunks: Mutex<Vec<Arc<Chunk>>>,
    dropped: AtomicU64,
}

/// A thread's records, and who it is.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) machine: Option<usize>,
    pub(super) name: String,
    pub(super) records: Vec<Record>,
    /// Whether some are missing at the end.
    pub(super) is_cut: bool,
}

/// The records of one trace.
pub(super) struct Recording {
    id: u64,
    /// How many chunks may still be taken.
    room: AtomicUsize,
    buffers: Mutex<Vec<Arc<Buffer>>>,
    names: Mutex<HashMap<u64, String>>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("id", &self.id).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recording {
    pub(super) fn new(id: u64, records: usize) -> Self {
        Self {
            id,
            room: AtomicUsize::new(records.div_ceil(CHUNK)),
            buffers: Mutex::default(),
            names: Mutex::default(),
        }
    }

    pub(super) fn name(&self, goroutine: u64, name: &str) {
        let mut names = lock(&self.names);
        if !name.is_empty() && names.len() < NAMES {
            names.insert(goroutine, name.to_owned());
        }
    }

    /// The names of goroutines, which are then forgotten.
    pub(super) fn take_names(&self) -> HashMap<u64, String> {
        mem::take(&mut *lock(&self.names))
    }

    /// Forgets everything: the trace is over.
    pub(super) fn clear(&self) {
        // A thread that has not noticed yet takes no more.
        // ORDER: Relaxed: it counts, and guards nothing.
        self.room.store(0, Ordering::Relaxed);
        for buffer in mem::take(&mut *lock(&self.buffers)) {
            lock(&buffer.chunks).clear();
        }
        drop(self.take_names());
    }

    pub(super) fn dropped(&self) -> u64 {
        // ORDER: Relaxed: a count.
        lock(&self.buffers).iter().map(|buffer| buffer.dropped.load(Ordering::Relaxed)).sum()
    }

    /// A chunk, if there may be one more.
    fn chunk(&self) -> Option<Arc<Chunk>> {
        let take = |room: usize| room.checked_sub(1);
        // ORDER: Relaxed, both: it counts, and guards nothing.
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        Some(Arc::new(Chunk::new()))
    }

    /// The buffer of the thread that calls, which runs this machine, if any.
    fn buffer(&self, machine: Option<usize>) -> Arc<Buffer> {
        let here = thread::current();
        let mut buffers = lock(&self.buffers);
        if let Some(buffer) = buffers.iter().find(|buffer| buffer.thread == here.id()) {
            return Arc::clone(buffer);
        }
        let buffer = Arc::new(Buffer {
            thread: here.id(),
            machine,
            name: here.name().unwrap_or("a thread").to_owned(),
            chunks: Mutex::default(),
            dropped: AtomicU64::new(0),
        });
        buffers.push(Arc::clone(&buffer));
        buffer
    }

    /// What each thread has told, in its order.
    pub(super) fn threads(&self) -> Vec<Thread> {
        let buffers = lock(&self.buffers).clone();
        let thread = |buffer: &Arc<Buffer>| Thread {
            machine: buffer.machine,
            name: buffer.name.clone(),
            records: lock(&buffer.chunks).iter().flat_map(|chunk| chunk.records()).collect(),
            // ORDER: Relaxed: a count.
            is_cut: buffer.dropped.load(Ordering::Relaxed) > 0,
        };
        buffers.iter().map(thread).collect()
    }
}

/// A thread's hold on its buffer.
pub(super) struct Writer {
    recording: Arc<Recording>,
    buffer: Arc<Buffer>,
    chunk: Option<Arc<Chunk>>,
}

impl Writer {
    pub(super) fn new(recording: &Arc<Recording>, machine: Option<usize>) -> Self {
        Self { buffer: recording.buffer(machine), recording: Arc::clone(recording), chunk: None }
    }

    pub(super) fn recording_id(&self) -> u64 {
        self.recording.id
    }

    pub(super) fn write(&mut self, record: Record) {
        if self.chunk.as_ref().is_some_and(|chunk| chunk.push(record)) {
            return;
        }
        // What comes after a record that was dropped is dropped, too: the end is missing, not a
        // part of the middle.
        // ORDER: Relaxed: this thread counts it.
        let is_cut = self.buffer.dropped.load(Ordering::Relaxed) > 0;
        match if is_cut { None } else { self.recording.chunk() } {
            Some(chunk) => {
                chunk.push(record);
                lock(&self.buffer.chunks).push(Arc::clone(&chunk));
                self.chunk = Some(chunk);
            }
            None => {
                // ORDER: Relaxed: a count.
                self.buffer.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Weak;

    use super::*;
    use crate::trace::Trace;
    use crate::{Runtime, go, named, yield_now};

    /// A trace of many chunks.
    fn traced(runtime: &Runtime) -> Trace {
        let trace = runtime.start_trace().unwrap();
        let yields = || (0..10_000).for_each(|_| yield_now());
        runtime.run(move || (go(yields), yields()).0.join().unwrap()).unwrap();
        trace
    }

    #[test]
    fn a_trace_that_is_over_leaves_at_most_a_chunk_for_each_thread() {
        let runtime = Runtime::builder().processors(2).build().unwrap();
        let ends: [fn(Trace); 2] = [drop, |trace| _ = trace.write_json(io::sink()).unwrap()];
        for end in ends {
            let trace = traced(&runtime);
            let recording = Arc::downgrade(&trace.recording);
            let buffers = lock(&trace.recording.buffers).clone();
            let threads = buffers.len();
            let chunks: Vec<Weak<Chunk>> = buffers
                .iter()
                .flat_map(|buffer| {
                    lock(&buffer.chunks).iter().map(Arc::downgrade).collect::<Vec<_>>()
                })
                .collect();
            assert!(chunks.len() > 10 * threads, "{} of {threads}", chunks.len());
            drop(buffers);
            end(trace);
            let left = chunks.iter().filter(|chunk| chunk.strong_count() > 0).count();
            assert!(left <= threads, "{left} of {} by {threads}", chunks.len());
            if let Some(recording) = recording.upgrade() {
                assert!(lock(&recording.buffers).is_empty() && lock(&recording.names).is_empty());
            }
        }
    }

    /// A writer for which no lock may be held: it could be a goroutine's, and wait.
    struct Free(Arc<Recording>);

    impl Write for Free {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let Self(recording) = self;
            assert!(recording.names.try_lock().is_ok() && recording.buffers.try_lock().is_ok());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_lock_is_held_while_a_trace_is_written() {
        let runtime = Runtime::builder().processors(2).build().unwrap();
        let trace = runtime.start_trace().unwrap();
        runtime.run(|| named("one").go(yield_now).join().unwrap()).unwrap();
        let writer = Free(Arc::clone(&trace.recording));
        assert!(trace.write_json(writer).unwrap().runs > 0);
    }
}

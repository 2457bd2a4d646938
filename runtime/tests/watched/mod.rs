//! Runtimes of both kinds, under watch: a test that hangs is a failure, which shows what hangs.

use std::ops::Deref;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use gosched_runtime::{Migrating, Runtime};

/// Longer than any test with a runtime takes.
const LONG: Duration = Duration::from_secs(120);

/// A runtime. If it is there for too long the process is aborted, with the runtime's state.
pub(crate) struct Watched {
    runtime: Arc<Runtime>,
    watch: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

impl Watched {
    fn new(runtime: Runtime) -> Self {
        let runtime = Arc::new(runtime);
        let (end, ends) = mpsc::channel();
        let (name, watched) = (thread::current().name().map(str::to_owned), Arc::clone(&runtime));
        let watch = thread::spawn(move || {
            if ends.recv_timeout(LONG) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{name:?} hangs\n{:#?}\n{}", watched.snapshot(), watched.dump());
                std::process::abort();
            }
        });
        Self { runtime, watch: Some((end, watch)) }
    }
}

impl Deref for Watched {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        &self.runtime
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some((end, watch)) = self.watch.take() else { return };
        drop(end);
        watch.join().unwrap();
    }
}

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
pub(crate) fn both(processors: usize) -> [Watched; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating), builder]
        .map(|builder| Watched::new(builder.build().unwrap()))
}

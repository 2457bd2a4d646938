//! A parallel walk of a directory: a goroutine for each folder, whose files are counted with
//! ordinary blocking calls.
//!
//! Reading a folder blocks the thread that does it. Inside `blocking` that costs nobody else
//! anything: if it takes long, the processor goes to another machine.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example directory_walk -- /usr
//! ```

use std::error::Error;
use std::fs;
use std::io;
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gosched_runtime::{JoinHandle, Migrating, Runtime, blocking, go};

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    folders: u64,
    files: u64,
    bytes: u64,
    /// Folders that could not be read.
    unreadable: u64,
}

impl AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.folders += other.folders;
        self.files += other.files;
        self.bytes += other.bytes;
        self.unreadable += other.unreadable;
    }
}

/// The folders in a folder, and what its files come to.
fn read(folder: &Path) -> io::Result<(Vec<PathBuf>, Found)> {
    let mut found = Found { folders: 1, ..Found::default() };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Links are not followed.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            folders.push(entry.path());
        } else if kind.is_file() {
            found.files += 1;
            found.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
    }
    Ok((folders, found))
}

/// Everything below a folder.
fn walk(folder: &Path) -> Found {
    let Ok((folders, mut found)) = blocking(|| read(folder)) else {
        return Found { unreadable: 1, ..Found::default() };
    };
    let below = |folder: PathBuf| go(move || walk(&folder));
    let children: Vec<JoinHandle<Found>> = folders.into_iter().map(below).collect();
    for child in children {
        found += child.join_or_unwind();
    }
    found
}

/// The same, by one thread: to compare with.
fn walk_alone(folder: &Path) -> Found {
    let Ok((folders, mut found)) = read(folder) else {
        return Found { unreadable: 1, ..Found::default() };
    };
    for folder in folders {
        found += walk_alone(&folder);
    }
    found
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    if !folder.is_dir() {
        return Err(format!("usage: directory_walk [FOLDER]; {} is none", folder.display()).into());
    }
    // SAFETY: nothing here keeps anything of its thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().migrating(migrating).build()?;
    // Once to warm the kernel's caches, so that both read from memory.
    let expected = walk_alone(&folder);
    let begin = Instant::now();
    let alone = walk_alone(&folder);
    let took_alone = begin.elapsed();
    let begin = Instant::now();
    let found = runtime.run({
        let folder = folder.clone();
        move || walk(&folder)
    })?;
    let took = begin.elapsed();
    println!("{}: {found:?}", folder.display());
    println!("{} goroutines in {took:.1?}; one thread in {took_alone:.1?}", found.folders);
    if alone == expected && found != alone {
        return Err(format!("the goroutines found {found:?}, one thread {alone:?}").into());
    }
    Ok(())
}

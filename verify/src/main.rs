//! `gosched-verify`: checks the claims about gosched. `gosched-verify --help` explains itself.

use std::process::ExitCode;

/// With it the explorer finds a use after free; the other engines do not notice it.
#[cfg(feature = "explore")]
#[global_allocator]
static ALLOCATOR: gosched_verify::explore::Quarantine = gosched_verify::explore::Quarantine::new();

fn main() -> ExitCode {
    gosched_verify::cli::main()
}

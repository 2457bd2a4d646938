//! `gosched-verify`: checks the claims about gosched. `gosched-verify --help` explains itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    gosched_verify::cli::main()
}

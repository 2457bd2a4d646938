//! Between bytes and programs.
//!
//! ```text
//! cargo run --example programs -- seeds          writes the known programs to fuzz/seeds/
//! cargo run --example programs -- show FILE...   prints what the bytes of seeds or crashes mean
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use gosched_verify::ops::global::Global;
use gosched_verify::ops::local::Local;
use gosched_verify::ops::ownership::Ownership;
use gosched_verify::ops::scheduler::Simulation;
use gosched_verify::ops::{Language, Program};

const USAGE: &str = "usage: programs seeds | programs show FILE...\n\
                     FILE stands in a folder that is named like its target";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((verb, [])) if verb == "seeds" => write_all_seeds(),
        Some((verb, files)) if verb == "show" && !files.is_empty() => {
            files.iter().try_for_each(|file| show(Path::new(file)))
        }
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write_all_seeds() -> Result<(), String> {
    write_seeds::<Local>()?;
    write_seeds::<Global>()?;
    write_seeds::<Ownership>()?;
    write_seeds::<Simulation>()
}

fn write_seeds<L: Language>() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(L::TARGET);
    fs::create_dir_all(&folder).map_err(|error| at(&folder, &error))?;
    for (name, program) in L::known() {
        let file = folder.join(name);
        fs::write(&file, program.encode()).map_err(|error| at(&file, &error))?;
    }
    println!("{}: {} seeds", folder.display(), L::known().len());
    Ok(())
}

fn show(file: &Path) -> Result<(), String> {
    let bytes = fs::read(file).map_err(|error| at(file, &error))?;
    let folder = file.canonicalize().ok().and_then(|path| path.parent().map(PathBuf::from));
    let target = folder.as_deref().and_then(Path::file_name).unwrap_or_default();
    println!("// {}", file.display());
    match target.to_str() {
        Some(Local::TARGET) => explain::<Local>(&bytes),
        Some(Global::TARGET) => explain::<Global>(&bytes),
        Some(Ownership::TARGET) => explain::<Ownership>(&bytes),
        Some(Simulation::TARGET) => explain::<Simulation>(&bytes),
        _ => return Err(format!("{}: its folder names no target", file.display())),
    }
    Ok(())
}

fn explain<L: Language>(bytes: &[u8]) {
    println!("{:?}", Program::<L>::decode(bytes));
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

//! Go: where it is, and a program that it builds.
//!
//! The program's source is part of our binary, so that the binary can be carried to a machine that
//! has Go and nothing of this repository. It is built once a run, into a folder that is removed at
//! the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program, and the version of the compiler and runtime in it.
#[derive(Debug)]
pub struct Go {
    folder: PathBuf,
    program: PathBuf,
    version: String,
}

impl Go {
    /// Builds a program of these files, by name and text, with `go`, or with the one that
    /// `GOSCHED_GO` names, or with the one in the path.
    ///
    /// # Errors
    ///
    /// One line that says why there is none.
    pub fn build(go: Option<&Path>, name: &str, files: &[(&str, &str)]) -> Result<Self, String> {
        let named = std::env::var_os("GOSCHED_GO").map(PathBuf::from);
        let go = go.map(Path::to_path_buf).or(named).unwrap_or_else(|| PathBuf::from("go"));
        let version = output(Command::new(&go).arg("version"))?;
        let folder = std::env::temp_dir().join(format!("gosched-{name}-{}", std::process::id()));
        let program = folder.join(name);
        let built = Self { folder, program, version };
        built.write(files).map_err(|error| format!("{}: {error}", built.folder.display()))?;
        // No other version of Go is fetched, and no repository around the folder is asked.
        let mut command = Command::new(&go);
        command.args(["build", "-buildvcs=false", "-o"]).arg(&built.program).arg(".");
        output(command.current_dir(&built.folder).env("GOTOOLCHAIN", "local"))?;
        Ok(built)
    }

    /// Where it is, as long as this lives.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What `go version` says.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    fn write(&self, files: &[(&str, &str)]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        files.iter().try_for_each(|(name, text)| fs::write(self.folder.join(name), text))
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // A folder that stays in the system's temporary ones does no harm.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn output(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program}: {}: {}", output.status, message.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_go_there_is_one_line_that_says_so() {
        let error =
            Go::build(Some(Path::new("/nowhere/go")), "none", &[]).expect_err("no such program");
        assert!(error.contains("/nowhere/go") && !error.contains('\n'), "{error}");
    }
}

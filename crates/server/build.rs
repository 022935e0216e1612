//! Lists the built UI (`ui/dist/app`) for `routes::page`, which embeds it into the binary.
//!
//! Asks no network and runs no npm: what is there is taken, and where nothing is, the page says how to
//! build it. `ui/dist` itself is in the repository, so that a clean clone is watched for the first build.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../../ui/dist");
    // Cargo looks at the whole folder, and runs this again when anything in it changes.
    println!("cargo:rerun-if-changed={}", dist.display());
    let app = fs::canonicalize(&dist)?.join("app");
    let mut files = Vec::new();
    if app.join("index.html").is_file() {
        gather(&app, &mut files)?;
        files.sort();
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let mut table = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let name = file.strip_prefix(&app).unwrap_or(file).to_string_lossy().replace('\\', "/");
        // Copies: a page that is built anew while the compiler reads would take the files away.
        let plain = copy(file, &out.join(format!("ui_{number}")))?;
        let packed = PathBuf::from(format!("{}.gz", file.display()));
        let packed = match packed.is_file() {
            true => format!("Some({})", copy(&packed, &out.join(format!("ui_{number}.gz")))?),
            false => "None".to_owned(),
        };
        writeln!(table, "File {{ path: {name:?}, bytes: {plain}, packed: {packed} }},")
            .map_err(io::Error::other)?;
    }
    table.push_str("]\n");
    fs::write(out.join("ui_files.rs"), table)
}

/// The expression that includes the copy.
fn copy(file: &Path, to: &Path) -> io::Result<String> {
    fs::copy(file, to)?;
    Ok(format!("include_bytes!({to:?})"))
}

fn gather(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = fs::canonicalize(entry?.path())?;
        if path.is_dir() {
            gather(&path, into)?;
        } else if path.extension().is_none_or(|extension| extension != "gz") {
            into.push(path);
        }
    }
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

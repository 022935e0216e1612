//! NVIDIA's management library, stood in for: the one service here that is no real one, because the
//! hardware behind it is rarely at hand. It is a C library with the interface of the real one, so what
//! loads and calls the real one is exercised whole; what a real driver answers is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

const SOURCE: &str = include_str!("../stand-ins/libnvidia-ml.c");

/// A library that answers as a file says. See `stand-ins/libnvidia-ml.c`.
#[derive(Debug)]
pub struct Nvml {
    library: PathBuf,
    control: PathBuf,
}

impl Nvml {
    /// Builds the library in `folder`; it shows two GPUs.
    pub fn build(folder: &Path) -> Result<Self> {
        let (source, control) = (folder.join("libnvidia-ml.c"), folder.join("nvml.control"));
        let library = folder.join("libnvidia-ml.so.1");
        std::fs::write(&source, SOURCE).context("writing the source of the library")?;
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1"])
            .arg(format!("-DCONTROL=\"{}\"", control.display()))
            .arg("-o")
            .arg(&library)
            .arg(&source)
            .output()
            .context("running the C compiler `cc`; `apt-get install gcc` installs one")?;
        if !built.status.success() {
            bail!("the library could not be built: {}", String::from_utf8_lossy(&built.stderr));
        }
        let this = Self { library, control };
        this.say("gpus 2")?;
        Ok(this)
    }

    /// Where the library is.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Changes what the library answers from now on.
    pub fn say(&self, lines: &str) -> Result<()> {
        let beside = self.control.with_extension("new");
        std::fs::write(&beside, lines).context("writing what the library says")?;
        std::fs::rename(&beside, &self.control).context("putting it in place")
    }
}

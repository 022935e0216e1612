//! One walk over `/proc`: the cheap file of every process, and the dearer files of a few.

use std::io::Read;

use procfs::ProcError;
use procfs::prelude::FromRead;
use procfs::process::{Process, Stat};

use crate::collector::CollectError;
use crate::proc_root::ProcRoot;

/// A process over its whole life: a process id comes back, with another start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ProcessKey {
    pub(crate) pid: i32,
    /// When it started, in clock ticks since the host did.
    pub(crate) start_ticks: u64,
}

/// What `/proc/PID/stat` says. Its memory is as good as that of `statm`, so `statm` is not read.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) key: ProcessKey,
    pub(crate) parent: i32,
    /// The kernel's name of it, 15 characters at most.
    pub(crate) comm: String,
    pub(crate) cpu_ticks: u64,
    pub(crate) threads: u64,
    pub(crate) vms_bytes: u64,
    pub(crate) rss_bytes: u64,
}

/// What only the files that cost more say; what we may not read is `None`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Details {
    pub(crate) open_fds: Option<u64>,
    pub(crate) read_bytes: Option<u64>,
    pub(crate) written_bytes: Option<u64>,
}

/// Every process that runs programs: no kernel threads, and no zombies, which have ended already.
pub(crate) fn walk(root: &ProcRoot) -> Result<Vec<Seen>, CollectError> {
    let entries = std::fs::read_dir(root.root()).map_err(|error| CollectError::Read {
        what: root.root().display().to_string(),
        source: Box::new(error),
    })?;
    let mut buffer = Vec::with_capacity(1024);
    let mut processes = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        // A process may end between being listed and being read: it is passed over.
        buffer.clear();
        let path = root.path(name).join("stat");
        let read = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut buffer));
        if read.is_ok()
            && let Ok(stat) = Stat::from_read(buffer.as_slice())
            && runs_a_program(&stat)
        {
            processes.push(seen(stat, root.page_size()));
        }
    }
    Ok(processes)
}

fn runs_a_program(stat: &Stat) -> bool {
    /// The kernel's own threads carry this flag (`PF_KTHREAD`).
    const KERNEL_THREAD: u32 = 0x0020_0000;
    stat.flags & KERNEL_THREAD == 0 && !matches!(stat.state, 'Z' | 'X' | 'x')
}

fn seen(stat: Stat, page_size: u64) -> Seen {
    Seen {
        key: ProcessKey { pid: stat.pid, start_ticks: stat.starttime },
        parent: stat.ppid,
        cpu_ticks: stat.utime + stat.stime,
        threads: u64::try_from(stat.num_threads).unwrap_or(0),
        vms_bytes: stat.vsize,
        rss_bytes: stat.rss * page_size,
        comm: stat.comm,
    }
}

/// The arguments that a process was started with; empty where it has ended or hides them.
pub(crate) fn arguments(root: &ProcRoot, pid: i32) -> Vec<String> {
    /// A command line may have megabytes; what matters stands in front.
    const MAX_BYTES: u64 = 16 << 10;
    let mut bytes = Vec::new();
    let path = root.path(&pid.to_string()).join("cmdline");
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    text.split('\0').filter(|argument| !argument.is_empty()).map(str::to_owned).collect()
}

/// Open files and IO of a process.
pub(crate) fn details(root: &ProcRoot, pid: i32) -> Details {
    let Ok(process) = open(root, pid) else { return Details::default() };
    let io = process.io().ok();
    Details {
        open_fds: process.fd_count().ok().map(|count| count as u64),
        read_bytes: io.as_ref().map(|io| io.read_bytes),
        written_bytes: io.as_ref().map(|io| io.write_bytes),
    }
}

/// Proportional memory of a process in bytes: the kernel walks all its pages for it.
pub(crate) fn pss_bytes(root: &ProcRoot, pid: i32) -> Option<u64> {
    let rollup = open(root, pid).ok()?.smaps_rollup().ok()?;
    rollup.memory_map_rollup.into_iter().next()?.extension.map.get("Pss").copied()
}

fn open(root: &ProcRoot, pid: i32) -> Result<Process, ProcError> {
    Process::new_with_root(root.path(&pid.to_string()))
}

//! What the kernel says when it ends a process, or sees one fail: from its lines to facts.
//!
//! The texts are those of Linux 3.10 to 6.18: an out-of-memory kill says in one line who and why
//! (`oom-kill:…`, or `Task in … killed as a result of limit of …` and `Kill process … or sacrifice
//! child` before 5.0), and in the next what the process held (`Killed process …`). Names of processes
//! are chosen by users and stand in the middle of these lines, so a line is read from the end, where
//! only the kernel writes.

/// Something that a line told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A process was killed for want of memory.
    OomKill(OomKill),
    /// A process met a fault that it did not handle.
    Fault(Fault),
    /// The GPU driver reports an error.
    Xid(Xid),
}

/// A process that was killed for want of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OomKill {
    pub(crate) pid: u64,
    /// The kernel's name of the process.
    pub(crate) comm: String,
    /// Whether the limit of a control group was reached, and not the end of the host's memory.
    pub(crate) by_limit: bool,
    /// The control group of the process, where the kernel names it.
    pub(crate) cgroup: Option<String>,
    /// The control group whose limit was reached.
    pub(crate) limit_of: Option<String>,
    pub(crate) anon_bytes: Option<u64>,
    /// Anonymous, file and shared memory together.
    pub(crate) rss_bytes: Option<u64>,
    pub(crate) vms_bytes: Option<u64>,
}

/// A process that met a fault which it did not handle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The id of the thread, which is the process's own in its first thread.
    pub(crate) pid: u64,
    pub(crate) comm: String,
    pub(crate) signal: &'static str,
}

/// An error that the GPU driver reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Xid {
    /// Where the GPU is: `0000:3b:00`.
    pub(crate) pci: String,
    /// NVIDIA's number of the error: 79 is a GPU that has fallen off the bus.
    pub(crate) code: u32,
}

/// Reads lines one after the other: what a line says of the next is remembered.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    /// Who is about to be killed, and why.
    announced: Option<OomKill>,
    /// Control groups that an older kernel has named.
    task_in: Option<(String, String)>,
}

/// The longest name of a control group that is kept, in bytes.
const MAX_PATH: usize = 400;

impl LineReader {
    /// Reads one line of the kernel.
    pub(crate) fn read(&mut self, line: &str) -> Option<Finding> {
        if let Some(facts) = line.strip_prefix("oom-kill:") {
            self.announced = announcement(facts);
            return None;
        }
        if let Some(rest) = line.strip_prefix("Task in ") {
            self.task_in = rest
                .split_once(" killed as a result of limit of ")
                .map(|(task, limit)| (path(task), path(limit)));
            return None;
        }
        if let Some(kill) = killed(line) {
            return Some(Finding::OomKill(self.complete(kill)));
        }
        fault(line).map(Finding::Fault).or_else(|| xid(line).map(Finding::Xid))
    }

    /// Adds what the lines before have said of the same process.
    fn complete(&mut self, mut kill: OomKill) -> OomKill {
        if let Some(announced) = self.announced.take().filter(|announced| announced.pid == kill.pid) {
            kill.by_limit |= announced.by_limit;
            kill.cgroup = announced.cgroup;
            kill.limit_of = announced.limit_of;
        } else if let Some((task, limit)) = self.task_in.take() {
            kill.by_limit = true;
            kill.cgroup = Some(task);
            kill.limit_of = Some(limit);
        }
        kill
    }
}

/// `constraint=CONSTRAINT_MEMCG,…,oom_memcg=/a,task_memcg=/a/b,task=NAME,pid=1,uid=0`, from Linux 5.0.
fn announcement(facts: &str) -> Option<OomKill> {
    let pid = digits(&facts[facts.rfind(",pid=")? + ",pid=".len()..])?;
    let by_limit = facts.starts_with("constraint=CONSTRAINT_MEMCG");
    let task = facts.rfind(",task=").unwrap_or(facts.len());
    let named = &facts[..task];
    let cgroup = named.split_once(",task_memcg=").map(|(_, task)| path(task));
    let limit_of = named
        .split_once(",oom_memcg=")
        .map(|(_, rest)| path(rest.split_once(",task_memcg=").map_or(rest, |(limit, _)| limit)));
    Some(OomKill { pid, by_limit, cgroup, limit_of, ..OomKill::default() })
}

/// `[Memory cgroup out of memory: |Out of memory: ]Killed process 1 (NAME)[, UID 0,] total-vm:4kB,
/// anon-rss:4kB, file-rss:4kB, shmem-rss:0kB, …`
fn killed(line: &str) -> Option<OomKill> {
    const KILLED: &str = "Killed process ";
    let by_limit = line.starts_with("Memory cgroup out of memory");
    let rest = match line.strip_prefix(KILLED) {
        Some(rest) => rest,
        None if by_limit || line.starts_with("Out of memory") => {
            line.split_once(": ").and_then(|(_, rest)| rest.strip_prefix(KILLED))?
        }
        None => return None,
    };
    let pid = digits(rest)?;
    let (head, sizes) = match rest.rfind(" total-vm:") {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let named = head.split_once(" (")?.1;
    let comm = &named[..named.rfind(')')?];
    let bytes = |key: &str| {
        let at = sizes.find(key)? + key.len();
        digits(&sizes[at..]).map(|kilobytes| kilobytes.saturating_mul(1024))
    };
    let anon_bytes = bytes("anon-rss:");
    let parts = [anon_bytes, bytes("file-rss:"), bytes("shmem-rss:")];
    Some(OomKill {
        pid,
        comm: comm.chars().take(64).collect(),
        by_limit,
        anon_bytes,
        rss_bytes: anon_bytes.map(|_| parts.into_iter().flatten().fold(0, u64::saturating_add)),
        vms_bytes: bytes("total-vm:"),
        ..OomKill::default()
    })
}

/// `NAME[1]: segfault at 0 ip …` or `traps: NAME[1] general protection fault ip:…`
fn fault(line: &str) -> Option<Fault> {
    const TRAPS: [(&str, &str); 5] = [
        ("] general protection", "SIGSEGV"),
        ("] trap invalid opcode", "SIGILL"),
        ("] trap divide error", "SIGFPE"),
        ("] trap stack segment", "SIGBUS"),
        ("] trap int3", "SIGTRAP"),
    ];
    let (who, signal) = match line.strip_prefix("traps: ") {
        Some(rest) => TRAPS.iter().find_map(|(text, signal)| Some((&rest[..rest.rfind(text)?], *signal)))?,
        None => (&line[..line.rfind("]: segfault at ")?], "SIGSEGV"),
    };
    let (comm, pid) = who.rsplit_once('[')?;
    Some(Fault { pid: pid.parse().ok()?, comm: comm.chars().take(64).collect(), signal })
}

/// `NVRM: Xid (PCI:0000:3b:00): 79, …`
fn xid(line: &str) -> Option<Xid> {
    let (pci, rest) = line.strip_prefix("NVRM: Xid (PCI:")?.split_once("): ")?;
    let is_address = pci.len() <= 16 && pci.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    let code = u32::try_from(digits(rest)?).ok()?;
    is_address.then(|| Xid { pci: pci.to_owned(), code })
}

/// The number that a text begins with.
fn digits(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn path(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_PATH)].to_owned()
}

#[cfg(test)]
mod tests;

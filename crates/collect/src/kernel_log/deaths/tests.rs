//! The kernel's own texts, of several versions, and texts that only look like them.

use proptest::prelude::*;

use super::*;

fn read(lines: &[&str]) -> Vec<Finding> {
    let mut reader = LineReader::default();
    lines.iter().filter_map(|line| reader.read(line)).collect()
}

#[test]
fn a_control_group_over_its_limit_on_linux_6() {
    let found = read(&[
        "python3 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "Tasks state (memory values in pages):",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/limit,task_memcg=/limit/inner,task=python3,pid=14026,uid=0",
        "Memory cgroup out of memory: Killed process 14026 (python3) total-vm:211880kB, anon-rss:28928kB, file-rss:6600kB, shmem-rss:4kB, UID:0 pgtables:124kB oom_score_adj:0",
        "oom_reaper: reaped process 14026 (python3), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    ]);
    let kill = OomKill {
        pid: 14026,
        comm: "python3".into(),
        by_limit: true,
        cgroup: Some("/limit/inner".into()),
        limit_of: Some("/limit".into()),
        anon_bytes: Some(28_928 << 10),
        rss_bytes: Some((28_928 + 6_600 + 4) << 10),
        vms_bytes: Some(211_880 << 10),
    };
    assert_eq!(found, [Finding::OomKill(kill)]);
}

#[test]
fn a_host_without_memory_on_linux_5() {
    let found = read(&[
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/w.service,task=java,pid=77,uid=1000",
        "Out of memory: Killed process 77 (java) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:1kB oom_score_adj:0",
    ]);
    let [Finding::OomKill(kill)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((kill.pid, kill.by_limit), (77, false));
    assert_eq!(kill.cgroup.as_deref(), Some("/system.slice/w.service"));
    assert_eq!(kill.limit_of, None);
}

#[test]
fn a_control_group_over_its_limit_on_linux_4() {
    let found = read(&[
        "Task in /docker/abc killed as a result of limit of /docker/abc",
        "Memory cgroup out of memory: Kill process 812 (celery) score 1974 or sacrifice child",
        "Killed process 812 (celery) total-vm:1024kB, anon-rss:512kB, file-rss:16kB, shmem-rss:0kB",
    ]);
    let [Finding::OomKill(kill)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((kill.pid, kill.comm.as_str(), kill.by_limit), (812, "celery", true));
    assert_eq!(kill.cgroup.as_deref(), Some("/docker/abc"));
    assert_eq!(kill.rss_bytes, Some(528 << 10));
}

#[test]
fn a_host_without_memory_on_linux_3_10() {
    let found = read(&[
        "Out of memory: Kill process 9 (node) score 900 or sacrifice child",
        "Killed process 9 (node), UID 1000, total-vm:100kB, anon-rss:50kB, file-rss:2kB, shmem-rss:1kB",
    ]);
    let [Finding::OomKill(kill)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((kill.pid, kill.comm.as_str(), kill.by_limit), (9, "node", false));
    assert_eq!(kill.anon_bytes, Some(50 << 10));
}

#[test]
fn all_processes_of_a_group_that_dies_together_are_told_with_the_group_of_the_first() {
    let found = read(&[
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/g,task_memcg=/g,task=a,pid=1,uid=0",
        "Memory cgroup out of memory: Killed process 1 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
        "Tasks in /g are going to be killed due to memory.oom.group set",
        "Memory cgroup out of memory: Killed process 1 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
        "Memory cgroup out of memory: Killed process 2 (b) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
    ]);
    let pids: Vec<u64> = found
        .iter()
        .map(|finding| match finding {
            Finding::OomKill(kill) => kill.pid,
            other => panic!("{other:?}"),
        })
        .collect();
    // The first is named twice by the kernel; whoever reports knows it by its process id.
    assert_eq!(pids, [1, 1, 2]);
}

#[test]
fn a_name_that_plays_the_kernels_text_is_read_as_a_name() {
    // A name has 15 characters at most, and may hold anything.
    let line = "Out of memory: Killed process 5 (x) anon-rss:9kB) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB";
    let [Finding::OomKill(kill)] = &read(&[line])[..] else { panic!() };
    assert_eq!((kill.comm.as_str(), kill.anon_bytes), ("x) anon-rss:9kB", Some(4096)));
    let announced =
        "oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/a,task=x,pid=1,uid=9,pid=5,uid=0";
    let [Finding::OomKill(kill)] = &read(&[announced, line])[..] else { panic!() };
    assert_eq!(kill.cgroup.as_deref(), Some("/a"));
}

#[test]
fn lines_that_only_look_like_a_kill_are_none() {
    for line in [
        "Killed process ",
        "Killed process x (y) total-vm:1kB",
        "Killed process 12",
        "Killed process [55]: exited",
        "Out of memory: Kill process 9 (node) score 900 or sacrifice child",
        "Out of memory and no killable processes...",
        "Memory cgroup out of memory: ",
        "oom_reaper: reaped process 14026 (python3), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "systemd[1]: Killed process 4 (x) total-vm:1kB, anon-rss:1kB",
        "Killed process 99999999999999999999999 (x) total-vm:1kB",
    ] {
        assert_eq!(read(&[line]), [], "{line}");
    }
}

#[test]
fn faults_that_nobody_handled_are_signals() {
    let cases = [
        (
            "python3[4242]: segfault at 0 ip 00007f5 sp 00007ff error 4 in libc.so.6[7f5+195000]",
            4242,
            "python3",
            "SIGSEGV",
        ),
        ("a[1]: segfault [7]: segfault at 0 ip 0 sp 0 error 4", 7, "a[1]: segfault ", "SIGSEGV"),
        (
            "traps: ocr worker[88] general protection fault ip:7f sp:7f error:0 in x.so[7f+1]",
            88,
            "ocr worker",
            "SIGSEGV",
        ),
        ("traps: w[9] trap invalid opcode ip:7f sp:7f error:0 in w[5+1]", 9, "w", "SIGILL"),
        ("traps: w[9] trap divide error ip:7f sp:7f error:0 in w[5+1]", 9, "w", "SIGFPE"),
    ];
    for (line, pid, comm, signal) in cases {
        let expected = Fault { pid, comm: comm.to_owned(), signal };
        assert_eq!(read(&[line]), [Finding::Fault(expected)], "{line}");
    }
    assert_eq!(read(&["Killed process [123]: segfault at"]), []);
}

#[test]
fn an_error_of_the_gpu_driver_is_found() {
    let found = read(&[
        "NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
    ]);
    assert_eq!(found, [Finding::Xid(Xid { pci: "0000:3b:00".into(), code: 79 })]);
    assert_eq!(read(&["NVRM: Xid (PCI:a label of any text): 79, x"]), []);
    assert_eq!(read(&["NVRM: Xid (PCI:0000:3b:00): x"]), []);
}

proptest! {
    #[test]
    fn no_line_breaks_the_reader_and_nothing_found_is_large(
        lines in prop::collection::vec(
            prop_oneof![
                "\\PC{0,200}",
                "(oom-kill:|Killed process |Out of memory: |Memory cgroup out of memory: Killed process |Task in |traps: |NVRM: Xid \\(PCI:)\\PC{0,200}",
                "oom-kill:constraint=\\PC{0,40},task_memcg=\\PC{0,900},task=\\PC{0,15},pid=[0-9]{1,22},uid=0",
                "(Out of memory: )?Killed process [0-9]{1,22} \\(\\PC{0,900}\\) total-vm:[0-9]{1,30}kB, anon-rss:[0-9]{1,30}kB",
            ],
            0..20,
        )
    ) {
        let mut reader = LineReader::default();
        for line in &lines {
            match reader.read(line) {
                Some(Finding::OomKill(kill)) => {
                    prop_assert!(kill.comm.len() <= 64 * 4);
                    prop_assert!(kill.cgroup.is_none_or(|path| path.len() <= MAX_PATH));
                    prop_assert!(kill.limit_of.is_none_or(|path| path.len() <= MAX_PATH));
                }
                Some(Finding::Fault(fault)) => prop_assert!(fault.comm.len() <= 64 * 4),
                Some(Finding::Xid(xid)) => prop_assert!(xid.pci.len() <= 16),
                None => {}
            }
        }
    }

    #[test]
    fn any_name_and_sizes_come_back_as_the_kernel_wrote_them(
        pid in 1u64..4_194_304,
        comm in "[ -~]{1,15}",
        anon in 0u64..1 << 40,
        file in 0u64..1 << 40,
    ) {
        let line = format!(
            "Out of memory: Killed process {pid} ({comm}) total-vm:1kB, anon-rss:{anon}kB, file-rss:{file}kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0"
        );
        let Some(Finding::OomKill(kill)) = LineReader::default().read(&line) else { panic!("{line}") };
        prop_assert_eq!((kill.pid, kill.comm), (pid, comm));
        prop_assert_eq!(kill.anon_bytes, Some(anon << 10));
        prop_assert_eq!(kill.rss_bytes, Some((anon + file) << 10));
    }
}

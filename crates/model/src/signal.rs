//! The names of signals, as Linux numbers them on every processor that we are built for.

/// By number, from 1.
const NAMES: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// The name of a signal: `SIGKILL` for 9. Real-time signals, which have no names of their own, are
/// written as `SIG34`; what is no signal at all is `None`.
pub fn signal_name(number: u64) -> Option<String> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    match NAMES.get(place) {
        Some(name) => Some((*name).to_owned()),
        None if number <= 64 => Some(format!("SIG{number}")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_the_names_that_kill_knows() {
        let cases =
            [(1, "SIGHUP"), (9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS"), (34, "SIG34")];
        for (number, name) in cases {
            assert_eq!(signal_name(number).as_deref(), Some(name));
        }
        assert_eq!(signal_name(0), None);
        assert_eq!(signal_name(65), None);
        assert_eq!(signal_name(u64::MAX), None);
    }
}

//! The clock that begins with the host, by which the kernel and the service manager date what happens.

use std::time::Duration;

use model::Timestamp;

/// What that clock shows at one moment of ours.
pub(crate) struct KernelClock {
    pub(crate) since_boot: Duration,
    pub(crate) now: Timestamp,
}

impl KernelClock {
    pub(crate) fn now() -> Self {
        let clock = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let since_boot = Duration::new(
            u64::try_from(clock.tv_sec).unwrap_or_default(),
            u32::try_from(clock.tv_nsec).unwrap_or_default(),
        );
        Self { since_boot, now: Timestamp::now() }
    }

    /// A time of that clock in ours. It stands still while a host sleeps: what happened before a sleep is
    /// dated too late.
    pub(crate) fn time_of(&self, since_boot: Duration) -> Timestamp {
        self.now.before(self.since_boot.saturating_sub(since_boot))
    }
}

/// What tells this start of the host from every other.
pub(crate) fn boot_id() -> std::io::Result<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(text.trim().chars().take(64).collect())
}

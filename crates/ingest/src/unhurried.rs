//! Work that takes long on the way to an answer.

use tokio::runtime::{Handle, RuntimeFlavor};

/// The most text that a listener looks through where the answer is on its way, beside other tasks.
pub const INLINE_BYTES: usize = 64 << 10;

/// Does what takes long with a thread of its own, so that it keeps no other task of this one waiting. A queue would have
/// to lose some of it when it is full, or copy all of it.
pub fn unhurried(work: impl FnOnce()) {
    // Elsewhere there is no other thread that could go on.
    let can_go_on = Handle::try_current()
        .is_ok_and(|runtime| matches!(runtime.runtime_flavor(), RuntimeFlavor::MultiThread));
    if can_go_on { tokio::task::block_in_place(work) } else { work() }
}

//! Batches that wait to be committed, bounded by bytes.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use store::{AppendError, Appended, Batch};
use tokio::sync::oneshot;

use crate::EngineError;
use crate::demand::Demand;
use crate::wal::writer::Frozen;

/// A batch and who waits for it.
pub(crate) struct Pending {
    pub(crate) batch: Batch,
    pub(crate) reply: oneshot::Sender<Result<Appended, AppendError>>,
    bytes: usize,
    is_reserved: bool,
}

impl Pending {
    /// What was taken of the disk for it.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    /// What was taken before it came.
    pub(crate) fn reserved_bytes(&self) -> u64 {
        if self.is_reserved { self.bytes() } else { 0 }
    }
}

/// Who waits for a rotation.
pub(crate) type RotateReply = mpsc::SyncSender<Result<Option<Frozen>, EngineError>>;

/// What the committer does next.
pub(crate) enum Next {
    /// Commit these.
    Commit(Vec<Pending>),
    /// Freeze the head.
    Rotate(RotateReply),
    /// End.
    Close,
}

/// How commits are gathered and how much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gathering {
    /// The most bytes of one commit, unless its first batch alone has more.
    pub(crate) commit_bytes: usize,
    /// How long a commit gathers when there are several writers.
    pub(crate) interval: Duration,
    /// The most bytes that wait, unless one batch alone has more.
    pub(crate) queue_bytes: usize,
}

/// The queue. Writers push, the committer takes.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    gathering: Gathering,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Pending>,
    bytes: usize,
    /// Those of them for which room was taken before.
    reserved: usize,
    rotate: Option<RotateReply>,
    ended: Option<Ended>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Closed,
    Poisoned,
}

impl Ended {
    fn error(self) -> AppendError {
        match self {
            Self::Closed => AppendError::Closed,
            Self::Poisoned => AppendError::Poisoned,
        }
    }
}

impl Queue {
    pub(crate) fn new(gathering: Gathering) -> Self {
        Self { state: Mutex::new(State::default()), changed: Condvar::new(), gathering }
    }

    /// Adds a batch of `bytes` bytes; the answer comes when it has been committed. Those for which room was taken are
    /// never too much, and take nothing of what is spare: what may be taken is bounded where it is.
    pub(crate) fn push(
        &self,
        batch: Batch,
        demand: Demand,
        bytes: usize,
    ) -> Result<oneshot::Receiver<Result<Appended, AppendError>>, AppendError> {
        let mut state = self.state.lock();
        if let Some(ended) = state.ended {
            return Err(ended.error());
        }
        let most = demand.share_of_both(self.gathering.queue_bytes as u64);
        let reserved = if demand.has_spare() { state.reserved } else { 0 };
        let is_over = (state.bytes - reserved + bytes) as u64 > most && !demand.has_reserved();
        if !state.waiting.is_empty() && is_over {
            return Err(AppendError::Overloaded { what: "batches that wait to be committed" });
        }
        let (reply, receiver) = oneshot::channel();
        let is_reserved = demand.has_reserved();
        state.bytes += bytes;
        state.reserved += if is_reserved { bytes } else { 0 };
        state.waiting.push_back(Pending { batch, reply, bytes, is_reserved });
        self.changed.notify_one();
        Ok(receiver)
    }

    /// Asks for a rotation, which goes before the batches that wait. One is asked for at a time.
    pub(crate) fn rotate(&self) -> mpsc::Receiver<Result<Option<Frozen>, EngineError>> {
        let (reply, receiver) = mpsc::sync_channel(1);
        let mut state = self.state.lock();
        match state.ended {
            // A receiver whose sender is gone tells the caller that nothing will rotate any more.
            Some(Ended::Closed) => {}
            Some(Ended::Poisoned) => _ = reply.send(Err(EngineError::Poisoned)),
            None => state.rotate = Some(reply),
        }
        self.changed.notify_one();
        receiver
    }

    /// Waits for something to do. `gather_until` is when a commit is taken even if it could grow; a
    /// commit of `commit_bytes` is taken at once.
    pub(crate) fn next(&self, gather_until: Option<Instant>) -> Next {
        let mut state = self.state.lock();
        loop {
            if let Some(reply) = state.rotate.take() {
                return Next::Rotate(reply);
            }
            let full = state.bytes >= self.gathering.commit_bytes || state.ended.is_some();
            if state.waiting.is_empty() {
                if state.ended.is_some() {
                    return Next::Close;
                }
                self.changed.wait(&mut state);
            } else if let Some(until) = gather_until.filter(|until| !full && *until > Instant::now()) {
                self.changed.wait_until(&mut state, until);
            } else {
                return Next::Commit(self.take(&mut state));
            }
        }
    }

    fn take(&self, state: &mut State) -> Vec<Pending> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(next) = state.waiting.front()
            && (taken.is_empty() || bytes + next.bytes <= self.gathering.commit_bytes)
        {
            bytes += next.bytes;
            state.reserved -= if next.is_reserved { next.bytes } else { 0 };
            taken.extend(state.waiting.pop_front());
        }
        state.bytes -= bytes;
        taken
    }

    /// Takes nothing more; what waits is still committed.
    pub(crate) fn close(&self) {
        self.state.lock().ended.get_or_insert(Ended::Closed);
        self.changed.notify_all();
    }

    /// Takes nothing more and refuses what waits, for ever.
    pub(crate) fn poison(&self) {
        let mut state = self.state.lock();
        state.ended = Some(Ended::Poisoned);
        (state.bytes, state.reserved) = (0, 0);
        for pending in std::mem::take(&mut state.waiting) {
            // A writer that has gone away needs no answer.
            _ = pending.reply.send(Err(AppendError::Poisoned));
        }
        if let Some(reply) = state.rotate.take() {
            _ = reply.send(Err(EngineError::Poisoned));
        }
        self.changed.notify_all();
    }

    pub(crate) fn interval(&self) -> Duration {
        self.gathering.interval
    }
}

#[cfg(test)]
mod tests {
    use store::{Intake, Reservation};

    use super::*;

    fn queue(commit_bytes: usize, queue_bytes: usize) -> Queue {
        Queue::new(Gathering { commit_bytes, interval: Duration::from_millis(5), queue_bytes })
    }

    /// What a batch of rows asks for.
    fn rows() -> Demand {
        Demand::of_rows()
    }

    /// What a batch of samples asks for.
    fn samples() -> Demand {
        let mut batch = Batch::default();
        batch.metrics.push_one(&model::Labels::metric("a", &[]), 1, 1.0);
        Demand::of(&batch, &Intake::Usual)
    }

    fn taken(queue: &Queue) -> usize {
        match queue.next(None) {
            Next::Commit(group) => group.len(),
            Next::Rotate(_) | Next::Close => 0,
        }
    }

    #[test]
    fn commits_are_bounded_and_a_batch_larger_than_the_bound_goes_alone() {
        let queue = queue(10, 1000);
        for bytes in [4, 4, 4, 50, 1] {
            queue.push(Batch::default(), rows(), bytes).expect("room");
        }
        assert_eq!([taken(&queue), taken(&queue), taken(&queue), taken(&queue)], [2, 1, 1, 1]);
    }

    #[test]
    fn a_full_queue_refuses_and_an_empty_one_takes_even_a_large_batch() {
        let queue = queue(10, 10);
        queue.push(Batch::default(), rows(), 500).expect("the queue was empty");
        let refused = queue.push(Batch::default(), rows(), 1);
        assert!(matches!(refused, Err(AppendError::Overloaded { .. })));
        assert_eq!(taken(&queue), 1);
        queue.push(Batch::default(), rows(), 1).expect("room again");
    }

    #[test]
    fn a_queue_full_of_rows_takes_samples_and_rows_for_which_room_was_taken() {
        let queue = queue(10, 80);
        let push = |demand: Demand, bytes| queue.push(Batch::default(), demand, bytes).is_ok();
        assert!(push(rows(), 60) && !push(rows(), 1));
        assert!(push(samples(), 10) && !push(samples(), 1));
        let reserved = Intake::Reserved(std::sync::Arc::new(Reservation::boundless()));
        assert!(push(Demand::of(&Batch::default(), &Intake::Spare), 10), "what is spare");
        assert!(push(Demand::of(&Batch::default(), &reserved), 500));
        assert!(!push(rows(), 1) && !push(samples(), 1));
        assert!(!push(Demand::of(&Batch::default(), &Intake::Spare), 1), "it was used up before");
    }

    #[test]
    fn rows_for_which_room_was_taken_leave_what_is_spare_to_those_who_have_a_right_to_it() {
        let queue = queue(10, 80);
        let push = |intake: &Intake, bytes| {
            queue.push(Batch::default(), Demand::of(&Batch::default(), intake), bytes).is_ok()
        };
        let reserved = Intake::Reserved(std::sync::Arc::new(Reservation::boundless()));
        assert!(push(&reserved, 500) && push(&reserved, 500) && !push(&Intake::Usual, 1));
        assert!(push(&Intake::Spare, 10), "they take nothing of it");
        assert_eq!((taken(&queue), taken(&queue)), (1, 1));
        assert!(push(&Intake::Usual, 1), "and no more once they are taken");
    }

    #[test]
    fn closing_commits_what_waits_and_poisoning_refuses_it() {
        let closed = queue(10, 10);
        closed.push(Batch::default(), rows(), 1).expect("open");
        closed.close();
        assert!(matches!(closed.push(Batch::default(), rows(), 1), Err(AppendError::Closed)));
        assert_eq!(taken(&closed), 1);
        assert!(matches!(closed.next(None), Next::Close));

        let poisoned = queue(10, 10);
        let mut waiting = poisoned.push(Batch::default(), rows(), 1).expect("open");
        poisoned.poison();
        assert!(matches!(waiting.try_recv(), Ok(Err(AppendError::Poisoned))));
        assert!(matches!(poisoned.push(Batch::default(), rows(), 1), Err(AppendError::Poisoned)));
        assert!(matches!(poisoned.rotate().recv(), Ok(Err(EngineError::Poisoned))));
        assert!(matches!(poisoned.next(None), Next::Close));
    }
}

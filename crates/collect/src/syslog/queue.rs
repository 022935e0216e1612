//! Messages that wait to be stored, within a bound of bytes.

use std::net::IpAddr;
use std::sync::Arc;

use model::{ByteSize, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::metrics::{Dropped, Metrics, Transport};

/// What a message takes beside its bytes; so even empty ones have a bound.
const MESSAGE_BYTES: usize = 256;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) bytes: Vec<u8>,
    pub(super) time: Timestamp,
    pub(super) peer: IpAddr,
    pub(super) is_cut: bool,
    pub(super) transport: Transport,
    /// The room that it takes until it is stored.
    _room: OwnedSemaphorePermit,
}

/// The end of the queue that messages come out of.
pub(super) type Messages = mpsc::UnboundedReceiver<Queued>;

/// The queue. Its bound is the room that each transport has, so that a flood over one leaves the other its own.
pub(super) fn channel() -> (mpsc::UnboundedSender<Queued>, Messages) {
    mpsc::unbounded_channel()
}

/// The end of the queue that one transport puts messages into.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    transport: Transport,
    room: Arc<Semaphore>,
    all_room: u32,
    sender: mpsc::UnboundedSender<Queued>,
    metrics: Metrics,
}

impl Queue {
    pub(super) fn new(
        transport: Transport,
        max: ByteSize,
        sender: mpsc::UnboundedSender<Queued>,
        metrics: Metrics,
    ) -> Self {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let all_room = u32::try_from(max.0).unwrap_or(u32::MAX).min(most).max(1);
        let room = Arc::new(Semaphore::new(all_room as usize));
        Self { transport, room, all_room, sender, metrics }
    }

    /// Puts a message into the queue, or drops it when there is no room.
    pub(super) fn offer(&self, bytes: &[u8], peer: IpAddr, is_cut: bool) {
        self.metrics.came(self.transport, bytes.len(), is_cut);
        match Arc::clone(&self.room).try_acquire_many_owned(self.cost(bytes.len())) {
            Ok(room) => self.send(bytes.to_vec(), peer, is_cut, room),
            Err(_) => self.metrics.dropped(self.transport, Dropped::QueueFull),
        }
    }

    /// Puts a message into the queue once there is room.
    pub(super) async fn put(&self, bytes: Vec<u8>, peer: IpAddr, is_cut: bool) {
        self.metrics.came(self.transport, bytes.len(), is_cut);
        match Arc::clone(&self.room).acquire_many_owned(self.cost(bytes.len())).await {
            Ok(room) => self.send(bytes, peer, is_cut, room),
            // Nobody closes it.
            Err(_) => self.metrics.dropped(self.transport, Dropped::QueueFull),
        }
    }

    fn send(&self, bytes: Vec<u8>, peer: IpAddr, is_cut: bool, room: OwnedSemaphorePermit) {
        let (time, transport) = (Timestamp::now(), self.transport);
        let message = Queued { bytes, time, peer: peer.to_canonical(), is_cut, transport, _room: room };
        if self.sender.send(message).is_err() {
            self.metrics.dropped(self.transport, Dropped::NotStored);
        }
    }

    /// The room that a message takes; one that is larger than all of it takes all.
    fn cost(&self, bytes: usize) -> u32 {
        u32::try_from(bytes + MESSAGE_BYTES).unwrap_or(u32::MAX).min(self.all_room)
    }
}

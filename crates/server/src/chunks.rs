//! Bodies that are sent while they are made.
//!
//! One blocking thread makes them, and waits when the client takes no more; what is made and not taken
//! yet is a few chunks. It ends when the client goes away, stands still or is too slow. A body that is not
//! finished breaks off: one that ended as if it were whole would be taken for it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::body::{Body, Bytes};
use futures::stream::{self, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use crate::serve::READ_TIMEOUT;

/// Bytes that are sent at once.
pub(crate) const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that are made and not taken yet.
const CHUNKS: usize = 4;

/// A body, and where what it consists of is put. At `stop` it breaks off; after `deadline` its client is not waited
/// for.
pub(crate) fn body(stop: CancellationToken, deadline: Option<Instant>) -> (Chunks, Body) {
    let (chunks, taken) = mpsc::channel(CHUNKS);
    let is_whole = Arc::new(AtomicBool::new(false));
    let sent = Sent { taken, is_whole: Arc::clone(&is_whole), stop };
    let sent = stream::unfold(Some(sent), |sent| async {
        let mut sent = sent?;
        match sent.next().await {
            Ok(chunk) => Some((Ok(chunk?), Some(sent))),
            Err(error) => Some((Err(error), None)),
        }
    });
    // Whoever packs it asks once more after its end.
    (Chunks { made: Vec::new(), chunks, is_whole, deadline }, Body::from_stream(sent.fuse()))
}

/// What is sent.
struct Sent {
    taken: mpsc::Receiver<Bytes>,
    is_whole: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Sent {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match self.stop.run_until_cancelled(self.taken.recv()).await {
            Some(Some(chunk)) => Ok(Some(chunk)),
            Some(None) if self.is_whole.load(Ordering::Acquire) => Ok(None),
            Some(None) => Err(io::Error::other("it is not whole")),
            None => Err(io::Error::other("the server is stopping")),
        }
    }
}

/// An output that hands chunks to whoever sends them, and waits while there are too many. Its thread must
/// be one that may block.
pub(crate) struct Chunks {
    made: Vec<u8>,
    chunks: mpsc::Sender<Bytes>,
    is_whole: Arc<AtomicBool>,
    /// Until when the client may take it.
    deadline: Option<Instant>,
}

impl Chunks {
    /// Who takes them.
    pub(crate) fn client(&self) -> Client {
        Client(self.chunks.clone())
    }

    /// Hands over a chunk that was made elsewhere.
    pub(crate) fn put(&mut self, chunk: Vec<u8>) -> io::Result<()> {
        self.send()?;
        self.hand_over(chunk)
    }

    /// The body is whole.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.send()?;
        self.is_whole.store(true, Ordering::Release);
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        let chunk = std::mem::take(&mut self.made);
        if chunk.is_empty() { Ok(()) } else { self.hand_over(chunk) }
    }

    /// A connection that takes nothing ends by itself; one that takes a little now and then ends here.
    fn hand_over(&self, chunk: Vec<u8>) -> io::Result<()> {
        let patience = Instant::now() + READ_TIMEOUT;
        let until = self.deadline.map_or(patience, |deadline| deadline.min(patience));
        match Handle::current().block_on(timeout_at(until.into(), self.chunks.send(chunk.into()))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client is too slow")),
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK_BYTES);
        if self.made.capacity() == 0 {
            self.made.reserve_exact(CHUNK_BYTES * 2);
        }
        self.made.extend_from_slice(&bytes[..taken]);
        if self.made.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who takes the chunks of a body.
pub(crate) struct Client(mpsc::Sender<Bytes>);

impl Client {
    pub(crate) fn has_gone(&self) -> bool {
        self.0.is_closed()
    }
}

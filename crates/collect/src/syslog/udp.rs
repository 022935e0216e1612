//! Messages over UDP: one a datagram.

use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::queue::Queue;

/// The longest message that is taken; no datagram is longer.
const MAX_MESSAGE: usize = 64 << 10;
/// How long to wait after an error of the socket.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes messages until `stop`.
pub(super) async fn receive(socket: UdpSocket, queue: Queue, stop: CancellationToken) {
    let mut buffer = vec![0; MAX_MESSAGE + 1];
    while let Some(received) = stop.run_until_cancelled(socket.recv_from(&mut buffer)).await {
        match received {
            Ok((0, _)) => {}
            Ok((length, peer)) => {
                let message = &buffer[..length.min(MAX_MESSAGE)];
                queue.offer(message, peer.ip(), length > MAX_MESSAGE);
            }
            Err(error) => {
                tracing::warn!(%error, "a message of syslog could not be received");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

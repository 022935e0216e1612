//! A line to a server that can be made to fail: each connection carries one request, as the server of
//! moto has it, and is treated as the line says at its beginning.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use parking_lot::Mutex;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes through.
    Pass,
    /// It is answered with this status, and never arrives.
    Answer(u16),
    /// It is cut off in the middle of its body.
    Cut,
    /// It is never answered.
    Stall,
}

/// Decides by the first line of a request.
pub(super) type Decide = Box<dyn Fn(&str) -> Fate + Send>;

pub(super) struct Line {
    pub(super) url: String,
    decide: Arc<Mutex<Decide>>,
    /// Requests that did not pass.
    pub(super) failed: Arc<AtomicU32>,
}

impl Line {
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let decide: Arc<Mutex<Decide>> = Arc::new(Mutex::new(Box::new(|_| Fate::Pass)));
        let failed = Arc::new(AtomicU32::new(0));
        let (decides, fails) = (Arc::clone(&decide), Arc::clone(&failed));
        // It ends with the process of the test.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (decides, fails) = (Arc::clone(&decides), Arc::clone(&fails));
                // A connection that breaks is what a line is for.
                thread::spawn(move || drop(carry(client, port, &decides, &fails)));
            }
        });
        Self { url, decide, failed }
    }

    pub(super) fn decide(&self, decide: impl Fn(&str) -> Fate + Send + 'static) {
        *self.decide.lock() = Box::new(decide);
    }
}

fn carry(
    mut client: TcpStream,
    port: u16,
    decide: &Mutex<Decide>,
    failed: &AtomicU32,
) -> std::io::Result<()> {
    let mut begun = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !begun.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = client.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        begun.extend_from_slice(&buffer[..read]);
    }
    let line = String::from_utf8_lossy(&begun).lines().next().unwrap_or_default().to_owned();
    let fate = decide.lock()(&line);
    if fate != Fate::Pass {
        failed.fetch_add(1, Ordering::SeqCst);
    }
    match fate {
        Fate::Answer(status) => {
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            client.write_all(answer.as_bytes())?;
            client.shutdown(Shutdown::Write)?;
            // What still comes is read, so that the answer is not lost in a reset.
            while client.read(&mut buffer)? > 0 {}
            return Ok(());
        }
        Fate::Stall => {
            while client.read(&mut buffer)? > 0 {}
            return Ok(());
        }
        Fate::Pass | Fate::Cut => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    server.write_all(&begun)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    let answering = thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut carried = begun.len();
    loop {
        let read = client.read(&mut buffer).unwrap_or(0);
        if read == 0 {
            break;
        }
        server.write_all(&buffer[..read])?;
        carried += read;
        if fate == Fate::Cut && carried > 1 << 20 {
            server.shutdown(Shutdown::Both)?;
            client.shutdown(Shutdown::Both)?;
            break;
        }
    }
    let _ = answering.join();
    Ok(())
}

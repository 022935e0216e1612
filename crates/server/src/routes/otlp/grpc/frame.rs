//! A message in its frame: a byte that says whether it is compressed, its length in four bytes, and the message.

use axum::body::{Body, Bytes};
use futures::StreamExt;
use ingest::Reason;
use model::ByteSize;

use crate::guard::body::{Gathered, too_large, unreadable};
use crate::guard::packing::Packing;
use crate::problem::{Kind, Problem};
use crate::routes::decode::Refusal;

/// What stands before a message.
pub(super) const HEAD: usize = 5;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Framed {
    /// Whether it is compressed.
    packed: bool,
    /// The message.
    pub(super) message: Bytes,
}

impl Framed {
    /// How this message is compressed, in a call that named `packing`: each message says whether it is.
    pub(super) fn packing(&self, packing: Packing) -> Result<Packing, Refusal> {
        match (self.packed, packing) {
            (false, _) => Ok(Packing::Plain),
            (true, Packing::Plain) => {
                Err(malformed("the message is marked as compressed, and `grpc-encoding` does not say how"))
            }
            (true, packing) => Ok(packing),
        }
    }
}

/// Reads the one message of a call. What announces itself as larger than `bound` is refused at once, and never held.
pub(super) async fn read(body: Body, bound: ByteSize) -> Result<Framed, Refusal> {
    let mut chunks = body.into_data_stream();
    let mut gathered = Gathered::default();
    let mut head = None;
    while let Some(chunk) = chunks.next().await {
        gathered.push(&chunk.map_err(|error| broken_off(unreadable(&error)))?);
        if head.is_none() {
            head = Head::of(gathered.bytes(), bound)?;
            gathered.announce(head.map_or(0, |head| (HEAD + head.length) as u64));
        }
        if head.is_some_and(|head| gathered.bytes().len() - HEAD > head.length) {
            return Err(malformed("there is more than one message in the call"));
        }
    }
    match head {
        Some(Head { packed, length }) if gathered.bytes().len() == HEAD + length => {
            Ok(Framed { packed, message: gathered.into_bytes().slice(HEAD..) })
        }
        _ => Err(malformed("the message broke off")),
    }
}

/// How a message that did not come whole is counted.
fn broken_off(problem: Problem) -> Refusal {
    let reason = if problem.kind() == Kind::Overloaded { Reason::Overloaded } else { Reason::Malformed };
    (reason, problem)
}

/// What stands before a message.
#[derive(Clone, Copy)]
struct Head {
    packed: bool,
    length: usize,
}

impl Head {
    /// `None` while it has not come whole.
    fn of(bytes: &[u8], bound: ByteSize) -> Result<Option<Self>, Refusal> {
        let Some(([flag, length @ ..], _)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length);
        if u64::from(length) > bound.0 {
            return Err((Reason::TooLarge, too_large(bound)));
        }
        let packed = match flag {
            0 => false,
            1 => true,
            _ => return Err(malformed("its first byte is neither 0 nor 1")),
        };
        // Of a machine whose addresses are shorter nobody would ask for so much.
        Ok(usize::try_from(length).ok().map(|length| Self { packed, length }))
    }
}

fn malformed(what: &str) -> Refusal {
    (Reason::Malformed, Problem::new(Kind::BadBody, format!("Nothing was stored: {what}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(flag: u8, length: u32, message: &[u8]) -> Vec<u8> {
        [&[flag][..], &length.to_be_bytes(), message].concat()
    }

    async fn read_in_parts(bytes: &[u8], size: usize) -> Result<Framed, Refusal> {
        let parts: Vec<Result<Vec<u8>, std::io::Error>> =
            bytes.chunks(size).map(|part| Ok(part.to_vec())).collect();
        read(Body::from_stream(futures::stream::iter(parts)), ByteSize(100)).await
    }

    #[tokio::test]
    async fn a_message_is_read_however_it_is_cut_on_the_way() {
        for size in [1, 3, 5, 7, 64] {
            let framed = read_in_parts(&frame(1, 11, b"the message"), size).await.expect("a message");
            assert_eq!((framed.packed, &framed.message[..]), (true, &b"the message"[..]), "{size}");
        }
        let empty = read_in_parts(&frame(0, 0, b""), 64).await.expect("a message of no bytes");
        assert!(!empty.packed && empty.message.is_empty());
    }

    #[tokio::test]
    async fn what_is_no_frame_or_too_large_is_refused() {
        let cases = [
            (Vec::new(), "broke off"),
            (vec![0, 0, 0], "broke off"),
            (frame(0, 5, b"four"), "broke off"),
            (frame(0, 3, b"four"), "more than one message"),
            (frame(2, 4, b"four"), "neither 0 nor 1"),
            (frame(0, 101, b""), "100B at the most"),
            (frame(0, u32::MAX, b""), "100B at the most"),
        ];
        for (bytes, expected) in cases {
            let (_, problem) = read_in_parts(&bytes, 64).await.expect_err("refused");
            assert!(problem.detail().contains(expected), "{bytes:?}: {problem:?}");
        }
    }

    #[test]
    fn a_message_says_itself_whether_it_is_compressed() {
        let framed = |packed| Framed { packed, message: Bytes::new() };
        assert_eq!(framed(false).packing(Packing::Gzip).expect("plain"), Packing::Plain);
        assert_eq!(framed(true).packing(Packing::Zstd).expect("packed"), Packing::Zstd);
        let (_, problem) = framed(true).packing(Packing::Plain).expect_err("how is not said");
        assert!(problem.detail().contains("does not say how"), "{problem:?}");
    }
}

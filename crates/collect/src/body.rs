//! The body of an answer, piece by piece, to what its server takes for its end.

use std::error::Error;
use std::io;
use std::ops::Deref;

use reqwest::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use reqwest::{Response, Version};

use crate::probes::plain;

/// The next bytes of a body; nothing at its end.
///
/// A body whose length nobody tells ends with its connection. Over TLS a server says so before it closes, and many do
/// not (Python's is one). That it was not said is passed over, as Prometheus does by Go: what was cut off on its way is
/// noticed where the body has an end of its own (OpenMetrics, gzip, JSON), and elsewhere no more than without TLS.
pub(crate) async fn next_chunk(
    response: &mut Response,
) -> Result<Option<impl Deref<Target = [u8]>>, reqwest::Error> {
    match response.chunk().await {
        Err(error) if ends_with_connection(response) && is_cut_off(&error) => Ok(None),
        read => read,
    }
}

/// Why the rest of a body did not come.
pub(crate) fn why_broken_off(error: &reqwest::Error) -> String {
    if is_cut_off(error) {
        "the connection was closed before the answer was whole".to_owned()
    } else {
        plain(error)
    }
}

fn ends_with_connection(response: &Response) -> bool {
    let headers = response.headers();
    response.version() < Version::HTTP_2
        && !headers.contains_key(CONTENT_LENGTH)
        && !headers.contains_key(TRANSFER_ENCODING)
}

/// Whether bytes ended where more had to come.
fn is_cut_off(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::UnexpectedEof;
        }
        cause = error.source();
    }
    false
}

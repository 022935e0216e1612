//! Why something failed, in plain words. The libraries' own texts name error numbers, their types, and
//! addresses with whatever secrets stand in them.

use std::error::Error;
use std::io;

use crate::trust::Fault;

/// The reason behind `error`, from the cause that says most.
pub(crate) fn plain(error: &(dyn Error + 'static)) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut innermost = error;
    while let Some(error) = cause {
        innermost = error;
        if let Some(error) = error.downcast_ref::<io::Error>() {
            if let Some(inner) = wrapped_tls(error) {
                return of_tls(inner);
            }
            if let Some(reason) = of_io(error) {
                return reason;
            }
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return of_tls(error);
        }
        cause = error.source();
    }
    of_text(&innermost.to_string())
}

/// The TLS error in one of input or output, which may lie in another: none of them is a source of the one around it.
fn wrapped_tls(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| wrapped_tls(inner.downcast_ref()?))
}

/// The reason of an input or output error.
pub(super) fn of_io(error: &io::Error) -> Option<String> {
    let reason = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            "the connection was broken off"
        }
        io::ErrorKind::UnexpectedEof => "the connection was closed before there was an answer",
        io::ErrorKind::TimedOut => "no answer in time",
        io::ErrorKind::HostUnreachable => "the host cannot be reached",
        io::ErrorKind::NetworkUnreachable => "the network cannot be reached",
        io::ErrorKind::PermissionDenied => "the system does not allow it",
        io::ErrorKind::NotFound => "there is no such file",
        _ => return None,
    };
    Some(reason.to_owned())
}

/// What a library says of bytes that break the rules of their protocol. Its words are those of who
/// wrote it, and need the name of the protocol beside them.
pub(super) fn malformed(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let bytes = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
                // A message that never became whole before the end.
                || error.to_string() == "bytes remaining on stream";
            return (bytes && wrapped_tls(error).is_none()).then(|| error.to_string());
        }
        cause = error.source();
    }
    None
}

fn of_tls(error: &rustls::Error) -> String {
    if let Some(fault) = Fault::of(error) {
        return fault.to_string();
    }
    match error {
        rustls::Error::InvalidCertificate(_) => format!("the certificate is not accepted: {error}"),
        rustls::Error::InvalidMessage(_) => "what answers does not speak TLS".to_owned(),
        rustls::Error::AlertReceived(alert) => format!("the server broke off the TLS handshake ({alert:?})"),
        other => format!("the TLS handshake failed: {other}"),
    }
}

/// What remains is known by its text alone.
fn of_text(text: &str) -> String {
    if text.contains("failed to lookup address") || text.contains("Name or service not known") {
        return "the name of the host is not known".to_owned();
    }
    if text.contains("head is too large") {
        return "the headers of the answer are too large or too many".to_owned();
    }
    if text.contains("before message completed") || text.contains("unexpected EOF") {
        return "the connection was closed before there was an answer".to_owned();
    }
    if let Some(what) = text.strip_prefix("invalid peer certificate: ") {
        return format!("the certificate is not accepted: {what}");
    }
    if text.starts_with("invalid HTTP") {
        return "what answers does not speak HTTP".to_owned();
    }
    if text.ends_with(" parsed") {
        return format!("what answers is not valid HTTP ({text})");
    }
    text.to_owned()
}

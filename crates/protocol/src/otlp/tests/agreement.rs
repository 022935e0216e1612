//! Whatever another implementation writes is read as it was meant, and the same from either encoding.

use proptest::prelude::*;
use prost::Message;

use super::{Heard, Signal, generated, heard, oracle};
use crate::otlp::Encoding;

fn check<M: Message + serde::Serialize>(
    signal: Signal,
    request: &M,
    expected: &Heard,
) -> Result<(), TestCaseError> {
    let of_protobuf = heard(signal, Encoding::Protobuf, &request.encode_to_vec());
    prop_assert_eq!(of_protobuf.as_ref(), Ok(expected));
    let json = serde_json::to_vec(request).expect("any message can be written as JSON");
    let of_json = heard(signal, Encoding::Json, &json);
    prop_assert_eq!(of_json.as_ref(), Ok(expected), "{}", String::from_utf8_lossy(&json));
    Ok(())
}

proptest! {
    #[test]
    fn logs_are_heard_as_they_were_meant_in_both_encodings(request in generated::logs()) {
        check(Signal::Logs, &request, &oracle::of_logs(&request))?;
    }

    #[test]
    fn traces_are_heard_as_they_were_meant_in_both_encodings(request in generated::traces()) {
        check(Signal::Traces, &request, &oracle::of_traces(&request))?;
    }

    #[test]
    fn metrics_are_heard_as_they_were_meant_in_both_encodings(request in generated::metrics()) {
        check(Signal::Metrics, &request, &oracle::of_metrics(&request))?;
    }
}

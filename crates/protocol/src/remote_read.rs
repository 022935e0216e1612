//! Prometheus remote read: which samples somebody asks for, and those samples as they are answered: as a snappy block
//! of one protobuf message, as the request is, or as a stream of chunks ([`put_series`]). Field numbers are those of
//! `prompb` (<https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/>).

mod streamed;

use model::{Histograms, LabelsRef, Sample};
use prost::Message;

use crate::remote_write::TimeSeries;

pub use streamed::{CONTENT_TYPE as STREAM_TYPE, put_series};

/// The most queries of one request.
const MAX_QUERIES: usize = 64;
/// The most matchers of one query.
const MAX_MATCHERS: usize = 256;

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// Each is answered by itself, in their order.
    pub queries: Vec<Query>,
    /// How the answer is wanted: the first that is known of those that are understood.
    pub answer: Option<AnswerType>,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerType {
    /// `SAMPLES`: all of it in one message.
    Samples,
    /// `STREAMED_XOR_CHUNKS`: frames of chunks.
    Chunks,
}

/// Samples of series between two times, both included.
#[derive(Debug)]
pub struct Query {
    /// In milliseconds since the epoch.
    pub start_ms: i64,
    /// In milliseconds since the epoch.
    pub end_ms: i64,
    /// All of them must hold.
    pub matchers: Vec<LabelMatcher>,
}

/// A condition on a label.
#[derive(Debug)]
pub struct LabelMatcher {
    /// The label's name.
    pub name: String,
    /// How it compares.
    pub kind: MatchKind,
    /// A value or a pattern.
    pub value: String,
}

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKind {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// A request that is none.
#[derive(Debug, thiserror::Error)]
pub enum RemoteReadError {
    /// It would be too large when decompressed.
    #[error("the request holds {declared} bytes, at most {limit} are taken")]
    TooLarge {
        /// The size that it declares.
        declared: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no snappy block.
    #[error("the request is not a snappy block (not the framed format)")]
    Snappy(#[source] snap::Error),
    /// It is no `prometheus.ReadRequest`.
    #[error("the request is not a prometheus.ReadRequest")]
    Protobuf(#[source] prost::DecodeError),
    /// It asks for too much, or for what there is not.
    #[error("{0}")]
    Query(String),
}

/// `prometheus.ReadRequest`
#[derive(Clone, PartialEq, prost::Message)]
struct WireRequest {
    #[prost(message, repeated, tag = "1")]
    queries: Vec<WireQuery>,
    /// 0: samples, 1: a stream of chunks.
    #[prost(int32, repeated, tag = "2")]
    accepted_response_types: Vec<i32>,
}

/// `prometheus.Query`; hints are passed over.
#[derive(Clone, PartialEq, prost::Message)]
struct WireQuery {
    #[prost(int64, tag = "1")]
    start_timestamp_ms: i64,
    #[prost(int64, tag = "2")]
    end_timestamp_ms: i64,
    #[prost(message, repeated, tag = "3")]
    matchers: Vec<WireMatcher>,
}

/// `prometheus.LabelMatcher`
#[derive(Clone, PartialEq, prost::Message)]
struct WireMatcher {
    #[prost(int32, tag = "1")]
    r#type: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    value: String,
}

/// `prometheus.ReadResponse`
#[derive(Clone, PartialEq, prost::Message)]
struct WireResponse {
    #[prost(message, repeated, tag = "1")]
    results: Vec<WireResult>,
}

/// `prometheus.QueryResult`
#[derive(Clone, PartialEq, prost::Message)]
struct WireResult {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// Takes a request apart. `limit` bounds its decompressed size, in bytes.
pub fn decode(bytes: &[u8], limit: usize) -> Result<Request, RemoteReadError> {
    let declared = snap::raw::decompress_len(bytes).map_err(RemoteReadError::Snappy)?;
    if declared > limit {
        return Err(RemoteReadError::TooLarge { declared, limit });
    }
    let plain = snap::raw::Decoder::new().decompress_vec(bytes).map_err(RemoteReadError::Snappy)?;
    let request = WireRequest::decode(plain.as_slice()).map_err(RemoteReadError::Protobuf)?;
    if request.queries.len() > MAX_QUERIES {
        return Err(RemoteReadError::Query(format!("more than {MAX_QUERIES} queries: ask in parts")));
    }
    let known = |number: &i32| match number {
        0 => Some(AnswerType::Samples),
        1 => Some(AnswerType::Chunks),
        _ => None,
    };
    let answer = match request.accepted_response_types.as_slice() {
        [] => Some(AnswerType::Samples),
        understood => understood.iter().find_map(known),
    };
    let queries = request.queries.into_iter().map(query).collect::<Result<_, _>>()?;
    Ok(Request { queries, answer })
}

fn query(wire: WireQuery) -> Result<Query, RemoteReadError> {
    let WireQuery { start_timestamp_ms: start_ms, end_timestamp_ms: end_ms, matchers } = wire;
    if matchers.len() > MAX_MATCHERS {
        return Err(RemoteReadError::Query(format!("a query has more than {MAX_MATCHERS} matchers")));
    }
    let matcher = |wire: WireMatcher| {
        let kind = match wire.r#type {
            0 => MatchKind::Equal,
            1 => MatchKind::NotEqual,
            2 => MatchKind::Regex,
            3 => MatchKind::NotRegex,
            other => return Err(RemoteReadError::Query(format!("there is no type {other} of a matcher"))),
        };
        Ok(LabelMatcher { name: wire.name, kind, value: wire.value })
    };
    Ok(Query { start_ms, end_ms, matchers: matchers.into_iter().map(matcher).collect::<Result<_, _>>()? })
}

/// An answer as it grows.
#[derive(Default)]
pub struct Response {
    response: WireResponse,
    bytes: usize,
}

impl Response {
    /// Begins the answer to the next query.
    pub fn next_query(&mut self) {
        self.response.results.push(WireResult::default());
    }

    /// Adds a series to the answer that was begun last. Staleness markers go along, as values.
    pub fn push(
        &mut self,
        labels: LabelsRef<'_>,
        samples: impl Iterator<Item = Sample>,
        histograms: &Histograms,
    ) {
        let mut series = TimeSeries::of(labels);
        samples.for_each(|sample| series.push(sample, histograms));
        self.bytes += series.encoded_len();
        if let Some(result) = self.response.results.last_mut() {
            result.timeseries.push(series);
        }
    }

    /// Bytes of all series as they are sent, before they are compressed.
    pub fn size_bytes(&self) -> usize {
        self.bytes
    }

    /// The answer as it is sent, the series of each query sorted; nothing when it is larger than a snappy block can be.
    pub fn encode(mut self) -> Option<Vec<u8>> {
        self.response.results.iter_mut().for_each(|result| result.timeseries.sort_by(TimeSeries::by_labels));
        snap::raw::Encoder::new().compress_vec(&self.response.encode_to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use model::{Histogram, Labels, MetricBatch};

    use super::*;

    fn packed(message: &impl Message) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(&message.encode_to_vec()).expect("small")
    }

    #[test]
    fn a_request_is_read_as_the_protocol_defines_it() {
        // One query from 5 to 10 of `__name__="up"` and `job!~"a"`; both kinds of answers are taken, chunks rather.
        let message = [
            &b"\x0a\x20\x08\x05\x10\x0a"[..],
            b"\x1a\x0e\x12\x08__name__\x1a\x02up",
            b"\x1a\x0a\x08\x03\x12\x03job\x1a\x01a",
            b"\x10\x01\x10\x00",
        ]
        .concat();
        let request = decode(&snap::raw::Encoder::new().compress_vec(&message).expect("small"), 1 << 20);
        let request = request.expect("a request");
        let [query] = request.queries.as_slice() else { panic!("one query: {request:?}") };
        assert_eq!((query.start_ms, query.end_ms, request.answer), (5, 10, Some(AnswerType::Chunks)));
        let matchers: Vec<_> =
            query.matchers.iter().map(|one| (one.name.as_str(), one.kind, one.value.as_str())).collect();
        assert_eq!(matchers, [("__name__", MatchKind::Equal, "up"), ("job", MatchKind::NotRegex, "a")]);
    }

    #[test]
    fn the_answer_is_of_the_first_type_that_is_known() {
        let wants = |types: &[i32]| {
            let request = WireRequest { queries: Vec::new(), accepted_response_types: types.to_vec() };
            decode(&packed(&request), 1 << 20).expect("a request").answer
        };
        let (samples, chunks) = (Some(AnswerType::Samples), Some(AnswerType::Chunks));
        assert_eq!((wants(&[]), wants(&[0]), wants(&[0, 1])), (samples, samples, samples));
        assert_eq!((wants(&[1]), wants(&[1, 0]), wants(&[7, 1])), (chunks, chunks, chunks));
        assert_eq!(wants(&[7]), None);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        assert!(matches!(decode(b"", 10), Err(RemoteReadError::Snappy(_))));
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(matches!(decode(&bomb, 10), Err(RemoteReadError::TooLarge { .. })));
        let matcher = WireMatcher { r#type: 4, name: "a".into(), value: "b".into() };
        let query = WireQuery { matchers: vec![matcher], ..WireQuery::default() };
        let request = WireRequest { queries: vec![query], accepted_response_types: Vec::new() };
        assert!(matches!(decode(&packed(&request), 1 << 20), Err(RemoteReadError::Query(_))));
        let many =
            WireRequest { queries: vec![WireQuery::default(); 65], accepted_response_types: Vec::new() };
        assert!(matches!(decode(&packed(&many), 1 << 20), Err(RemoteReadError::Query(_))));
    }

    #[test]
    fn an_answer_has_numbers_and_histograms() {
        let mut batch = MetricBatch::new();
        let value =
            batch.histogram(&Histogram { count: 2.0, zero_count: 2.0, sum: 1.0, ..Histogram::default() });
        let labels = Labels::metric("up", &[]);
        let samples = [Sample { time_ms: 1, value: 1.0 }, Sample { time_ms: 2, value }];
        let mut response = Response::default();
        response.next_query();
        response.push(labels.as_ref(), samples.into_iter(), batch.histograms());
        response.next_query();
        response.push(Labels::metric("b", &[]).as_ref(), std::iter::empty(), batch.histograms());
        response.push(Labels::metric("a", &[("z", "1")]).as_ref(), std::iter::empty(), batch.histograms());
        let plain =
            snap::raw::Decoder::new().decompress_vec(&response.encode().expect("small")).expect("snappy");
        let back = WireResponse::decode(plain.as_slice()).expect("a response");
        let sent = &back.results[0].timeseries[0];
        assert!(format!("{sent:?}").contains("count_int: Some(2)"), "{sent:?}");
        let second = &back.results[1].timeseries;
        assert!(second[0].by_labels(&second[1]).is_lt(), "they are sorted");
        assert_eq!(back.results.len(), 2);
        assert_eq!((back.results[0].timeseries.len(), back.results[1].timeseries.len()), (1, 2));
    }
}

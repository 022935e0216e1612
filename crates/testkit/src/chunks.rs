//! Streams of chunks read back, as remote read sends them: bit by bit after Prometheus' description, so that a fault in
//! our encoder is not repeated in its tests. Bytes that are no such stream are a panic.

use anyhow::{Context, Result, ensure};

use crate::protobuf::{Field, Message, fields};

/// A frame of a stream: chunks of one series.
#[derive(Debug)]
pub struct Frame {
    /// Bytes of its message.
    pub bytes: usize,
    /// The place of the query that it answers.
    pub query: u64,
    /// The labels of the series, as they were sent.
    pub labels: Vec<(String, String)>,
    /// Its chunks.
    pub chunks: Vec<Chunk>,
}

/// A chunk as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// 1: numbers, 2: histograms of whole counts, 3: other histograms.
    pub encoding: u64,
    /// The times that it is said to begin and end with.
    pub times_ms: (i64, i64),
    /// Its bytes.
    pub data: Vec<u8>,
}

/// A sample of a chunk.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, by its bits: NaNs are equal when these are.
    Number(u64),
    /// A histogram.
    Histogram(Histogram),
}

/// A histogram of a chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Whether its counts were sent as whole numbers.
    pub is_whole: bool,
    /// What the header says of resets in front of the chunk: 0 nothing, 1 there was none, 2 there was one, 3 gauges.
    pub header: u64,
    /// The schema.
    pub schema: i64,
    /// The threshold of the zero bucket.
    pub zero_threshold: f64,
    /// All observations, those in the zero bucket, and those in positive and then in negative buckets.
    pub counts: Vec<f64>,
    /// The sum, by its bits.
    pub sum: u64,
    /// Offsets and lengths of positive spans.
    pub positive: Vec<(i64, u64)>,
    /// Offsets and lengths of negative spans.
    pub negative: Vec<(i64, u64)>,
    /// Bounds of its own.
    pub bounds: Vec<f64>,
}

/// A request of remote read that takes nothing but a stream of chunks: of the series of a metric, from one time to
/// another.
pub fn request(metric: &str, start_ms: i64, end_ms: i64) -> Vec<u8> {
    let matcher = Message::new().text(2, "__name__").text(3, metric);
    let query = Message::new().number(1, start_ms.cast_unsigned()).number(2, end_ms.cast_unsigned());
    Message::new().message(1, &query.message(3, &matcher)).number(2, 1).snappy()
}

/// Asks for a stream, and reads it.
pub(crate) async fn read(request: reqwest::RequestBuilder, body: Vec<u8>) -> Result<Vec<Frame>> {
    let request =
        request.header("content-encoding", "snappy").header("content-type", "application/x-protobuf");
    let response = request.body(body).send().await.context("asking for a stream of chunks")?;
    let (status, headers) = (response.status(), response.headers().clone());
    let stream = response.bytes().await.context("reading the stream")?;
    ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(&stream));
    let kind = headers.get("content-type").context("a type")?.to_str()?;
    ensure!(kind == "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", "{kind}");
    Ok(frames(&stream))
}

/// The frames of a stream, their checksums checked.
///
/// # Panics
/// When it is none.
pub fn frames(mut stream: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !stream.is_empty() {
        let mut length = Bits::of(stream);
        let bytes = usize::try_from(length.varint()).expect("a length");
        let (checksum, rest) = stream[length.place / 8..].split_at(4);
        let (message, rest) = rest.split_at(bytes);
        assert_eq!(checksum, crc32c(message).to_be_bytes(), "the checksum of frame {}", frames.len());
        frames.push(frame(message));
        stream = rest;
    }
    frames
}

/// CRC-32C (Castagnoli).
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
}

fn frame(message: &[u8]) -> Frame {
    let mut frame = Frame { bytes: message.len(), query: 0, labels: Vec::new(), chunks: Vec::new() };
    for (number, field) in fields(message) {
        match (number, field) {
            (1, Field::Bytes(series)) => {
                for (number, field) in fields(&series) {
                    match (number, field) {
                        (1, Field::Bytes(label)) => frame.labels.push(label_of(&label)),
                        (2, Field::Bytes(chunk)) => frame.chunks.push(chunk_of(&chunk)),
                        other => panic!("{other:?} in a series"),
                    }
                }
            }
            (2, Field::Number(query)) => frame.query = query,
            other => panic!("{other:?} in a frame"),
        }
    }
    frame
}

fn label_of(message: &[u8]) -> (String, String) {
    let mut label = (String::new(), String::new());
    for (number, field) in fields(message) {
        let Field::Bytes(text) = field else { panic!("{field:?} in a label") };
        *if number == 1 { &mut label.0 } else { &mut label.1 } = String::from_utf8(text).expect("a text");
    }
    label
}

fn chunk_of(message: &[u8]) -> Chunk {
    let mut chunk = Chunk { encoding: 0, times_ms: (0, 0), data: Vec::new() };
    for (number, field) in fields(message) {
        match (number, field) {
            (1, Field::Number(time)) => chunk.times_ms.0 = time.cast_signed(),
            (2, Field::Number(time)) => chunk.times_ms.1 = time.cast_signed(),
            (3, Field::Number(encoding)) => chunk.encoding = encoding,
            (4, Field::Bytes(data)) => chunk.data = data,
            other => panic!("{other:?} in a chunk"),
        }
    }
    chunk
}

impl Chunk {
    /// Its samples.
    ///
    /// # Panics
    /// When its bytes are no chunk of its encoding.
    pub fn samples(&self) -> Vec<(i64, Value)> {
        let mut bits = Bits::of(&self.data);
        let count = bits.take(16);
        let samples = match self.encoding {
            1 => numbers(count, &mut bits),
            2 => histograms(true, count, &mut bits),
            3 => histograms(false, count, &mut bits),
            other => panic!("a chunk of the encoding {other}"),
        };
        // Some writers begin a further byte as soon as one is full.
        assert!(self.data.len() * 8 - bits.place <= 8, "nothing is left but the last byte");
        samples
    }
}

fn numbers(count: u64, bits: &mut Bits<'_>) -> Vec<(i64, Value)> {
    let mut samples = Vec::new();
    let (mut time, mut distance) = (0i64, 0i64);
    let mut value = Xor::default();
    for place in 0..count {
        match place {
            0 => time = bits.signed_varint(),
            1 => distance = bits.varint().cast_signed(),
            _ => distance = distance.wrapping_add(bits.in_class(&[14, 17, 20], true).cast_signed()),
        }
        time = time.wrapping_add(distance);
        value.read(place == 0, bits);
        samples.push((time, Value::Number(value.now)));
    }
    samples
}

fn histograms(is_whole: bool, count: u64, bits: &mut Bits<'_>) -> Vec<(i64, Value)> {
    let header = bits.take(8) >> 6;
    let mut histogram = layout(bits);
    (histogram.is_whole, histogram.header) = (is_whole, header);
    let of_side = |spans: &[(i64, u64)]| spans.iter().map(|(_, length)| *length as usize).sum::<usize>();
    let sides = [of_side(&histogram.positive), of_side(&histogram.negative)];
    let all = BEFORE_SUM + sides[0] + sides[1];
    let (mut time, mut sum) = (Steps::default(), Xor::default());
    let mut counts = match is_whole {
        true => Counts::Whole(vec![Steps::default(); all]),
        false => Counts::Fractions(vec![Xor::default(); all]),
    };
    let mut samples = Vec::new();
    for place in 0..count {
        let is_first = place == 0;
        time.step(bits.signed(), is_first);
        (0..BEFORE_SUM).for_each(|number| counts.read(number, is_first, bits));
        sum.read(is_first, bits);
        (BEFORE_SUM..all).for_each(|number| counts.read(number, is_first, bits));
        histogram.sum = sum.now;
        histogram.counts = counts.now(sides[0]);
        samples.push((time.now, Value::Histogram(histogram.clone())));
    }
    samples
}

/// How many counts stand before the sum: all, and those of zeros.
const BEFORE_SUM: usize = 2;

/// The counts of a histogram, those of buckets behind the two others.
enum Counts {
    /// In buckets: the difference to the bucket before.
    Whole(Vec<Steps>),
    Fractions(Vec<Xor>),
}

impl Counts {
    fn read(&mut self, number: usize, is_first: bool, bits: &mut Bits<'_>) {
        match self {
            Self::Whole(all) if is_first && number < BEFORE_SUM => {
                all[number].step(bits.in_class(&CLASSES, false).cast_signed(), true);
            }
            Self::Whole(all) => all[number].step(bits.signed(), is_first),
            Self::Fractions(all) => all[number].read(is_first, bits),
        }
    }

    fn now(&self, positive: usize) -> Vec<f64> {
        let all = match self {
            Self::Whole(all) => all,
            Self::Fractions(all) => return all.iter().map(|xor| f64::from_bits(xor.now)).collect(),
        };
        let (front, buckets) = all.split_at(BEFORE_SUM);
        let mut counts: Vec<f64> = front.iter().map(|steps| steps.now as f64).collect();
        let (positive, negative) = buckets.split_at(positive);
        for side in [positive, negative] {
            let mut sum = 0;
            counts.extend(side.iter().map(|steps| {
                sum += steps.now;
                sum as f64
            }));
        }
        counts
    }
}

fn layout(bits: &mut Bits<'_>) -> Histogram {
    let zero_threshold = match bits.take(8) {
        0 => 0.0,
        255 => f64::from_bits(bits.take(64)),
        exponent => 2f64.powi(exponent as i32 - 244),
    };
    let schema = bits.signed();
    let mut spans = || -> Vec<(i64, u64)> {
        let count = bits.in_class(&CLASSES, false);
        let span = |_| {
            let length = bits.in_class(&CLASSES, false);
            (bits.signed(), length)
        };
        (0..count).map(span).collect()
    };
    let (positive, negative) = (spans(), spans());
    let bounds = if schema == -53 { bits.in_class(&CLASSES, false) } else { 0 };
    let bound = |_| match bits.in_class(&CLASSES, false) {
        0 => f64::from_bits(bits.take(64)),
        thousandths => (thousandths - 1) as f64 / 1000.0,
    };
    let bounds = (0..bounds).map(bound).collect();
    Histogram { schema, zero_threshold, positive, negative, bounds, ..Histogram::default() }
}

/// How many bits small numbers have, from class to class.
const CLASSES: [u32; 7] = [3, 6, 9, 12, 18, 25, 56];

/// Bits, the highest first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// How many have been read.
    place: usize,
}

impl<'a> Bits<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    fn take(&mut self, count: u32) -> u64 {
        (0..count).fold(0, |number, _| {
            let bit = self.bytes[self.place / 8] >> (7 - self.place % 8) & 1;
            self.place += 1;
            number << 1 | u64::from(bit)
        })
    }

    fn varint(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(8);
            number |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn signed_varint(&mut self) -> i64 {
        let number = self.varint();
        (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
    }

    /// A number behind its class; where it may have a sign, it has it in as many bits.
    fn in_class(&mut self, classes: &[u32], signed: bool) -> u64 {
        let mut class = 0;
        while class <= classes.len() && self.take(1) == 1 {
            class += 1;
        }
        match class {
            0 => 0,
            class if class > classes.len() => self.take(64),
            class => {
                let bits = classes[class - 1];
                let number = self.take(bits);
                if signed && number > 1 << (bits - 1) { number.wrapping_sub(1 << bits) } else { number }
            }
        }
    }

    fn signed(&mut self) -> i64 {
        self.in_class(&CLASSES, true).cast_signed()
    }
}

/// A number that comes as the change of its growth.
#[derive(Clone, Default)]
struct Steps {
    now: i64,
    growth: i64,
}

impl Steps {
    fn step(&mut self, read: i64, is_first: bool) {
        if is_first {
            self.now = read;
        } else {
            self.growth = self.growth.wrapping_add(read);
            self.now = self.now.wrapping_add(self.growth);
        }
    }
}

/// A float that comes as the bits that changed.
#[derive(Clone, Default)]
struct Xor {
    now: u64,
    leading: u32,
    trailing: u32,
}

impl Xor {
    fn read(&mut self, is_first: bool, bits: &mut Bits<'_>) {
        if is_first {
            self.now = bits.take(64);
        } else if bits.take(1) == 1 {
            if bits.take(1) == 1 {
                self.leading = bits.take(5) as u32;
                let count = bits.take(6) as u32;
                self.trailing = 64 - self.leading - if count == 0 { 64 } else { count };
            }
            self.now ^= bits.take(64 - self.leading - self.trailing) << self.trailing;
        }
    }
}

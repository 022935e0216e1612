//! Protobuf messages written and read field by field, so that a fault in our own decoders and encoders is not repeated
//! in their tests.

/// A message as it grows.
#[derive(Clone, Debug, Default)]
pub struct Message(Vec<u8>);

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// A whole number.
    Number(u64),
    /// Eight bytes, taken for a double.
    Double(f64),
    /// A text, bytes or a message.
    Bytes(Vec<u8>),
}

impl Message {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a whole number.
    #[must_use]
    pub fn number(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3);
        self.varint(number);
        self
    }

    /// Adds a double.
    #[must_use]
    pub fn double(mut self, field: u64, number: f64) -> Self {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// Adds a message.
    #[must_use]
    pub fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Adds whole numbers, packed.
    #[must_use]
    pub fn numbers(self, field: u64, numbers: &[u64]) -> Self {
        let mut packed = Self::new();
        numbers.iter().for_each(|number| packed.varint(*number));
        self.message(field, &packed)
    }

    /// The message in a snappy block.
    pub fn snappy(&self) -> Vec<u8> {
        snap::raw::Encoder::new()
            .compress_vec(&self.0)
            .expect("a test's message is far below the limit of snappy")
    }

    /// The message behind its length, as messages stand in a stream.
    pub fn delimited(&self) -> Vec<u8> {
        let mut stream = Self::new();
        stream.varint(self.0.len() as u64);
        stream.0.extend_from_slice(&self.0);
        stream.0
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }
}

/// What is in a snappy block.
///
/// # Panics
/// When it is none.
pub fn unsnappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Decoder::new().decompress_vec(bytes).expect("a snappy block")
}

/// The fields of a message, by their numbers, in order.
///
/// # Panics
/// When it is none.
pub fn fields(mut message: &[u8]) -> Vec<(u64, Field)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = take_varint(&mut message);
        let value = match tag & 7 {
            0 => Field::Number(take_varint(&mut message)),
            1 => Field::Double(f64::from_le_bytes(take(&mut message, 8).try_into().expect("eight bytes"))),
            2 => {
                let length = take_varint(&mut message);
                Field::Bytes(take(&mut message, usize::try_from(length).expect("a length")).to_vec())
            }
            kind => panic!("a field of the kind {kind}"),
        };
        fields.push((tag >> 3, value));
    }
    fields
}

fn take<'a>(from: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = from.split_at(length);
    *from = rest;
    taken
}

fn take_varint(from: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(from, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

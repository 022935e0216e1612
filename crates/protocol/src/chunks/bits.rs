//! Bits, the highest first, and the ways in which Prometheus writes numbers with few of them.

/// Bytes that grow bit by bit.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are not used yet.
    free: u32,
}

/// How many bits small numbers get, from class to class. The class stands before the number: one bit that is set for
/// each class up to it, and one that is not.
const CLASSES: [u32; 7] = [3, 6, 9, 12, 18, 25, 56];
/// The same of what the times of numbers are off by.
const TIME_CLASSES: [u32; 3] = [14, 17, 20];

impl Bits {
    /// Begins behind a header of zeros.
    pub(super) fn behind(header: usize) -> Self {
        Self { bytes: vec![0; header], free: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes, with how many samples they are of in the first two.
    pub(super) fn finish(mut self, samples: u16) -> Vec<u8> {
        self.bytes[..2].copy_from_slice(&samples.to_be_bytes());
        self.bytes
    }

    /// Sets a byte of the header.
    pub(super) fn set_header(&mut self, place: usize, byte: u8) {
        self.bytes[place] = byte;
    }

    /// Appends the last `count` bits of a number, 64 at most.
    pub(super) fn put(&mut self, number: u64, mut count: u32) {
        while count > 0 {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            let taken = count.min(self.free);
            count -= taken;
            self.free -= taken;
            let part = (number >> count) & ((1 << taken) - 1);
            if let Some(last) = self.bytes.last_mut() {
                // No more than eight bits were left of it.
                *last |= (part << self.free) as u8;
            }
        }
    }

    pub(super) fn put_bit(&mut self, bit: bool) {
        self.put(u64::from(bit), 1);
    }

    /// Seven bits a byte, the lowest first; each byte but the last has its highest bit set.
    pub(super) fn put_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.put(number & 0x7f | 0x80, 8);
            number >>= 7;
        }
        self.put(number, 8);
    }

    /// The same, where small numbers may have a sign.
    pub(super) fn put_signed_varint(&mut self, number: i64) {
        self.put_varint((number << 1 ^ number >> 63).cast_unsigned());
    }

    pub(super) fn put_unsigned(&mut self, number: u64) {
        self.put_in_class(number, &CLASSES, |bits| number >> bits == 0);
    }

    pub(super) fn put_signed(&mut self, number: i64) {
        self.put_in_class(number.cast_unsigned(), &CLASSES, |bits| fits(number, bits));
    }

    /// By how much a time of a number is off, in milliseconds.
    pub(super) fn put_time(&mut self, off_ms: i64) {
        self.put_in_class(off_ms.cast_unsigned(), &TIME_CLASSES, |bits| fits(off_ms, bits));
    }

    fn put_in_class(&mut self, number: u64, classes: &[u32], fits: impl Fn(u32) -> bool) {
        if number == 0 {
            self.put_bit(false);
            return;
        }
        let mut before = 1;
        for bits in classes {
            if fits(*bits) {
                // So many that are set, and one that is not.
                self.put((1 << (before + 1)) - 2, before + 1);
                self.put(number, *bits);
                return;
            }
            before += 1;
        }
        self.put((1 << before) - 1, before);
        self.put(number, 64);
    }
}

/// Whether a number is read back from so many bits: of both numbers that have the highest bit alone the positive one is.
fn fits(number: i64, bits: u32) -> bool {
    let most = 1i64 << (bits - 1);
    -most < number && number <= most
}

/// A float that is written as what has changed of its bits since the one before.
#[derive(Debug)]
pub(super) struct Xor {
    before: u64,
    /// How many bits at either end had not changed when that was written last.
    same: Option<(u32, u32)>,
}

/// The most bits at the beginning that are said to be the same.
const MAX_LEADING: u32 = 31;

impl Xor {
    /// The first one, written whole.
    pub(super) fn begin(value: f64, bits: &mut Bits) -> Self {
        bits.put(value.to_bits(), 64);
        Self { before: value.to_bits(), same: None }
    }

    pub(super) fn put(&mut self, value: f64, bits: &mut Bits) {
        let changed = std::mem::replace(&mut self.before, value.to_bits()) ^ value.to_bits();
        bits.put_bit(changed != 0);
        if changed == 0 {
            return;
        }
        let (leading, trailing) = (changed.leading_zeros().min(MAX_LEADING), changed.trailing_zeros());
        if let Some((wide, long)) = self.same
            && leading >= wide
            && trailing >= long
        {
            bits.put_bit(false);
            bits.put(changed >> long, 64 - wide - long);
            return;
        }
        self.same = Some((leading, trailing));
        let count = 64 - leading - trailing;
        bits.put_bit(true);
        bits.put(u64::from(leading), 5);
        // All 64 are written as none.
        bits.put(u64::from(count), 6);
        bits.put(changed >> trailing, count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(put: impl Fn(&mut Bits)) -> String {
        let mut bits = Bits::default();
        put(&mut bits);
        let text: String = bits.bytes.iter().map(|byte| format!("{byte:08b}")).collect();
        text[..text.len() - bits.free as usize].to_owned()
    }

    #[test]
    fn numbers_stand_behind_their_class() {
        let signed = |number| written(|bits| bits.put_signed(number));
        assert_eq!(signed(0), "0");
        assert_eq!((signed(-3), signed(4)), ("10101".to_owned(), "10100".to_owned()));
        assert_eq!((signed(-4), signed(5)), ("110111100".to_owned(), "110000101".to_owned()));
        assert_eq!(signed(i64::MIN), format!("111111111{}", "0".repeat(63)));
        assert_eq!(signed(1 << 55), format!("111111101{}", "0".repeat(55)));
        let unsigned = |number| written(|bits| bits.put_unsigned(number));
        assert_eq!((unsigned(7), unsigned(8)), ("10111".to_owned(), "110001000".to_owned()));
        assert_eq!(written(|bits| bits.put_time(8192)), "1010000000000000");
        assert_eq!(written(|bits| bits.put_time(-8192)), "11011110000000000000");
        assert_eq!(written(|bits| bits.put_time(1 << 40)), format!("1111{:064b}", 1u64 << 40));
    }

    #[test]
    fn varints_have_seven_bits_a_byte() {
        assert_eq!(written(|bits| bits.put_varint(300)), "1010110000000010");
        assert_eq!(written(|bits| bits.put_signed_varint(-1)), "00000001");
    }

    #[test]
    fn of_a_float_the_bits_that_changed_are_written() {
        let text = written(|bits| {
            let mut float = Xor::begin(0.0, bits);
            float.put(0.0, bits);
            float.put(f64::from_bits(0b1100), bits);
            float.put(f64::from_bits(0b1000), bits);
            float.put(f64::from_bits(u64::MAX), bits);
        });
        let first = "0".repeat(64);
        // No more than 31 bits are said to be the same at the beginning.
        let second = format!("11{:05b}{:06b}{:031b}", 31, 31, 0b11);
        let third = format!("10{:031b}", 0b1);
        let fourth = format!("11{:05b}{:06b}{:064b}", 0, 0, !0b1000u64);
        assert_eq!(text, format!("{first}0{second}{third}{fourth}"));
    }
}

//! Protobuf, read where it lies: a field is its number and a value that borrows from the message.

/// Bytes that are no protobuf message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A field is cut off.
    #[error("a field ends early")]
    Truncated,
    /// A number has more than ten bytes.
    #[error("a number is too long")]
    Number,
    /// A field has a kind that does not exist any more, or a number that is none.
    #[error("a field has no valid tag")]
    Tag,
    /// A field that is known has another type.
    #[error("field {0} has the wrong type")]
    Type(u32),
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Number(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

/// The fields of a message, in order.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// A number; tags and most lengths are one byte.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        match self.0 {
            [byte @ 0..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first().ok_or(Malformed::Truncated)?;
            self.0 = rest;
            // The tenth byte has room for one bit.
            if place == 9 && *byte > 1 {
                return Err(Malformed::Number);
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::Number)
    }

    /// The bytes of the next field, when that is the field asked for, of less than 128 bytes and whole.
    #[inline]
    pub(crate) fn next_short(&mut self, number: u8) -> Option<&'a [u8]> {
        let [tag, length @ 0..0x80, rest @ ..] = self.0 else { return None };
        if *tag != number << 3 | 2 {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(usize::from(*length))?;
        self.0 = rest;
        Some(bytes)
    }

    /// The number of the next field, when that is the field asked for.
    #[inline]
    pub(crate) fn next_number(&mut self, number: u8) -> Option<u64> {
        let [tag, rest @ ..] = self.0 else { return None };
        if *tag != number << 3 {
            return None;
        }
        let mut rest = Fields(rest);
        let value = rest.number().ok()?;
        self.0 = rest.0;
        Some(value)
    }

    /// A message behind its length, as messages stand in a stream.
    pub(crate) fn delimited(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed::Truncated)?;
        self.take(length)
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A field. A request is thousands of them: a call for each costs more than most of them do.
    #[inline]
    fn field(&mut self) -> Result<(u32, Value<'a>), Malformed> {
        let tag = u32::try_from(self.number()?).map_err(|_| Malformed::Tag)?;
        if tag >> 3 == 0 {
            return Err(Malformed::Tag);
        }
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => Value::Eight(*self.take(8)?.first_chunk().ok_or(Malformed::Truncated)?),
            2 => {
                let length = usize::try_from(self.number()?).map_err(|_| Malformed::Truncated)?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Four(*self.take(4)?.first_chunk().ok_or(Malformed::Truncated)?),
            _ => return Err(Malformed::Tag),
        };
        Ok((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

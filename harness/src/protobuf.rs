//! Messages of Protocol Buffers without a schema, for the few that a test needs: fields by their numbers.
//!
//! Source: the encoding's own description. A field is a key (its number and its wire type), then a number as a varint, 32
//! or 64 bits, or bytes with their length. Groups are not known: they were given up before version 3.

/// A message that is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message(Vec<u8>);

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(u64, Value)>);

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no message of Protocol Buffers, at byte {0}")]
pub struct NoMessage(usize);

const VARINT: u64 = 0;
const BITS_64: u64 = 1;
const BYTES: u64 = 2;
const BITS_32: u64 = 5;

impl Message {
    /// One without a field.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a number; `true` is 1.
    pub fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3 | VARINT);
        self.varint(value);
        self
    }

    /// The same with a text.
    pub fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// The same with a message inside.
    pub fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// The same with bytes.
    pub fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.varint(field << 3 | BYTES);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// How it goes over the wire.
    pub fn encoded(&self) -> &[u8] {
        &self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push((value & 0x7f | 0x80) as u8);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

impl Fields {
    /// Reads a message.
    ///
    /// # Errors
    /// [`NoMessage`].
    pub fn decode(bytes: &[u8]) -> Result<Self, NoMessage> {
        let mut at = 0;
        let mut fields = Vec::new();
        while at < bytes.len() {
            let key = varint(bytes, &mut at)?;
            let value = match key & 7 {
                VARINT => Value::Number(varint(bytes, &mut at)?),
                BITS_64 => Value::Number(fixed(bytes, &mut at, 8)?),
                BITS_32 => Value::Number(fixed(bytes, &mut at, 4)?),
                BYTES => {
                    let length = usize::try_from(varint(bytes, &mut at)?).map_err(|_| NoMessage(at))?;
                    Value::Bytes(taken(bytes, &mut at, length)?.to_vec())
                }
                _ => return Err(NoMessage(at)),
            };
            fields.push((key >> 3, value));
        }
        Ok(Self(fields))
    }

    /// The number of a field; the last one where there are several.
    pub fn number(&self, field: u64) -> Option<u64> {
        self.values(field)
            .filter_map(|value| if let Value::Number(number) = value { Some(*number) } else { None })
            .last()
    }

    /// The bytes of a field.
    pub fn bytes(&self, field: u64) -> Option<&[u8]> {
        self.values(field)
            .filter_map(|value| if let Value::Bytes(bytes) = value { Some(&**bytes) } else { None })
            .last()
    }

    /// The text of a field.
    pub fn text(&self, field: u64) -> Option<&str> {
        self.bytes(field).and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    fn values(&self, field: u64) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(own, _)| *own == field).map(|(_, value)| value)
    }
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, NoMessage> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or(NoMessage(*at))?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(NoMessage(*at))
}

fn fixed(bytes: &[u8], at: &mut usize, length: usize) -> Result<u64, NoMessage> {
    let bytes = taken(bytes, at, length)?;
    Ok(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn taken<'a>(bytes: &'a [u8], at: &mut usize, length: usize) -> Result<&'a [u8], NoMessage> {
    let end = at.checked_add(length).ok_or(NoMessage(*at))?;
    let taken = bytes.get(*at..end).ok_or(NoMessage(*at))?;
    *at = end;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The examples of the encoding's description: 150 in field 1, "testing" in field 2, that message in field 3.
    #[test]
    fn the_bytes_are_those_of_the_description() {
        assert_eq!(Message::new().number(1, 150).encoded(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().text(2, "testing").encoded(), b"\x12\x07testing");
        assert_eq!(Message::new().message(3, &Message::new().number(1, 150)).encoded(), [0x1a, 3, 0x08, 0x96, 0x01]);
    }

    #[test]
    fn every_wire_type_is_read_and_what_is_cut_is_refused() {
        let read =
            Fields::decode(b"\x08\x96\x01\x12\x02hi\x19\x01\x00\x00\x00\x00\x00\x00\x02\x25\x05\x00\x00\x00").unwrap();
        assert_eq!((read.number(1), read.text(2)), (Some(150), Some("hi")));
        assert_eq!((read.number(3), read.number(4), read.number(9)), (Some(0x0200_0000_0000_0001), Some(5), None));
        assert_eq!(Fields::decode(b"\x08\x01\x08\x02").unwrap().number(1), Some(2), "the last one counts");
        for wrong in
            [&b"\x08"[..], b"\x12\x09short", b"\x0b", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x25\x01"]
        {
            assert!(Fields::decode(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_is_read(number in any::<u64>(), text in ".{0,300}", field in 1_u64..1000) {
            let made = Message::new().number(field, number).text(field + 1, &text);
            let read = Fields::decode(made.encoded()).unwrap();
            prop_assert_eq!((read.number(field), read.text(field + 1)), (Some(number), Some(text.as_str())));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Fields::decode(&bytes);
        }
    }
}

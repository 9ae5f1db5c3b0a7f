//! Decodes one `PushDataV3ApiWrapper` that carries an incremental depth (field 313), straight from its bytes.
//! Field numbers are those of the exchange's published schema (mexcdevelop/websocket-proto); unknown fields are skipped.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    Truncated,
    BadVarint,
    BadWireType,
    BadNumber,
    NoDepth,
}

/// A price in whole ticks and the quantity at it in whole lots; 0 lots removes the level.
#[derive(Clone, Copy)]
pub struct Level {
    pub ticks: u64,
    pub lots: u64,
}

/// Decimals of a price and of a quantity.
#[derive(Clone, Copy)]
pub struct Scales {
    pub price: u32,
    pub quantity: u32,
}

/// One decoded push, reused from frame to frame so that its vectors keep their memory.
#[derive(Default)]
pub struct DepthUpdate {
    pub from_version: u64,
    pub to_version: u64,
    pub asks: Vec<Level>,
    pub bids: Vec<Level>,
}

const WRAPPER_DEPTH: u64 = 313;
const DEPTH_ASKS: u64 = 1;
const DEPTH_BIDS: u64 = 2;
const DEPTH_FROM_VERSION: u64 = 4;
const DEPTH_TO_VERSION: u64 = 5;
const ITEM_PRICE: u64 = 1;
const ITEM_QUANTITY: u64 = 2;

const WIRE_VARINT: u64 = 0;
const WIRE_FIXED64: u64 = 1;
const WIRE_BYTES: u64 = 2;
const WIRE_FIXED32: u64 = 5;

pub fn decode_depth(frame: &[u8], scales: Scales, update: &mut DepthUpdate) -> Result<(), DecodeError> {
    update.from_version = 0;
    update.to_version = 0;
    update.asks.clear();
    update.bids.clear();
    let mut rest = frame;
    let mut found = false;
    while !rest.is_empty() {
        let key = read_varint(&mut rest)?;
        if key == WRAPPER_DEPTH << 3 | WIRE_BYTES {
            decode_body(read_bytes(&mut rest)?, scales, update)?;
            found = true;
        } else {
            skip(key & 7, &mut rest)?;
        }
    }
    if found { Ok(()) } else { Err(DecodeError::NoDepth) }
}

fn decode_body(body: &[u8], scales: Scales, update: &mut DepthUpdate) -> Result<(), DecodeError> {
    let mut rest = body;
    while !rest.is_empty() {
        let key = read_varint(&mut rest)?;
        if key & 7 != WIRE_BYTES {
            skip(key & 7, &mut rest)?;
            continue;
        }
        let bytes = read_bytes(&mut rest)?;
        match key >> 3 {
            DEPTH_ASKS => update.asks.push(decode_item(bytes, scales)?),
            DEPTH_BIDS => update.bids.push(decode_item(bytes, scales)?),
            DEPTH_FROM_VERSION => update.from_version = parse_decimal(bytes, 0)?,
            DEPTH_TO_VERSION => update.to_version = parse_decimal(bytes, 0)?,
            _ => {}
        }
    }
    Ok(())
}

#[inline]
fn decode_item(item: &[u8], scales: Scales) -> Result<Level, DecodeError> {
    let mut level = Level { ticks: 0, lots: 0 };
    let mut rest = item;
    while !rest.is_empty() {
        let key = read_varint(&mut rest)?;
        if key & 7 != WIRE_BYTES {
            skip(key & 7, &mut rest)?;
            continue;
        }
        let bytes = read_bytes(&mut rest)?;
        match key >> 3 {
            ITEM_PRICE => level.ticks = parse_decimal(bytes, scales.price)?,
            ITEM_QUANTITY => level.lots = parse_decimal(bytes, scales.quantity)?,
            _ => {}
        }
    }
    Ok(level)
}

/// `84270.5` with two decimals -> 8427050, exactly; more decimals than the scale, or anything but digits and one dot, is an error.
#[inline]
pub fn parse_decimal(text: &[u8], scale: u32) -> Result<u64, DecodeError> {
    let mut value: u64 = 0;
    let mut cursor = 0;
    while cursor < text.len() && text[cursor] != b'.' {
        value = push_digit(value, text[cursor])?;
        cursor += 1;
    }
    let mut missing = scale;
    if cursor < text.len() {
        for &byte in &text[cursor + 1..] {
            value = push_digit(value, byte)?;
            missing = missing.checked_sub(1).ok_or(DecodeError::BadNumber)?;
        }
    }
    if text.is_empty() || text.len() > 19 {
        return Err(DecodeError::BadNumber);
    }
    value.checked_mul(POWERS_OF_TEN[missing as usize]).ok_or(DecodeError::BadNumber)
}

const POWERS_OF_TEN: [u64; 20] = {
    let mut powers = [1; 20];
    let mut exponent = 1;
    while exponent < 20 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

#[inline(always)]
fn push_digit(value: u64, byte: u8) -> Result<u64, DecodeError> {
    let digit = byte.wrapping_sub(b'0');
    if digit > 9 {
        return Err(DecodeError::BadNumber);
    }
    Ok(value.wrapping_mul(10).wrapping_add(digit as u64))
}

#[inline(always)]
fn read_varint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    // Almost every tag and length in a depth push is one byte.
    match rest.first() {
        Some(&byte) if byte < 0x80 => {
            *rest = &rest[1..];
            Ok(byte as u64)
        }
        Some(_) => read_long_varint(rest),
        None => Err(DecodeError::Truncated),
    }
}

fn read_long_varint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0;
    for (index, &byte) in rest.iter().enumerate().take(10) {
        value |= ((byte & 0x7f) as u64) << (7 * index);
        if byte < 0x80 {
            *rest = &rest[index + 1..];
            return Ok(value);
        }
    }
    Err(if rest.len() < 10 { DecodeError::Truncated } else { DecodeError::BadVarint })
}

#[inline(always)]
fn read_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = read_varint(rest)? as usize;
    if length > rest.len() {
        return Err(DecodeError::Truncated);
    }
    let (bytes, tail) = rest.split_at(length);
    *rest = tail;
    Ok(bytes)
}

fn skip(wire_type: u64, rest: &mut &[u8]) -> Result<(), DecodeError> {
    let length = match wire_type {
        WIRE_VARINT => return read_varint(rest).map(|_| ()),
        WIRE_BYTES => return read_bytes(rest).map(|_| ()),
        WIRE_FIXED64 => 8,
        WIRE_FIXED32 => 4,
        _ => return Err(DecodeError::BadWireType),
    };
    *rest = rest.get(length..).ok_or(DecodeError::Truncated)?;
    Ok(())
}

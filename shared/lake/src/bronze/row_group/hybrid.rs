//! Parquet's run-length and bit-packing hybrid, in which levels and ids of a dictionary are written.

/// Equal values that are worth a run of their own.
const RUN: usize = 8;

/// The bits that a value up to `largest` takes, at least one.
pub(super) fn width_of(largest: u32) -> u32 {
    (u32::BITS - largest.leading_zeros()).max(1)
}

/// Appends one run of a value.
pub(super) fn run(out: &mut Vec<u8>, value: u32, length: usize, width: u32) {
    varint(out, (length as u64) << 1);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Appends values of so many bits: runs of equal ones as runs, what lies between them packed.
pub(super) fn encode(out: &mut Vec<u8>, values: &[u32], width: u32) {
    let (mut packed, mut at) = (0, 0);
    while at < values.len() {
        let equal = values[at..].iter().take_while(|value| **value == values[at]).count();
        // Only whole groups can be packed: the beginning of a run fills the last one up.
        let filling = (at - packed).next_multiple_of(8) - (at - packed);
        if equal >= filling + RUN {
            pack(out, &values[packed..at + filling], width);
            run(out, values[at], equal - filling, width);
            packed = at + equal;
        }
        at += equal;
    }
    pack(out, &values[packed..], width);
}

/// Appends values in groups of eight; the last group is filled up with zeros, which nobody reads.
fn pack(out: &mut Vec<u8>, values: &[u32], width: u32) {
    if values.is_empty() {
        return;
    }
    varint(out, ((values.len().div_ceil(8) as u64) << 1) | 1);
    for group in values.chunks(8) {
        let (mut bits, mut held) = (0_u64, 0);
        for at in 0..8 {
            bits |= u64::from(group.get(at).copied().unwrap_or(0)) << held;
            held += width;
            while held >= 8 {
                out.push(bits as u8);
                bits >>= 8;
                held -= 8;
            }
        }
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads what the format's definition says, value by value.
    fn decode(mut bytes: &[u8], count: usize, width: u32) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let length = (header >> 1) as usize;
            if header & 1 == 0 {
                let size = width.div_ceil(8) as usize;
                let value = bytes[..size].iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
                bytes = &bytes[size..];
                values.extend(std::iter::repeat_n(value, length));
            } else {
                let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
                let value =
                    |at: usize| (0..width).fold(0, |value, b| value | bit(at * width as usize + b as usize) << b);
                values.extend((0..length * 8).map(value));
                bytes = &bytes[length * width as usize..];
            }
        }
        assert!(bytes.is_empty(), "bytes are left over");
        values.truncate(count);
        values
    }

    #[test]
    fn equal_values_are_one_run() {
        let mut out = Vec::new();
        encode(&mut out, &[5; 1000], 3);
        assert_eq!(out, [0xd0, 0x0f, 5]);
    }

    proptest! {
        #[test]
        fn values_are_read_as_they_were_written(
            runs in prop::collection::vec((0_u32..=u32::MAX, 1_usize..40), 0..40), largest in 0_u32..=u32::MAX
        ) {
            let values: Vec<u32> =
                runs.iter().flat_map(|(value, count)| std::iter::repeat_n(value % largest.max(1), *count)).collect();
            let width = width_of(largest);
            let mut out = Vec::new();
            encode(&mut out, &values, width);
            prop_assert_eq!(decode(&out, values.len(), width), values);
        }
    }
}

//! Deltas: what is made of a base, against a slow reading of the format.
//!
//! Input: limit in KiB (1 byte), how the delta begins (1 byte), length of the base (2 bytes,
//! little endian), the base, the delta. Bit 0 of the second byte writes the two sizes for the
//! fuzzer, so that it gets past them.

use super::{format, stages::Apply};

/// Applies one delta; says whether it was accepted.
///
/// # Panics
/// If it is not what the format says.
pub fn run(input: &[u8]) -> bool {
    let Some((&[limit, how, low, high], rest)) = input.split_first_chunk() else {
        return false;
    };
    let limit = u64::from(limit) << 10;
    let len = usize::from(u16::from_le_bytes([low, high])).min(rest.len());
    let (base, rest) = rest.split_at(len);
    let delta = if how & 1 == 0 {
        rest.to_vec()
    } else {
        format::delta(base.len() as u64, format::length(rest), rest)
    };
    let mut apply = Apply::default();
    let made = apply.apply(base, &delta, limit);
    let expected = format::apply(base, &delta, limit);
    assert_eq!(
        made.map(|(bytes, _)| bytes),
        expected.as_deref(),
        "what the format says"
    );
    let Some((bytes, copied)) = made else {
        return false;
    };
    let mut end = (0, usize::MAX);
    for range in copied {
        assert!(
            range.len > 0 && range.at >= end.0,
            "ranges are sorted and disjoint"
        );
        assert_ne!(
            (range.at, range.from),
            end,
            "ranges that continue each other are one"
        );
        end = (range.at + range.len, range.from + range.len);
        assert_eq!(
            bytes.get(range.at..end.0),
            base.get(range.from..end.1),
            "what is said to be copied is the same in the base"
        );
    }
    assert!(end.0 <= bytes.len(), "ranges lie inside");
    true
}

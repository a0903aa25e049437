//! Judges: what no pattern can say about a value.

pub(super) mod login;
pub(super) mod placeholder;
pub(super) mod structure;
pub(super) mod wordiness;

/// Shannon entropy in bits per byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn entropy_is_in_bits_per_byte() {
        assert_eq!(super::entropy(b"aaaa"), 0.0);
        assert_eq!(super::entropy(b"abab"), 1.0);
        assert_eq!(super::entropy(b"abcd"), 2.0);
        assert_eq!(super::entropy(b""), 0.0);
    }
}

//! The Merkle tree over the files of a bundle (RFC 6962, section 2.1), with SHA-256.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// SHA-256.
pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The root over files by name; a leaf is a name and the digest of the contents.
pub(super) fn root(digests: &BTreeMap<&str, [u8; 32]>) -> [u8; 32] {
    let leaves: Vec<[u8; 32]> = digests
        .iter()
        .map(|(name, digest)| {
            let hash = Sha256::new()
                .chain_update([0])
                .chain_update(name.as_bytes());
            hash.chain_update([0])
                .chain_update(digest)
                .finalize()
                .into()
        })
        .collect();
    tree(&leaves)
}

fn tree(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => digest(b""),
        [one] => *one,
        _ => {
            // The largest power of two that is smaller than the number of leaves.
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            let hash = Sha256::new().chain_update([1]).chain_update(tree(left));
            hash.chain_update(tree(right)).finalize().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{digest, root, tree};

    /// Every change of a name, of contents or of the number of files changes the root.
    #[test]
    fn the_root_names_all_of_it() {
        let files = |all: &[(&'static str, &str)]| -> BTreeMap<&'static str, [u8; 32]> {
            let of = all
                .iter()
                .map(|(name, text)| (*name, digest(text.as_bytes())));
            of.collect()
        };
        let roots = [
            root(&files(&[])),
            root(&files(&[("a", "1")])),
            root(&files(&[("a", "2")])),
            root(&files(&[("b", "1")])),
            root(&files(&[("a", "1"), ("b", "1")])),
            root(&files(&[("a", "1"), ("b", "1"), ("c", "1")])),
        ];
        for (ix, one) in roots.iter().enumerate() {
            assert!(!roots[ix + 1..].contains(one));
        }
        // RFC 6962: three leaves are two and one.
        let leaf = |n| [n; 32];
        let left = tree(&[leaf(1), leaf(2)]);
        let both = [&[1][..], &left, &leaf(3)].concat();
        assert_eq!(tree(&[leaf(1), leaf(2), leaf(3)]), digest(&both));
    }
}

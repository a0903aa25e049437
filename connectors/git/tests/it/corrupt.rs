//! Damaged and forged repositories: every one ends, with gaps, and without a panic.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keymuster_api::{GapKind, ObjectId};

use super::{
    fixture::{Fixture, Random, text},
    mock::{Seen, sweep},
    stores::history,
};

/// Does all that a run does.
fn everything(path: &Path) -> Seen {
    let seen = sweep(path);
    let _ = seen.named(&|name| name.ends_with(b".md"));
    let _ = seen.places("changed in 3");
    seen
}

fn packed(fixture: &Fixture) -> (PathBuf, PathBuf) {
    fixture.git(&["repack", "-q", "-adf", "--window=50"]);
    let folder = fixture.path().join(".git/objects/pack");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "pack"));
    let pack = files.pop().unwrap();
    let index = pack.with_extension("idx");
    (pack, index)
}

fn put(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path); // git makes packs read-only
    fs::write(path, bytes).unwrap();
}

fn assert_told(whole: &Seen, damaged: &Seen, what: &str) {
    if damaged.blobs != whole.blobs || damaged.messages != whole.messages {
        assert!(
            !damaged.gaps.is_empty(),
            "{what}: something is missing, and nothing is told"
        );
    }
    for (id, bytes) in &damaged.blobs {
        if let Some(right) = whole.blobs.get(id) {
            assert!(
                bytes == right || !damaged.gaps.is_empty(),
                "{what}: wrong bytes"
            );
        }
    }
}

#[test]
fn truncated_packs_and_indexes_are_gaps() {
    let fixture = history("sha1");
    let (pack, index) = packed(&fixture);
    let whole = everything(&fixture.path());
    for file in [&pack, &index] {
        let bytes = fs::read(file).unwrap();
        let mut random = Random(1);
        let mut lengths: Vec<usize> = (0..40)
            .map(|_| random.below(bytes.len() as u64) as usize)
            .collect();
        lengths.extend([0, 1, 11, 12, 31, 32, bytes.len() - 1, bytes.len() - 20]);
        for length in lengths {
            put(file, &bytes[..length]);
            let damaged = everything(&fixture.path());
            assert!(
                !damaged.gaps.is_empty(),
                "{} cut to {length}",
                file.display()
            );
            assert_told(&whole, &damaged, "truncated");
        }
        put(file, &bytes);
    }
}

#[test]
fn single_damaged_bytes_are_gaps() {
    let fixture = history("sha1");
    let (pack, index) = packed(&fixture);
    let whole = everything(&fixture.path());
    for (file, tries) in [(&pack, 250), (&index, 250)] {
        let bytes = fs::read(file).unwrap();
        let mut random = Random(2);
        for _ in 0..tries {
            let at = random.below(bytes.len() as u64) as usize;
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << random.below(8);
            put(file, &damaged);
            let what = format!("byte {at} of {}", file.display());
            assert_told(&whole, &everything(&fixture.path()), &what);
        }
        put(file, &bytes);
    }
}

#[test]
fn garbage_among_loose_objects_is_a_gap_each() {
    let fixture = history("sha1");
    let whole = everything(&fixture.path());
    let objects = fixture.path().join(".git/objects");
    let victims: Vec<ObjectId> = whole.blobs.keys().take(4).copied().collect();
    let file = |id: &ObjectId| {
        let hex = id.to_string();
        objects.join(&hex[..2]).join(&hex[2..])
    };
    put(&file(&victims[0]), b"garbage");
    put(&file(&victims[1]), b"");
    let bytes = fs::read(file(&victims[2])).unwrap();
    put(&file(&victims[2]), &bytes[..bytes.len() / 2]);
    fs::remove_file(file(&victims[3])).unwrap();
    fs::create_dir(file(&victims[3])).unwrap();
    fs::write(objects.join("00-not-an-object"), "x").unwrap();
    let damaged = everything(&fixture.path());
    assert_eq!(damaged.gaps.len(), 4, "{:?}", damaged.gaps);
    assert_eq!(damaged.blobs.len(), whole.blobs.len() - 4);
    assert_told(&whole, &damaged, "loose");
}

#[test]
fn a_pack_without_index_is_a_gap() {
    let fixture = history("sha1");
    let (_, index) = packed(&fixture);
    fs::remove_file(index).unwrap();
    let seen = everything(&fixture.path());
    assert!(seen.gaps[0].reason.contains("no index"), "{}", seen.gaps[0]);
}

#[test]
fn unknown_formats_are_gaps() {
    let fixture = history("sha1");
    fixture.git(&["config", "extensions.objectformat", "sha3"]);
    assert_eq!(sweep(&fixture.path()).gaps[0].kind, GapKind::Unsupported);
    let fixture = history("sha1");
    let config = fixture.path().join(".git/config");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{text}\n[extensions]\n\trefStorage = reftable\n"),
    )
    .unwrap();
    let seen = sweep(&fixture.path());
    assert_eq!(seen.gaps[0].kind, GapKind::Unsupported);
    assert!(!seen.blobs.is_empty(), "objects are read all the same");
}

/// A pack and its index, written by hand.
struct Forge {
    pack: Vec<u8>,
    entries: Vec<([u8; 20], u32, u32)>,
}

impl Forge {
    fn new(count: u32) -> Forge {
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend(count.to_be_bytes());
        Forge {
            pack,
            entries: Vec::new(),
        }
    }

    fn add(&mut self, id: [u8; 20], kind: u8, size: u64, extra: &[u8], data: &[u8]) {
        let start = self.pack.len();
        let mut byte = kind << 4 | (size & 15) as u8;
        let mut left = size >> 4;
        while left > 0 {
            self.pack.push(byte | 0x80);
            byte = (left & 0x7f) as u8;
            left >>= 7;
        }
        self.pack.push(byte);
        self.pack.extend(extra);
        let mut compressor = libdeflater::Compressor::default();
        let mut packed = vec![0; compressor.zlib_compress_bound(data.len())];
        let length = compressor.zlib_compress(data, &mut packed).unwrap();
        self.pack.extend(&packed[..length]);
        let crc = crc32fast::hash(&self.pack[start..]);
        self.entries.push((id, start as u32, crc));
    }

    fn write(mut self, repository: &Path, name: &str) {
        self.pack.extend([0; 20]);
        self.entries.sort();
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for byte in 0..=255u8 {
            let count = self
                .entries
                .iter()
                .filter(|entry| entry.0[0] <= byte)
                .count();
            index.extend((count as u32).to_be_bytes());
        }
        self.entries.iter().for_each(|entry| index.extend(entry.0));
        self.entries
            .iter()
            .for_each(|entry| index.extend(entry.2.to_be_bytes()));
        self.entries
            .iter()
            .for_each(|entry| index.extend(entry.1.to_be_bytes()));
        index.extend([0; 40]);
        let folder = repository.join(".git/objects/pack");
        fs::write(folder.join(format!("pack-{name}.pack")), self.pack).unwrap();
        fs::write(folder.join(format!("pack-{name}.idx")), index).unwrap();
    }
}

/// A delta that copies the first `copy` bytes of a base and adds `insert`.
fn delta(base: usize, copy: u8, insert: &[u8]) -> Vec<u8> {
    let mut delta = Vec::new();
    for mut size in [base, usize::from(copy) + insert.len()] {
        while size > 0x7f {
            delta.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        delta.push(size as u8);
    }
    delta.extend([0x90, copy]);
    delta.push(insert.len() as u8);
    delta.extend(insert);
    delta
}

/// Deltas whose base is in another pack, or loose, or a delta of that kind itself.
#[test]
fn thin_leftovers_find_their_bases_elsewhere() {
    let mut fixture = history("sha1");
    fixture.git(&["repack", "-q", "-adf"]);
    fixture.write("loose", text(99, 10));
    fixture.commit("loose");
    let bytes = text(99, 10);
    let base = fixture.blob(bytes.as_bytes());
    let packed = fixture.rev("HEAD:src/long.txt");
    let size = fixture
        .git(&["cat-file", "-s", &packed.to_string()])
        .parse()
        .unwrap();
    let mut forge = Forge::new(3);
    let first = delta(bytes.len(), 50, b"NEEDLE-THIN");
    forge.add([1; 20], 7, first.len() as u64, base.as_bytes(), &first);
    let second = delta(61, 61, b" and more");
    forge.add([2; 20], 7, second.len() as u64, &[1; 20], &second);
    let third = delta(size, 20, b"NEEDLE-PACKED");
    forge.add([3; 20], 7, third.len() as u64, packed.as_bytes(), &third);
    forge.write(&fixture.path(), "zz");
    let seen = everything(&fixture.path());
    let told: Vec<&str> = seen.gaps.iter().map(|gap| gap.reason.as_str()).collect();
    assert_eq!(
        told.len(),
        1,
        "only the forged index has no checksum: {told:?}"
    );
    assert_eq!(seen.holding("NEEDLE-THIN").blobs.len(), 2);
    assert_eq!(seen.holding("NEEDLE-PACKED").blobs.len(), 1);
    let again = seen.reread(&[keymuster_api::Spot::Blob {
        id: ObjectId::from_bytes(&[2; 20]).unwrap(),
    }]);
    assert_eq!(
        again[0].as_ref().unwrap(),
        format!("{}NEEDLE-THIN and more", &bytes[..50]).as_bytes()
    );
}

#[test]
fn cycles_bombs_and_lies_are_gaps() {
    let fixture = history("sha1");
    let whole = sweep(&fixture.path());
    let step = delta(10, 5, b"fives");
    let size = step.len() as u64;
    let mut forge = Forge::new(9);
    // Two that are changes to each other, one to itself, one to the next, one to nobody.
    forge.add([1; 20], 7, size, &[2; 20], &step);
    forge.add([2; 20], 7, size, &[1; 20], &step);
    forge.add([3; 20], 7, size, &[3; 20], &step);
    forge.add([4; 20], 6, size, &[0], &step);
    forge.add([5; 20], 7, size, &[0xee; 20], &step);
    // Declares four gigabytes, declares more than it can hold, is of no known kind.
    forge.add([6; 20], 3, 4 << 30, &[], b"small");
    forge.add([7; 20], 3, 200_000, &[], b"small");
    forge.add([8; 20], 5, 5, &[], b"small");
    // And one that is good, which must be read.
    forge.add([9; 20], 3, 5, &[], b"GOOD!");
    forge.write(&fixture.path(), "zz");
    let seen = everything(&fixture.path());
    assert_eq!(seen.holding("GOOD!").blobs.len(), 1);
    assert_eq!(seen.blobs.len(), whole.blobs.len() + 1);
    for (what, kind) in [
        ("changes to each other", GapKind::Corrupt),
        ("delta base eeee", GapKind::Missing),
        ("object size limit", GapKind::Limit),
        ("cannot hold", GapKind::Corrupt),
        ("header makes no sense", GapKind::Corrupt),
    ] {
        let found = seen.gaps.iter().find(|gap| gap.reason.contains(what));
        assert_eq!(
            found.map(|gap| gap.kind),
            Some(kind),
            "{what}: {:?}",
            seen.gaps
        );
    }
    let ids = (1..=9).map(|byte| keymuster_api::Spot::Blob {
        id: ObjectId::from_bytes(&[byte; 20]).unwrap(),
    });
    let again = seen.reread(&ids.collect::<Vec<_>>());
    assert_eq!(
        again.iter().flatten().count(),
        1,
        "single reads end as well"
    );
}

/// Trees that hold themselves, and trees that double at every level, cannot be followed to
/// their end, and are not.
#[test]
fn trees_without_end_are_cut() {
    let fixture = history("sha1");
    let blob = fixture.rev("HEAD:src/long.txt");
    let tree = |entries: &[(&str, &[u8])]| -> Vec<u8> {
        entries
            .iter()
            .flat_map(|(head, id)| [head.as_bytes(), b"\0", *id].concat())
            .collect()
    };
    let mut forge = Forge::new(43);
    let myself = tree(&[("100644 a", blob.as_bytes()), ("40000 b", &[1; 20])]);
    forge.add([1; 20], 2, myself.len() as u64, &[], &myself);
    for level in 0..40u8 {
        let below = if level == 0 {
            blob.as_bytes().to_vec()
        } else {
            vec![level + 1; 20]
        };
        let mode = if level == 0 { "100644" } else { "40000" };
        let (left, right) = (format!("{mode} l"), format!("{mode} r"));
        let bytes = tree(&[(&left, &below), (&right, &below)]);
        forge.add([level + 2; 20], 2, bytes.len() as u64, &[], &bytes);
    }
    // One commit has the tree that holds itself, the other the top of those that double.
    for (id, tree, branch) in [(0xaa, "01", "loop"), (0xbb, "29", "double")] {
        let commit = format!(
            "tree {}\nauthor a <b> 9 +0000\ncommitter a <b> 9 +0000\n\n",
            tree.repeat(20)
        );
        forge.add([id; 20], 1, commit.len() as u64, &[], commit.as_bytes());
        let hex = format!("{id:02x}").repeat(20);
        fs::write(fixture.path().join(".git/refs/heads").join(branch), hex).unwrap();
    }
    forge.write(&fixture.path(), "zz");
    let seen = everything(&fixture.path());
    let places = seen.places("line 3 ");
    let paths: Vec<String> = places
        .iter()
        .map(|place| place.path.as_ref().unwrap().to_string())
        .collect();
    assert!(
        paths.contains(&"src/long.txt".to_owned()),
        "the good place is told"
    );
    assert!(paths.len() <= 1000, "no more than can be read");
    let told = seen.settle();
    assert!(
        told.iter()
            .any(|gap| gap.reason.contains("more paths than")),
        "{told:?}"
    );
}

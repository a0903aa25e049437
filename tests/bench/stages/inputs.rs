//! What the benchmarks read: text like source code, edits, deltas, a repository.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use keymuster_api::Copied;

/// Numbers without order that are the same in every run (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const VERBS: &[&str] = &[
    "read", "write", "find", "merge", "split", "count", "order", "close", "open", "fold",
];
const NOUNS: &[&str] = &[
    "entry",
    "buffer",
    "window",
    "column",
    "segment",
    "record",
    "offset",
    "cursor",
    "metric",
    "replica",
    "partition",
    "snapshot",
    "bucket",
    "fragment",
];

/// One line like those of source code, in which no rule sees anything.
fn line(random: &mut Random) -> String {
    let depth = "    ".repeat(random.below(4));
    let (verb, noun, other) = (random.pick(VERBS), random.pick(NOUNS), random.pick(NOUNS));
    match random.below(6) {
        0 => format!(
            "{depth}let {noun} = {other}.{verb}(&mut {noun}s, {});\n",
            random.below(99)
        ),
        1 => format!("{depth}if {noun}_{verb}s > {other}.len() {{\n"),
        2 => format!("{depth}}}\n"),
        3 => format!("{depth}// {verb}s the {noun} before the {other} is {verb}ed again\n"),
        4 => format!("{depth}return {verb}_{noun}({other}, {noun}.{other}_{verb});\n"),
        _ => "\n".to_owned(),
    }
}

/// About so many bytes of source code.
pub(crate) fn code(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut text = String::new();
    while text.len() < bytes {
        text.push_str(&line(&mut random));
    }
    text.into_bytes()
}

/// A version with so many lines put in: the version, and what of it was copied.
pub(crate) fn edit(base: &[u8], seed: u64, edits: usize) -> (Vec<u8>, Vec<Copied>) {
    let mut random = Random(seed);
    let mut cuts: Vec<usize> = (0..edits).map(|_| random.below(base.len())).collect();
    cuts.extend([0, base.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let (mut out, mut copied) = (Vec::new(), Vec::new());
    for pair in cuts.windows(2) {
        copied.push(Copied {
            at: out.len(),
            from: pair[0],
            len: pair[1] - pair[0],
        });
        out.extend_from_slice(&base[pair[0]..pair[1]]);
        out.extend_from_slice(line(&mut random).as_bytes());
    }
    (out, copied)
}

/// The delta that makes such a version (gitformat-pack, "Deltified representation").
pub(crate) fn delta(base: &[u8], version: &[u8], copied: &[Copied]) -> Vec<u8> {
    let mut delta = Vec::new();
    for mut size in [base.len(), version.len()] {
        while size > 0x7f {
            delta.push(size as u8 | 0x80);
            size >>= 7;
        }
        delta.push(size as u8);
    }
    let mut at = 0;
    let insert = |delta: &mut Vec<u8>, bytes: &[u8]| {
        for part in bytes.chunks(127) {
            delta.push(part.len() as u8);
            delta.extend_from_slice(part);
        }
    };
    for range in copied {
        insert(&mut delta, &version[at..range.at]);
        let [a, b, c, d] = (range.from as u32).to_le_bytes();
        let [x, y, z, _] = (range.len as u32).to_le_bytes();
        delta.extend([0xff, a, b, c, d, x, y, z]);
        at = range.at + range.len;
    }
    insert(&mut delta, &version[at..]);
    delta
}

/// A repository of so many commits, each of which changes one file of 20 folders with 20 files,
/// made and packed by git.
pub(crate) fn repository(folder: &Path, commits: usize) {
    let mut random = Random(7);
    let mut stream = String::new();
    let mut files: Vec<Vec<u8>> = (0..400).map(|at| code(at, 6000)).collect();
    for commit in 0..commits {
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter a <a@example.com> {} +0000\ndata 1\n.\n",
            1_700_000_000 + commit
        );
        let changed = if commit == 0 {
            0..files.len()
        } else {
            let at = random.below(files.len());
            at..at + 1
        };
        for at in changed {
            files[at] = edit(&files[at], random.next(), 3).0;
            let text = String::from_utf8_lossy(&files[at]);
            let _ = write!(
                stream,
                "M 100644 inline src/part{}/file{}.rs\ndata {}\n{text}\n",
                at / 20,
                at % 20,
                text.len()
            );
        }
    }
    let git = |arguments: &[&str], input: &str| {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("git is installed");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success(), "git {arguments:?}");
    };
    git(&["init", "-q", "--bare"], "");
    git(&["fast-import", "--quiet"], &stream);
    git(&["repack", "-qadf", "--depth=50", "--window=10"], "");
}

//! What a run leaves to the next: nothing is lent twice, nothing is lost, and what is told of a
//! repository is the same with and without a memory.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use keymuster_api::{Candidate, Coverage, Memo, Place, SystemId};

use super::{
    fixture::{Fixture, Random, text},
    mock::{How, Seen, run_with, spec, sweep},
    stores::history,
};

/// A memory in memory. It never says that a resource is unchanged, so that the parts below that
/// are seen at work.
#[derive(Default)]
struct Kept(Mutex<Parts>);
/// Pieces by unit and part.
type Parts = BTreeMap<(String, String), Vec<Vec<u8>>>;

impl Memo for Kept {
    fn pieces(&self, unit: &str, part: &str) -> Vec<Vec<u8>> {
        let kept = self.0.lock().unwrap();
        let key = (unit.to_owned(), part.to_owned());
        kept.get(&key).cloned().unwrap_or_default()
    }
    fn add(&self, unit: &str, part: &str, piece: Vec<u8>) {
        let mut kept = self.0.lock().unwrap();
        kept.entry((unit.to_owned(), part.to_owned()))
            .or_default()
            .push(piece);
    }
    fn replace(&self, unit: &str, parts: Vec<(String, Vec<u8>)>) {
        let mut kept = self.0.lock().unwrap();
        for (part, piece) in parts {
            kept.remove(&(unit.to_owned(), part.clone()));
            if !piece.is_empty() {
                kept.insert((unit.to_owned(), part), vec![piece]);
            }
        }
    }
    fn told(&self, _: Place, _: Vec<Candidate>) {}
    fn unchanged(&self, _: SystemId, _: u32, _: &str, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn settled(&self, _: SystemId, _: u32, _: &str, _: &[u8], _: Vec<u8>) {}
}

fn memory() -> (Arc<Kept>, Arc<dyn Memo>) {
    let kept = Arc::new(Kept::default());
    (Arc::clone(&kept), kept)
}

fn remembering(fixture: &Fixture, memo: &Arc<dyn Memo>) -> Seen {
    let how = How {
        memo: Some(Arc::clone(memo)),
        ..How::default()
    };
    run_with(spec(&fixture.path()), &how).unwrap()
}

fn coverage(seen: &Seen) -> Vec<(String, Option<u64>, u64, u64, bool)> {
    let told = |one: &Coverage| {
        (
            one.what.clone(),
            one.expected,
            one.received,
            one.bytes,
            one.complete,
        )
    };
    seen.coverage.iter().map(told).collect()
}

/// A run with the memory says what a run without one says, and lends only these many objects.
#[track_caller]
fn agrees(fixture: &Fixture, memo: &Arc<dyn Memo>, lent: usize) {
    let (_, empty) = memory();
    let path = fixture.path();
    let cold = remembering(fixture, &empty);
    let warm = remembering(fixture, memo);
    assert_eq!(coverage(&warm), coverage(&cold));
    assert_eq!(warm.gaps, cold.gaps);
    let everything = sweep(&path);
    for needle in ["changed in 3", "line 7 holds", "version 5", "fresh"] {
        let wanted = || vec![everything.holding(needle)];
        assert_eq!(
            warm.locate(wanted(), true),
            everything.locate(wanted(), true),
            "{needle}"
        );
    }
    assert_eq!(
        warm.named(&|name| name.ends_with(b".md")),
        everything.named(&|name| name.ends_with(b".md"))
    );
    assert_eq!(warm.blobs.len() + warm.messages.len(), lent);
}

#[test]
fn nothing_is_lent_twice_whatever_happens_to_the_repository() {
    let mut fixture = history("sha1");
    let (_, memo) = memory();
    // 12 versions of two files, 12 commits, a tag; all loose.
    agrees(&fixture, &memo, 37);
    agrees(&fixture, &memo, 0);
    // Packed.
    fixture.git(&["repack", "-q", "-adf"]);
    agrees(&fixture, &memo, 0);
    // New commits, loose and then in a pack of their own.
    fixture.write("new.md", "fresh 1");
    fixture.commit("more");
    agrees(&fixture, &memo, 2);
    fixture.write("src/long.txt", text(7, 401) + "fresh 2");
    fixture.commit("even more");
    fixture.git(&["repack", "-q", "-d"]);
    agrees(&fixture, &memo, 2);
    agrees(&fixture, &memo, 0);
    // A branch, an amended commit, a deleted branch.
    fixture.git(&["checkout", "-q", "-b", "side", "HEAD~3"]);
    fixture.write("side.md", "fresh 3");
    fixture.commit("on the side");
    agrees(&fixture, &memo, 2);
    fixture.write("side.md", "fresh 4");
    fixture.git(&["add", "-A"]);
    fixture.git(&["commit", "-q", "--amend", "-m", "amended"]);
    agrees(&fixture, &memo, 2);
    fixture.git(&["checkout", "-q", "main"]);
    fixture.git(&["branch", "-q", "-D", "side"]);
    agrees(&fixture, &memo, 0);
    // What nothing refers to is pruned, and its places with it.
    fixture.git(&["reflog", "expire", "--expire=now", "--all"]);
    fixture.git(&["gc", "-q", "--prune=now"]);
    agrees(&fixture, &memo, 0);
    // A fetch that keeps its pack, and the same objects in two packs.
    let other = fixture.beside("other");
    fixture.git(&["clone", "-q", ".", &other.display().to_string()]);
    fs::write(other.join("src/long.txt"), text(7, 402) + "fresh 5").unwrap();
    fixture.git_in(&other, &["commit", "-q", "-am", "theirs"], b"");
    fixture.git(&["-c", "fetch.unpackLimit=1", "fetch", "-q", "../other"]);
    agrees(&fixture, &memo, 2);
    fixture.git(&["repack", "-q", "-a"]);
    agrees(&fixture, &memo, 0);
}

#[test]
fn a_killed_run_resumes_from_what_it_had_done() {
    let fixture = Fixture::new();
    let mut random = Random(3);
    let mut stream = Vec::new();
    for _ in 0..6000 {
        let noise: String = (0..32).map(|_| format!("{:016x}", random.next())).collect();
        stream.extend_from_slice(format!("blob\ndata {}\n{noise}\n", noise.len()).as_bytes());
    }
    fixture.git_in(&fixture.path(), &["fast-import", "--quiet"], &stream);
    let mut last = 6001;
    for loads in [0, 1, usize::MAX] {
        let (_, memo) = memory();
        let how = How {
            memo: Some(Arc::clone(&memo)),
            loads,
            ..How::default()
        };
        let killed = run_with(spec(&fixture.path()), &how);
        assert_eq!(killed.is_none(), loads < usize::MAX);
        let resumed = remembering(&fixture, &memo);
        assert!(
            resumed.blobs.len() < last,
            "after {loads} loads: {}",
            resumed.blobs.len()
        );
        last = resumed.blobs.len();
        let blobs = resumed.covered("blobs");
        assert_eq!((blobs.received, blobs.complete), (6000, true));
        let third = remembering(&fixture, &memo);
        assert_eq!(third.blobs.len(), 0);
        assert_eq!(coverage(&third), coverage(&resumed));
    }
    assert_eq!(last, 0);
}

/// A run that was stopped, or met a gap, leaves what it did and never says that it saw all.
#[test]
fn what_was_not_seen_is_looked_at_again() {
    let fixture = history("sha1");
    let (_, memo) = memory();
    let how = How {
        memo: Some(Arc::clone(&memo)),
        cancelled: true,
        ..How::default()
    };
    let stopped = run_with(spec(&fixture.path()), &how).unwrap();
    assert_eq!(stopped.gaps.len(), 1);
    agrees(&fixture, &memo, 37);
    let lost = fixture.blob(b"damaged soon");
    let hex = lost.to_string();
    let file = fixture
        .path()
        .join(format!(".git/objects/{}/{}", &hex[..2], &hex[2..]));
    fs::remove_file(&file).unwrap();
    fs::write(&file, "not what it was").unwrap();
    for _ in 0..2 {
        agrees(&fixture, &memo, 0);
        let warm = remembering(&fixture, &memo);
        assert_eq!(warm.gaps.len(), 1, "told every night");
    }
}

#[test]
fn damaged_pieces_are_not_believed() {
    let fixture = history("sha1");
    fixture.git(&["repack", "-q", "-adf"]);
    let (kept, memo) = memory();
    agrees(&fixture, &memo, 37);
    let whole = kept.0.lock().unwrap().clone();
    let mut random = Random(9);
    for part in ["objects", "graph"] {
        for _ in 0..40 {
            let mut damaged = whole.clone();
            for ((_, name), pieces) in &mut damaged {
                if name == part {
                    let end = random.below(pieces[0].len() as u64) as usize;
                    pieces[0].truncate(end);
                }
            }
            *kept.0.lock().unwrap() = damaged;
            let lent = if part == "graph" { 0 } else { 37 };
            let warm = remembering(&fixture, &memo);
            assert_eq!(warm.blobs.len() + warm.messages.len(), lent, "{part}");
            assert!(warm.gaps.is_empty());
            assert!(warm.covered("trees").complete);
        }
    }
}

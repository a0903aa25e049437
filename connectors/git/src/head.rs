//! The files of HEAD, lent one by one: for whoever reads what stands there today and needs no
//! history.

use std::path::Path;

use keymuster_api::{Cancel, GapKind, SystemId};

use crate::{
    reader::Reader,
    repository::{Repository, RepositorySpec},
    select,
};

/// What could not be read: what kind of failure, which file (empty for all), and why.
pub type HeadTrouble = (GapKind, String, String);

/// Lends every file of HEAD whose path is wanted, sorted by path, if it is no larger than
/// `limit` bytes. A repository without a commit lends nothing.
pub fn read_head(
    path: &Path,
    limit: u64,
    cancel: &Cancel,
    wanted: &dyn Fn(&[u8]) -> bool,
    out: &mut dyn FnMut(&[u8], &[u8]),
) -> Vec<HeadTrouble> {
    let spec = RepositorySpec {
        object_limit: limit,
        ..RepositorySpec::new(path)
    };
    let repo = match Repository::open(&spec, 0, SystemId(0)) {
        Ok(repo) => repo,
        Err(gap) => return vec![(gap.kind, String::new(), gap.reason)],
    };
    // What is wrong with the history is the sweep's to tell; here only HEAD's files count.
    repo.take_gaps();
    let mut files: Vec<(Vec<u8>, Vec<u8>)> = select::at_head(&repo, cancel)
        .into_iter()
        .filter(|(path, _)| wanted(path))
        .collect();
    files.sort();
    let mut troubles: Vec<HeadTrouble> = repo
        .take_gaps()
        .into_iter()
        .map(|gap| (gap.kind, String::new(), gap.reason))
        .collect();
    if cancel.is_cancelled() {
        let reason = "the run was stopped before all its files were read".to_owned();
        troubles.push((GapKind::Cancelled, String::new(), reason));
    }
    let mut reader = Reader::new(&repo.store);
    for (path, id) in files {
        if cancel.is_cancelled() {
            break;
        }
        match reader.read_id(&id) {
            Ok((_, bytes)) => out(&path, bytes.bytes()),
            Err(fault) => {
                let path = String::from_utf8_lossy(&path).into_owned();
                troubles.push((fault.kind(), path, fault.reason()));
            }
        }
    }
    troubles
}

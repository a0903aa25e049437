//! The names of a repository: packed and loose refs, HEADs, worktrees, the stash's older
//! entries. FETCH_HEAD and ORIG_HEAD are leftovers of commands and no tips.

use std::{collections::BTreeMap, fs, path::Path};

use keymuster_api::{GapKind, ObjectId, PathBytes};

use crate::{
    layout::{RepositoryLayout, read_text},
    store::{Trouble, unreadable},
};

/// A ref and what it points at, before tags are peeled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ref {
    /// Its full name: `refs/heads/main`, `HEAD` where detached, `refs/stash@{1}`.
    pub(crate) name: String,
    /// What it points at.
    pub(crate) id: ObjectId,
}

enum Target {
    Id(ObjectId),
    Symbolic(String),
}

/// Reads every ref, sorted by name.
pub(crate) fn read(
    layout: &RepositoryLayout,
    hash_len: usize,
    troubles: &mut Vec<Trouble>,
) -> Vec<Ref> {
    let mut found: BTreeMap<String, Target> = BTreeMap::new();
    let packed = layout.common_dir.join("packed-refs");
    match read_text(&packed) {
        Ok(text) => {
            for line in text.split(|&byte| byte == b'\n') {
                if let Some((hex, name)) = line.split_at_checked(hash_len * 2)
                    && let Some(id) = ObjectId::from_hex(hex)
                    && let Some(name) = name.strip_prefix(b" ")
                {
                    found.insert(shown(name.trim_ascii_end()), Target::Id(id));
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => troubles.push(unreadable(&packed, &error)),
    }
    walk(
        &layout.common_dir.join("refs"),
        "refs",
        0,
        &mut found,
        troubles,
    );
    if layout.git_dir != layout.common_dir {
        walk(
            &layout.git_dir.join("refs"),
            "refs",
            0,
            &mut found,
            troubles,
        );
    }
    if let Some(target @ Target::Id(_)) = loose(&layout.git_dir.join("HEAD")) {
        found.insert("HEAD".to_owned(), target);
    }
    for entry in fs::read_dir(layout.common_dir.join("worktrees"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = format!("worktrees/{}", entry.file_name().to_string_lossy());
        if let Some(target @ Target::Id(_)) = loose(&entry.path().join("HEAD")) {
            found.insert(format!("{name}/HEAD"), target);
        }
        let inside = entry.path().join("refs");
        walk(&inside, &format!("{name}/refs"), 0, &mut found, troubles);
    }
    let mut refs: Vec<Ref> = found
        .iter()
        .filter_map(|(name, target)| {
            Some(Ref {
                name: name.clone(),
                id: resolve(&found, target)?,
            })
        })
        .collect();
    refs.extend(stash(layout));
    refs.sort_unstable();
    refs
}

/// What HEAD points at.
pub(crate) fn head(layout: &RepositoryLayout, refs: &[Ref]) -> Option<ObjectId> {
    match loose(&layout.git_dir.join("HEAD"))? {
        Target::Id(id) => Some(id),
        Target::Symbolic(name) => refs
            .iter()
            .find(|found| found.name == name)
            .map(|found| found.id),
    }
}

fn resolve(found: &BTreeMap<String, Target>, target: &Target) -> Option<ObjectId> {
    let mut target = target;
    for _ in 0..8 {
        match target {
            Target::Id(id) => return Some(*id),
            Target::Symbolic(name) => target = found.get(name)?,
        }
    }
    None
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut BTreeMap<String, Target>,
    troubles: &mut Vec<Trouble>,
) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            troubles.push(unreadable(folder, &error));
            return;
        }
    };
    if depth > 64 {
        let reason = "refs are nested more than 64 deep".to_owned();
        troubles.push((GapKind::Limit, folder.display().to_string(), reason));
        return;
    }
    for entry in entries.flatten() {
        let file_name = entry.file_name();
        let name = format!("{prefix}/{}", shown(file_name.as_encoded_bytes()));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), &name, depth + 1, found, troubles),
            Ok(_) if !name.ends_with(".lock") => {
                if let Some(target) = loose(&entry.path()) {
                    found.insert(name, target);
                }
            }
            _ => {}
        }
    }
}

fn loose(path: &Path) -> Option<Target> {
    let text = read_text(path).ok()?;
    let text = text.trim_ascii();
    match text.strip_prefix(b"ref:") {
        Some(name) => Some(Target::Symbolic(shown(name.trim_ascii()))),
        None => ObjectId::from_hex(text.get(..64).or(text.get(..40))?)
            .or_else(|| ObjectId::from_hex(text.get(..40)?))
            .map(Target::Id),
    }
}

/// Older entries of the stash live in its log alone.
fn stash(layout: &RepositoryLayout) -> Vec<Ref> {
    let Ok(text) = read_text(&layout.common_dir.join("logs/refs/stash")) else {
        return Vec::new();
    };
    let ids: Vec<ObjectId> = text
        .split(|&byte| byte == b'\n')
        .filter_map(|line| ObjectId::from_hex(line.split(|&byte| byte == b' ').nth(1)?))
        .collect();
    let count = ids.len();
    ids.into_iter()
        .enumerate()
        .map(|(at, id)| Ref {
            name: format!("refs/stash@{{{}}}", count - 1 - at),
            id,
        })
        .filter(|entry| entry.name != "refs/stash@{0}") // that is refs/stash itself
        .collect()
}

fn shown(name: &[u8]) -> String {
    PathBytes(name.to_vec()).to_string()
}

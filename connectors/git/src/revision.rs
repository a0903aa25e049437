//! Names of commits as people write them: refs, abbreviated ids, `HEAD~3`, `v1^2`.

use keymuster_api::ObjectId;

use crate::{commit, delta::Kind, reader::Reader, refs, repository::Repository};

/// The commit that a revision names, as an object number.
///
/// # Errors
/// Why it names none, and what can be written.
pub(crate) fn resolve(
    repo: &Repository,
    reader: &mut Reader<'_>,
    text: &str,
) -> Result<u32, String> {
    let text = text.trim();
    let stop = text.find(['~', '^']).unwrap_or(text.len());
    let (name, mut steps) = text.split_at(stop);
    let unknown = || format!("revision '{text}' is not known; name a branch, a tag or a commit id");
    let id = named(repo, name)?.ok_or_else(unknown)?;
    let mut number = peel(repo, reader, id).ok_or_else(unknown)?;
    while let Some(step) = steps.chars().next() {
        steps = &steps[1..];
        if step == '^' && steps.starts_with('{') {
            let end = steps.find('}').ok_or_else(unknown)?;
            if !matches!(&steps[1..end], "" | "commit") {
                return Err(unknown());
            }
            steps = &steps[end + 1..];
            continue;
        }
        let digits = steps
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(steps.len());
        let (count, rest) = steps.split_at(digits);
        steps = rest;
        let count: usize = if count.is_empty() {
            1
        } else {
            count.parse().map_err(|_| unknown())?
        };
        match step {
            '~' => {
                for _ in 0..count {
                    number = parent(repo, reader, number, 1).ok_or_else(unknown)?;
                }
            }
            '^' if count == 0 => {}
            '^' => number = parent(repo, reader, number, count).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        }
    }
    Ok(number)
}

/// The two ends of `A..B`.
///
/// # Errors
/// Why it is no range.
pub(crate) fn range(
    repo: &Repository,
    reader: &mut Reader<'_>,
    text: &str,
) -> Result<(u32, u32), String> {
    let Some((from, to)) = text.split_once("..").filter(|(_, to)| !to.starts_with('.')) else {
        return Err(format!("'{text}' is no range; write it as A..B"));
    };
    let or_head = |end: &str| {
        if end.trim().is_empty() {
            "HEAD".to_owned()
        } else {
            end.to_owned()
        }
    };
    Ok((
        resolve(repo, reader, &or_head(from))?,
        resolve(repo, reader, &or_head(to))?,
    ))
}

fn named(repo: &Repository, name: &str) -> Result<Option<ObjectId>, String> {
    if matches!(name, "HEAD" | "@") {
        return Ok(refs::head(&repo.layout, &repo.refs));
    }
    for full in [
        name.to_owned(),
        format!("refs/{name}"),
        format!("refs/tags/{name}"),
        format!("refs/heads/{name}"),
        format!("refs/remotes/{name}"),
        format!("refs/remotes/{name}/HEAD"),
    ] {
        if let Ok(found) = repo
            .refs
            .binary_search_by(|known| known.name.as_str().cmp(&full))
        {
            return Ok(Some(repo.refs[found].id));
        }
    }
    let hex = name.to_ascii_lowercase();
    let is_hex = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || hex.len() < 4 || hex.len() > repo.store.hash_len * 2 {
        return Ok(None);
    }
    match repo.store.abbreviated(hex.as_bytes()).as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        _ => Err(format!(
            "revision '{name}' fits several objects; write more digits"
        )),
    }
}

fn peel(repo: &Repository, reader: &mut Reader<'_>, id: ObjectId) -> Option<u32> {
    let mut id = id;
    for _ in 0..16 {
        let number = repo.store.find(id.as_bytes())?;
        match reader.read(number).ok()? {
            (Kind::Commit, _) => return Some(number),
            (Kind::Tag, bytes) => id = commit::tagged(bytes.bytes())?,
            _ => return None,
        }
    }
    None
}

fn parent(repo: &Repository, reader: &mut Reader<'_>, number: u32, count: usize) -> Option<u32> {
    let (_, bytes) = reader.read(number).ok()?;
    let head = commit::head(bytes.bytes(), u32::MAX, |id| repo.store.find(id))?.head;
    head.parents
        .get(count.checked_sub(1)?)
        .copied()
        .filter(|&parent| parent != u32::MAX)
}

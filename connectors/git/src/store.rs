//! Every object of a repository under one numbering: packs, then loose objects.
//!
//! An object that is stored several times has several numbers; [`Store::find`] always gives
//! the same one, the *canonical* number, which belongs to the first pack that has it.

use std::path::{Path, PathBuf};

use keymuster_api::{GapKind, ObjectId};

use crate::{
    layout::{self, RepositoryLayout},
    loose,
    pack::Pack,
    plan::NONE,
};

/// All objects of one repository.
pub(crate) struct Store {
    /// Own packs first, then those of alternates; sorted by name within a folder.
    pub(crate) packs: Vec<Pack>,
    /// Loose objects that no pack has: sorted by id, each once.
    pub(crate) loose: Vec<Loose>,
    /// Bytes of an id.
    pub(crate) hash_len: usize,
    /// No object may be larger.
    pub(crate) limit: u64,
    /// Whether objects may be missing on purpose.
    pub(crate) promisor: bool,
    /// The object folders.
    pub(crate) dirs: Vec<PathBuf>,
    /// The number of the first loose object.
    pub(crate) first_loose: u32,
}

/// A loose object.
pub(crate) struct Loose {
    /// Its id.
    pub(crate) id: ObjectId,
    /// Index of its folder in the list of object folders.
    pub(crate) dir: u32,
}

/// Something wrong that was met while opening: kind, subject, reason.
pub(crate) type Trouble = (GapKind, String, String);

impl Store {
    /// Opens what can be opened; the rest is in the list.
    pub(crate) fn open(
        layout: &RepositoryLayout,
        hash: gix_hash::Kind,
        limit: u64,
    ) -> (Store, Vec<Trouble>) {
        let mut troubles = Vec::new();
        let (dirs, wrong) = layout::object_dirs(&layout.common_dir);
        troubles.extend(wrong.into_iter().map(|what| {
            let reason = "objects in it stay unseen; correct info/alternates".to_owned();
            (GapKind::Missing, what, reason)
        }));
        let mut packs: Vec<Pack> = Vec::new();
        let mut promisor = false;
        let mut next = 0u32;
        for dir in &dirs {
            let folder = dir.join("pack");
            let names = match list(&folder) {
                Ok(names) => names,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    troubles.push(unreadable(&folder, &error));
                    continue;
                }
            };
            promisor |= names.iter().any(|name| name.ends_with(".promisor"));
            for name in names.iter().filter(|name| name.ends_with(".pack")) {
                let path = folder.join(name);
                match Pack::open(&path, hash, next) {
                    // The top bit is a flag elsewhere.
                    Ok(pack) if u64::from(next) + u64::from(pack.len()) < 1 << 30 => {
                        if pack.declared() != pack.len() {
                            let reason = format!(
                                "it holds {} objects and its index lists {}; run git index-pack",
                                pack.declared(),
                                pack.len()
                            );
                            troubles.push((GapKind::Corrupt, path.display().to_string(), reason));
                        }
                        next += pack.len();
                        packs.push(pack);
                    }
                    Ok(_) => troubles.push((
                        GapKind::Limit,
                        path.display().to_string(),
                        "more than 2^30 objects in one repository".to_owned(),
                    )),
                    Err(reason) => {
                        troubles.push((GapKind::Corrupt, path.display().to_string(), reason));
                    }
                }
            }
        }
        let mut store = Store {
            packs,
            loose: Vec::new(),
            hash_len: hash.len_in_bytes(),
            limit,
            promisor,
            dirs: Vec::new(),
            first_loose: next,
        };
        let mut loose = Vec::new();
        for (number, dir) in dirs.iter().enumerate() {
            for found in loose::list(dir, hash.len_in_bytes(), &mut troubles) {
                if store.find(found.as_bytes()).is_none() {
                    loose.push(Loose {
                        id: found,
                        dir: number as u32,
                    });
                }
            }
        }
        loose.sort_by_key(|object| (object.id, object.dir));
        loose.dedup_by_key(|object| object.id);
        store.loose = loose;
        store.dirs = dirs;
        (store, troubles)
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.first_loose as usize + self.loose.len()
    }

    /// The canonical number of an object.
    pub(crate) fn find(&self, id: &[u8]) -> Option<u32> {
        for pack in &self.packs {
            if let Some(position) = pack.find(id) {
                return Some(pack.first + position);
            }
        }
        let found = self
            .loose
            .binary_search_by(|object| object.id.as_bytes().cmp(id))
            .ok()?;
        Some(self.first_loose + found as u32)
    }

    /// The canonical numbers of objects whose ids stand one behind the other; [`NONE`] for those
    /// that are not here.
    pub(crate) fn find_each(&self, ids: &[u8]) -> Vec<u32> {
        let ids: Vec<&[u8]> = ids.chunks_exact(self.hash_len).collect();
        let mut found = vec![NONE; ids.len()];
        if let [pack, ..] = &self.packs[..] {
            pack.find_each(&ids, &mut found);
        }
        for (id, found) in ids.iter().zip(&mut found) {
            if *found == NONE
                && let Some(number) = self.find(id)
            {
                *found = number;
            }
        }
        found
    }

    /// Whether this pack's copy is the canonical one.
    pub(crate) fn is_canonical(&self, pack: usize, position: u32) -> bool {
        let Some(own) = self.packs.get(pack) else {
            return false;
        };
        let id = own.raw_id(position);
        self.packs
            .iter()
            .take(pack)
            .all(|earlier| earlier.find(id).is_none())
    }

    /// The id of a number.
    pub(crate) fn id(&self, number: u32) -> Option<ObjectId> {
        match self.in_pack(number) {
            Some((pack, position)) => self.packs[pack].id(position),
            None => {
                let index = number.checked_sub(self.first_loose)?;
                self.loose.get(index as usize).map(|object| object.id)
            }
        }
    }

    /// The number of the loose object with this index.
    pub(crate) fn loose_number(&self, index: usize) -> u32 {
        self.first_loose + index as u32
    }

    /// The pack of a number, and its position there; `None` for loose objects.
    pub(crate) fn in_pack(&self, number: u32) -> Option<(usize, u32)> {
        if number >= self.first_loose {
            return None;
        }
        let pack = self
            .packs
            .partition_point(|pack| pack.first <= number)
            .checked_sub(1)?;
        Some((pack, number - self.packs[pack].first))
    }

    /// Where an object lies, for reading many in a good order.
    pub(crate) fn address(&self, number: u32) -> (usize, u64) {
        match self.in_pack(number) {
            Some((pack, position)) => (pack, self.packs[pack].offset(position)),
            None => (usize::MAX, u64::from(number)),
        }
    }

    /// Ids that begin with these hexadecimal digits; at most two, because two are ambiguous.
    pub(crate) fn abbreviated(&self, hex: &[u8]) -> Vec<ObjectId> {
        let mut low = hex.to_vec();
        low.resize(self.hash_len * 2, b'0');
        let Some(low) = ObjectId::from_hex(&low) else {
            return Vec::new();
        };
        let fits = |id: &ObjectId| id.to_string().as_bytes().starts_with(hex);
        let mut found = Vec::new();
        for pack in &self.packs {
            let start = pack.lower_bound(low.as_bytes());
            found.extend(
                (start..pack.len())
                    .map_while(|at| pack.id(at).filter(fits))
                    .take(2),
            );
        }
        let start = self.loose.partition_point(|object| object.id < low);
        found.extend(
            self.loose[start..]
                .iter()
                .map(|object| object.id)
                .take_while(fits)
                .take(2),
        );
        found.sort_unstable();
        found.dedup();
        found.truncate(2);
        found
    }
}

fn list(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A folder or file that cannot be read, as trouble.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Trouble {
    let reason = format!("cannot be read: {error}; check permissions");
    (GapKind::Unreadable, path.display().to_string(), reason)
}

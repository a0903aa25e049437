//! Which blobs hold which secret, whatever their paths: the slow truth for `provenance.py`.
//!
//!     git cat-file --batch-all-objects --unordered --batch | holders STATE
//!
//! Reads what git prints, searches every blob by itself and as a whole (no deltas, no
//! inheritance, no class of path), and writes `<blob> <secret id>` for each candidate. The key
//! is that of the state folder, so that the ids are those of a scan. Nothing else of a secret is
//! written.

use std::{
    error::Error,
    fs,
    io::{self, BufRead as _, Read as _, Write as _},
    path::PathBuf,
};

use keymuster::engine::{Engine, RuleSet, Seal};
use keymuster_api::{Content, Fresh, ObjectId, Place, Spot, SystemId};

fn main() -> Result<(), Box<dyn Error>> {
    let state = std::env::args_os().nth(1).ok_or("name a state folder")?;
    let text = fs::read_to_string(PathBuf::from(state).join("seal.key"))?;
    let digits = data_encoding::HEXLOWER.decode(text.trim().as_bytes())?;
    let key: [u8; 32] = digits.try_into().map_err(|_| "the key has not 32 bytes")?;
    let engine = Engine::new(RuleSet::embedded()?, Seal::new(key));
    let mut input = io::BufReader::with_capacity(1 << 20, io::stdin().lock());
    let mut out = io::BufWriter::new(io::stdout().lock());
    let (mut header, mut bytes) = (String::new(), Vec::new());
    loop {
        header.clear();
        if input.read_line(&mut header)? == 0 {
            break;
        }
        let mut words = header.split_whitespace();
        let (Some(id), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        bytes.clear();
        input
            .by_ref()
            .take(size.parse::<u64>()? + 1)
            .read_to_end(&mut bytes)?;
        bytes.pop();
        let Some(object) = ObjectId::from_hex(id.as_bytes()).filter(|_| kind == "blob") else {
            continue;
        };
        let place = Place {
            system: SystemId(0),
            resource: 0,
            spot: Spot::Blob { id: object },
        };
        let content = Content {
            place: &place,
            bytes: &bytes,
            origin: Default::default(),
            class: None,
            fresh: Fresh::Everything,
        };
        for candidate in engine.search(&content).candidates {
            writeln!(out, "{id} {}", candidate.secret)?;
        }
    }
    out.flush()?;
    Ok(())
}

//! Why an object cannot be read, before anybody knows which repository it is in.

use keymuster_api::{GapKind, ObjectId};

/// Why an object cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its bytes make no sense.
    Corrupt(&'static str),
    /// It is larger, or its delta chain longer, than the limit.
    Limit(&'static str),
    /// Its delta base is nowhere in the store.
    NoBase(ObjectId),
    /// It is nowhere in the store.
    Missing,
    /// Its file cannot be read.
    Unreadable(String),
}

impl Fault {
    /// The kind of gap it makes.
    pub(crate) fn kind(&self) -> GapKind {
        match self {
            Fault::Corrupt(_) => GapKind::Corrupt,
            Fault::Limit(_) => GapKind::Limit,
            Fault::NoBase(_) | Fault::Missing => GapKind::Missing,
            Fault::Unreadable(_) => GapKind::Unreadable,
        }
    }

    /// The reason, with the next step.
    pub(crate) fn reason(&self) -> String {
        match self {
            Fault::Corrupt(what) => format!("{what}; run git fsck and fetch the repository again"),
            Fault::Limit(what) => format!("{what}; raise the object size limit to read it"),
            Fault::NoBase(id) => {
                format!("its delta base {id} is not in the store; fetch the repository again")
            }
            Fault::Missing => "it is not in the store; fetch the repository again".to_owned(),
            Fault::Unreadable(error) => format!("it cannot be read: {error}; check permissions"),
        }
    }
}

//! What hosts say of how things are set up, as checks judge it: each file is a part of one.

mod default_tokens;
pub(in crate::audit) mod surroundings;
mod webhooks;

pub(in crate::audit) use default_tokens::default_tokens;
pub(in crate::audit) use webhooks::webhooks;

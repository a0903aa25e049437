//! What acts for a language model.

pub(super) mod agent_credential;

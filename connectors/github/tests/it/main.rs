//! The connector against a host that behaves as GitHub does, or worse.

/// What GitHub describes of its answers.
mod described;
/// Who one is: tokens, apps, refusals; what is missing.
mod login;
/// What a sweep tells, and what it does not.
mod sweep;
/// The host, the run, and what they share.
mod world;

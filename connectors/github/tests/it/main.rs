//! The connector against a host that behaves as GitHub does, or worse.

/// What GitHub describes of its answers.
mod described;
/// Who one is: tokens, apps, refusals; what is missing.
mod login;
/// Requests held against GitHub's description.
mod prism;
/// What a sweep tells, and what it does not.
mod sweep;
/// What happens in mid-sweep, and how many repositories there may be.
mod upheaval;
/// The host, the run, and what they share.
mod world;

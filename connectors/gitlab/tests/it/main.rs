//! The connector against a host that behaves as GitLab does, or worse.

/// Who one is: scopes, roles, refusals; what is missing.
mod login;
/// What a sweep tells, and what it does not.
mod sweep;
/// What happens to projects in mid-sweep, and how many there may be.
mod upheaval;
/// The host, the run, and what they share.
mod world;

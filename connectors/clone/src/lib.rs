//! Clones and refreshes repositories that a host lists, as bare mirrors, with the `git` of the
//! machine and without trusting what comes.
//!
//! First `ls-remote`: where the refs are those of last time, nothing is fetched. A fetch that was
//! killed is taken up again; a mirror counts only when its refs were written down at the end.
//! Reading what was fetched is the git connector's part.
//!
//! Invariant: nothing of a repository is executed and nothing is checked out: no hooks, no
//! filters, no submodules, no configuration but what is given here.
//! Invariant: a token is in the environment of the child and nowhere else: no argument, no
//! address, no file.

mod git;
mod mirror;

pub use git::Login;
pub use mirror::{Limits, Mirrors, Unfetched};

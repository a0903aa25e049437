//! One integration binary. Each module says what belongs there.

/// The whole run, from files on disk: the demo company, ids that last, the nights.
mod audit;
/// Bad content is a gap, bad configuration stops the run and says what to do.
mod bad_input;
/// Planted secrets are looked for in everything the program leaves behind.
mod canary;
/// Every check through `audit`, from cases that are data.
mod checks;
/// The program as a user sees it: arguments in, output and exit code out.
mod cli;
/// Archives, packages and databases: members found at `outer!inner`, gaps for the rest.
mod containers;
/// The practices that checks answer for, each with a case that shows it and one that does not.
mod controls;
/// What fuzzing left: every target has seeds, and rule files are read as fuzzing reads them.
mod fuzz;
/// The gate at release: what a change brings in, held against the register.
mod gate;
/// An organisation of GitHub, over a network that fails, and the same without it.
#[cfg(feature = "github")]
mod github;
/// A group of GitLab, over a network that fails, and the same without it.
#[cfg(feature = "gitlab")]
mod gitlab;
/// The hooks and jobs that people copy, run as they stand.
mod hooks;
/// What the audits of code hosts share.
#[cfg(any(feature = "github", feature = "gitlab"))]
mod hosts;
/// Reports of other scanners, read as sightings and suppressions.
mod import;
/// The fast engine finds what the oracle finds, for every rule and any edit.
mod law;
/// The second night: what earlier runs left changes no byte of a result.
mod memo;
/// An account made in a real moto server, exported with the AWS commands, and audited.
#[cfg(feature = "aws-iam")]
mod moto;
/// Life through the nights: evidence, tickets, units and jobs, runs that are killed.
mod nightly;
/// Registers, people, owners and decisions as organisations keep them, through a whole run.
mod register;
/// House rules that no compiler checks: who may use whom, what must be listed.
mod tidy;
/// Pipelines and manifests: what breaks without a credential.
mod workflows;
/// What the other modules share: running the program, making trees and repositories.
mod world;

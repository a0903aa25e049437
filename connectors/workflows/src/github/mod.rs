//! GitHub Actions: workflow files as written ([`mod@parse`]), what an expression may stand for
//! ([`value`]), logins that steps make ([`login`]), and which job of whose run uses what when
//! workflows call each other ([`link`]).
//! Source: docs.github.com/actions/reference/workflows-and-actions/workflow-syntax

pub(crate) mod dependabot;
pub(crate) mod link;
mod login;
mod parse;
mod value;

use std::collections::BTreeMap;

use keymuster_api::LoginMethod;

pub(crate) use login::VARIABLES as CLOUD_VARIABLES;
pub(crate) use parse::parse;

use crate::expression::Wanted;

/// A workflow file, as written.
#[derive(Debug, Default)]
pub(crate) struct Workflow {
    /// What starts it.
    pub(crate) triggers: Vec<String>,
    /// Inputs of whoever starts it by hand, with what they may be; empty where that is open.
    pub(crate) dispatch_inputs: BTreeMap<String, Vec<String>>,
    /// Inputs of whoever calls it, with what they are where none is given.
    pub(crate) call_inputs: BTreeMap<String, Vec<String>>,
    /// Its jobs.
    pub(crate) jobs: Vec<Job>,
}

impl Workflow {
    /// Whether something else than a call starts it.
    pub(crate) fn runs_by_itself(&self) -> bool {
        self.triggers.iter().any(|name| name != "workflow_call")
    }
}

/// A job, as written.
#[derive(Debug, Default)]
pub(crate) struct Job {
    /// Its id.
    pub(crate) id: String,
    /// Its lines.
    pub(crate) lines: (u32, u32),
    /// Its environment, with expressions.
    pub(crate) environment: Option<String>,
    /// What its token may do, where it or its workflow says so.
    pub(crate) permissions: Option<Vec<(String, String)>>,
    /// What it refers to.
    pub(crate) refs: Vec<Ref>,
    /// The values of its matrix, by the path below `matrix`.
    pub(crate) matrix: BTreeMap<String, Vec<String>>,
    /// Whether its matrix is computed, so that its values are open.
    pub(crate) open_matrix: bool,
    /// The workflow it calls, if it is that kind of job.
    pub(crate) call: Option<Call>,
    /// What its steps log in to.
    pub(crate) logins: Vec<LoginDraft>,
    /// Whether it checks out what somebody proposes, with the rights of the repository.
    pub(crate) takes_proposals: bool,
}

/// One reference.
#[derive(Debug, Clone)]
pub(crate) struct Ref {
    pub(crate) wanted: Wanted,
    pub(crate) how: String,
    pub(crate) line: u32,
}

/// A call of a reusable workflow.
#[derive(Debug)]
pub(crate) struct Call {
    /// `./.github/workflows/x.yml`, or `owner/repo/.github/workflows/x.yml@ref`.
    pub(crate) target: String,
    /// Whether it hands all secrets over.
    pub(crate) inherits: bool,
    /// The secrets it hands over, by the name they have there.
    pub(crate) secrets: BTreeMap<String, Vec<Wanted>>,
    /// Inputs, with expressions.
    pub(crate) with: BTreeMap<String, String>,
    /// Line of `uses`.
    pub(crate) line: u32,
}

/// A login, before names are resolved.
#[derive(Debug, Clone)]
pub(crate) struct LoginDraft {
    pub(crate) provider: &'static str,
    pub(crate) method: LoginMethod,
    pub(crate) by: String,
    pub(crate) target: Option<String>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) line: u32,
}

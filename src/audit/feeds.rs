//! Which connector or file feeds each input of each check: shown by `explain`, and kept as a page
//! ([CHECKS.md](../../CHECKS.md)), which a test compares with this.

use super::{CHECKS, CheckAbout, Input, controls};

impl Input {
    /// What it is, and what gives it.
    pub fn fed_by(self) -> (&'static str, &'static str) {
        match self {
            Input::Inventory => (
                "the official register",
                "[[inventory]] file: CSV, JSON, JSON Lines",
            ),
            Input::Discovered => (
                "credentials and principals that exist",
                "connectors aws-iam (details, key lists, credential report), gcp, entra, kubernetes; git and files for secrets in content",
            ),
            Input::Locations => (
                "places where secrets stand: repositories, trees, stores of pipelines",
                "connectors git and files; stores of pipelines as their hosts list them",
            ),
            Input::Usage => (
                "when and by whom it was used",
                "connectors aws-iam (credential report, get-access-key-last-used), gcp (query-activity), entra (sign-in activities), kubernetes (label of tokens); column `used by` of the register",
            ),
            Input::Permissions => (
                "what principals may do",
                "connectors aws-iam (get-account-authorization-details; boundaries and control policies where exported), gcp, entra, kubernetes",
            ),
            Input::People => ("who is there", "[[people]] file: CSV, JSON, JSON Lines"),
            Input::Catalogue => (
                "systems and APIs",
                "[catalogue] files: a table of systems, Backstage, OpenAPI and Swagger (Amazon API Gateway exports them), Kong, Envoy",
            ),
            Input::History => ("what earlier runs saw", "the ledger in the state folder"),
            Input::Coverage => ("what was seen of each scope", "every connector"),
            Input::Events => (
                "lifecycle events",
                "[[events]] file: event, subject, at, reference",
            ),
            Input::Vendors => (
                "vendors and partners",
                "[catalogue] files: a table with vendor, contract, contract_end, status, playbook, log_source",
            ),
            Input::Approvers => ("who may approve what", "[catalogue] files: approvers.toml"),
            Input::Scopes => (
                "scopes, issuers, ways of authentication agreed on",
                "[catalogue] files: scopes.toml",
            ),
            Input::Tickets => (
                "approvals and changes",
                "[[tickets]] file: exports of Jira and ServiceNow, or a table with id, state, created, closed",
            ),
            Input::Exceptions => ("findings accepted for a while", "[exceptions] file"),
        }
    }
}

/// What feeds a check, one line for each input.
pub fn feeds(check: &CheckAbout) -> Vec<String> {
    let line = |input: &Input| {
        let (what, from) = input.fed_by();
        format!("{}: {what}; from {from}", input.as_str())
    };
    check.needs.iter().map(line).collect()
}

/// The page of all checks, in Markdown.
pub fn page() -> String {
    let mut page = "# Checks\n\nWhat is judged, and what feeds it. An input that is missing for a subject makes it *not\nevaluated*, never passed. `keymuster explain ID` shows one with the same words. Written by\n`KEYMUSTER_WRITE=1 cargo test --lib the_page_of_checks`.\n\n| id | slug | title | inputs |\n|---|---|---|---|\n".to_owned();
    for check in CHECKS {
        let about = check.about();
        let inputs: Vec<&str> = about.needs.iter().map(|input| input.as_str()).collect();
        page.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            about.id,
            about.slug,
            about.title,
            inputs.join(", ")
        ));
    }
    let written: Vec<&str> = CHECKS.iter().map(|check| check.about().id).collect();
    let open: Vec<&str> = controls::known()
        .filter(|id| !written.contains(id))
        .collect();
    page.push_str(&format!(
        "\n{} of {} checks. Not written yet: {}.\n",
        written.len(),
        written.len() + open.len(),
        open.join(", ")
    ));
    page.push_str("\n## Inputs\n\n| input | what | from |\n|---|---|---|\n");
    let mut inputs: Vec<Input> = CHECKS
        .iter()
        .flat_map(|check| check.about().needs)
        .copied()
        .collect();
    inputs.sort();
    inputs.dedup();
    for input in inputs {
        let (what, from) = input.fed_by();
        page.push_str(&format!("| {} | {what} | {from} |\n", input.as_str()));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::page;

    #[test]
    fn the_page_of_checks_is_that_of_the_checks() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CHECKS.md");
        if std::env::var_os("KEYMUSTER_WRITE").is_some() {
            std::fs::write(&path, page()).expect("write");
        }
        let committed = std::fs::read_to_string(&path).expect("the page is committed");
        assert_eq!(committed, page(), "write the page anew");
    }
}

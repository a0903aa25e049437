//! keymuster connector: reads AWS IAM: principals, policies, access keys.
//!
//! Here: the connector and what it is configured with. `client` reads exported files and
//! recognises them by their content; `facts` turns what was read into items. A live client
//! fills the same `Parts`, so that exports and the network take one road.

mod client;
mod facts;
mod parts;
mod wire;

use std::path::PathBuf;

use keymuster_api::{About, Connector, ConnectorError, Cx, Gap, GapKind, Preflight, Sink};

use parts::Parts;

/// What an instance is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsIamSpec {
    /// The instance, for people: `aws-iam aws/*.json`.
    pub label: String,
    /// Exported files, and folders of them.
    pub exports: Vec<PathBuf>,
    /// The account (12 digits) of files that name none.
    pub account: Option<String>,
}

/// Reads exports of AWS IAM.
#[derive(Debug)]
pub struct AwsIamConnector {
    about: About,
    spec: AwsIamSpec,
}

impl AwsIamConnector {
    /// A connector over these exports.
    pub fn new(spec: AwsIamSpec) -> AwsIamConnector {
        let about = About {
            kind: "aws-iam",
            label: spec.label.clone(),
            network: false,
        };
        AwsIamConnector { about, spec }
    }
}

impl Connector for AwsIamConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, _cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        let found = client::expand(&self.spec.exports);
        if found.files.is_empty() {
            return Err(ConnectorError::new(format!(
                "no AWS export to read under {}; save `aws iam get-account-authorization-details` there",
                client::list_paths(&self.spec.exports)
            )));
        }
        let bytes: u64 = found.files.iter().map(|file| file.size).sum();
        let account = match &self.spec.account {
            Some(account) => format!(" for account {account}"),
            None => String::new(),
        };
        Ok(Preflight {
            summary: format!(
                "reads {} exported {}, {bytes} bytes{account}; recognised by content",
                found.files.len(),
                if found.files.len() == 1 {
                    "file"
                } else {
                    "files"
                },
            ),
            missing: found
                .unreadable
                .iter()
                .map(|(path, _, reason)| format!("{path}: {reason}"))
                .collect(),
        })
    }

    fn sweep(&self, cx: &Cx<'_>, out: &mut dyn Sink) -> Result<(), ConnectorError> {
        let mut parts = Parts::default();
        let found = client::expand(&self.spec.exports);
        for (path, kind, reason) in found.unreadable {
            parts.gaps.push(Gap {
                kind,
                subject: path.clone(),
                reason,
                source: cx.source(path),
            });
        }
        cx.progress
            .expect(found.files.iter().map(|file| file.size).sum(), 0);
        let mut cancelled = false;
        for file in &found.files {
            if cx.cancel.is_cancelled() {
                cancelled = true;
                parts.gaps.push(Gap {
                    kind: GapKind::Cancelled,
                    subject: file.shown.clone(),
                    reason: "the run was stopped before this export was read".to_owned(),
                    source: cx.source(file.shown.as_str()),
                });
                continue;
            }
            client::read(cx, file, &mut parts);
            cx.progress.advance(file.size, 0);
        }
        parts.unread |= cancelled;
        for item in facts::items(cx, &parts, self.spec.account.as_deref()) {
            out.emit(item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

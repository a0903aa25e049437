//! keymuster connector: reads AWS IAM: principals, policies, access keys.
//!
//! Here: the connector and what it is configured with. `client` reads exported files and
//! recognises them by their content; `live` has the AWS command line export them now; `facts` turns
//! what was read into items. Both fill the same `Parts`, so that exports and the network take one
//! road.

mod client;
mod facts;
mod live;
mod parts;
mod wire;

use std::path::PathBuf;

use keymuster_api::{About, Connector, ConnectorError, Cx, Gap, GapKind, Preflight, Sink};

pub use live::Live;
use live::command::Cli;
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
    /// How accounts are read as they are now; `None` for exports only.
    pub live: Option<Live>,
}

/// Reads AWS IAM: exports, or accounts as they are now.
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
            network: spec.live.is_some(),
        };
        AwsIamConnector { about, spec }
    }
}

impl Connector for AwsIamConnector {
    fn about(&self) -> &About {
        &self.about
    }

    fn preflight(&self, cx: &Cx<'_>) -> Result<Preflight, ConnectorError> {
        if let Some(live) = &self.spec.live {
            return self.reach(cx, live);
        }
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
        if let Some(live) = &self.spec.live {
            self.read_live(cx, live, &mut parts)?;
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

impl AwsIamConnector {
    fn cli<'a>(&self, cx: &'a Cx<'_>, live: &'a Live) -> Cli<'a> {
        Cli {
            program: &live.command,
            profile: live.profile.as_deref(),
            session: Vec::new(),
            cancel: cx.cancel,
            max_memory: cx.max_memory,
        }
    }

    /// Who we are, which roles we can take, and the policy that all of it needs.
    fn reach(&self, cx: &Cx<'_>, live: &Live) -> Result<Preflight, ConnectorError> {
        let cli = self.cli(cx, live);
        let who = live::who(&cli).map_err(|refusal| {
            ConnectorError::new(format!("nobody is signed in: {}", refusal.message))
        })?;
        let taken = live.roles.iter().filter_map(|role| {
            let refusal = live::session(&cli, role).err()?;
            Some(format!("{role} cannot be assumed: {}", refusal.message))
        });
        Ok(Preflight {
            summary: format!(
                "signed in as {} in account {}; a policy that is enough: {}",
                who.arn,
                who.account,
                live::calls::policy(&live.roles)
            ),
            missing: taken.collect(),
        })
    }

    /// Reads the profile's account, or that of each role.
    fn read_live(&self, cx: &Cx<'_>, live: &Live, parts: &mut Parts) -> Result<(), ConnectorError> {
        let cli = self.cli(cx, live);
        if live.roles.is_empty() {
            return live::account(cx, &cli, &live.regions, parts).map_err(|refusal| {
                ConnectorError::new(format!("nobody is signed in: {}", refusal.message))
            });
        }
        for role in &live.roles {
            let read = live::session(&cli, role).and_then(|session| {
                let cli = Cli {
                    session,
                    ..self.cli(cx, live)
                };
                live::account(cx, &cli, &live.regions, parts)
            });
            if let Err(refusal) = read {
                parts.unread = true;
                parts.gaps.push(Gap {
                    kind: GapKind::Denied,
                    subject: role.clone(),
                    reason: format!(
                        "its account is not seen, because the role cannot be assumed: {}",
                        refusal.message
                    ),
                    source: cx.source(role.as_str()),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Connectors over exported files of rights, and which system a file is of.

use std::{collections::BTreeMap, path::PathBuf};

use keymuster_api::Connector;

/// A connector over exported files of a Kubernetes cluster. `issuer` is that of its tokens.
///
/// # Errors
/// When the build has none, or the cluster's name cannot be one.
#[cfg(feature = "kubernetes")]
pub fn kubernetes(
    label: String,
    exports: Vec<PathBuf>,
    cluster: Option<String>,
    issuer: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    use keymuster_kubernetes::{KubernetesConnector, KubernetesSpec};
    let connector = KubernetesConnector::new(KubernetesSpec {
        label: format!("kubernetes {label}"),
        exports,
        cluster,
        issuer,
    })?;
    Ok(Box::new(connector))
}

/// A connector over exported files of a Kubernetes cluster.
///
/// # Errors
/// Always: this build has none.
#[cfg(not(feature = "kubernetes"))]
pub fn kubernetes(
    _label: String,
    _exports: Vec<PathBuf>,
    _cluster: Option<String>,
    _issuer: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    Err("this build does not read Kubernetes; build it with the feature `kubernetes`".to_owned())
}

/// A connector over exported files of Google Cloud. `project` is that of policies that name none.
///
/// # Errors
/// When the build has none.
pub fn gcp(
    label: String,
    exports: Vec<PathBuf>,
    project: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    #[cfg(feature = "gcp")]
    {
        let label = format!("gcp {label}");
        let spec = keymuster_gcp::GcpSpec {
            label,
            exports,
            project,
        };
        Ok(Box::new(keymuster_gcp::GcpConnector::new(spec)))
    }
    #[cfg(not(feature = "gcp"))]
    {
        let _ = (label, exports, project);
        Err("this build does not read Google Cloud; build it with the feature `gcp`".to_owned())
    }
}

/// A connector over exported files of Entra ID and Azure.
///
/// # Errors
/// When the build has none.
pub fn entra(
    label: String,
    exports: Vec<PathBuf>,
    tenant: Option<String>,
) -> Result<Box<dyn Connector>, String> {
    #[cfg(feature = "entra")]
    {
        let label = format!("entra {label}");
        let spec = keymuster_entra::EntraSpec {
            label,
            exports,
            tenant,
        };
        Ok(Box::new(keymuster_entra::EntraConnector::new(spec)))
    }
    #[cfg(not(feature = "entra"))]
    {
        let _ = (label, exports, tenant);
        Err("this build does not read Entra; build it with the feature `entra`".to_owned())
    }
}

/// Types of connectors that read exports of rights.
pub const EXPORTS: &[&str] = &["aws-iam", "gcp", "entra", "kubernetes"];

/// Which system an export is of, by how it begins; what nobody else knows is taken for AWS.
#[cfg(any(feature = "entra", feature = "gcp", feature = "kubernetes"))]
fn system_of(head: &str) -> &'static str {
    #[cfg(feature = "kubernetes")]
    if keymuster_kubernetes::looks_like(head) {
        return "kubernetes";
    }
    #[cfg(feature = "gcp")]
    if keymuster_gcp::looks_like(head) {
        return "gcp";
    }
    #[cfg(feature = "entra")]
    if keymuster_entra::looks_like(head) {
        return "entra";
    }
    let _ = head;
    "aws-iam"
}

/// The files behind paths, by system. A path that leads to files of AWS only stays as it is, and so
/// does what cannot be read: whoever reads AWS tells of it.
fn by_system(paths: Vec<PathBuf>) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let mut all: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in paths {
        #[cfg(any(feature = "entra", feature = "gcp", feature = "kubernetes"))]
        {
            let found = keymuster_exports::expand(std::slice::from_ref(&path));
            let files = found.files.iter();
            let files: Vec<(&str, PathBuf)> = files
                .map(|file| {
                    (
                        system_of(&keymuster_exports::head(file)),
                        file.path().to_owned(),
                    )
                })
                .collect();
            let is_mixed = files.iter().any(|(system, _)| *system != "aws-iam");
            if is_mixed && found.unreadable.is_empty() {
                for (system, file) in files {
                    all.entry(system).or_default().push(file);
                }
                continue;
            }
        }
        all.entry("aws-iam").or_default().push(path);
    }
    all
}

/// Connectors over exported files of whichever system, each file recognised by how it begins.
///
/// # Errors
/// When the build does not read one of the systems.
pub fn exports(label: &str, paths: Vec<PathBuf>) -> Result<Vec<Box<dyn Connector>>, String> {
    let mut all = Vec::new();
    for (system, files) in by_system(paths) {
        let label = label.to_owned();
        all.push(match system {
            "gcp" => gcp(label, files, None)?,
            "entra" => entra(label, files, None)?,
            "kubernetes" => kubernetes(label, files, None, None)?,
            _ => super::aws_iam(label, files, None, None)?,
        });
    }
    Ok(all)
}

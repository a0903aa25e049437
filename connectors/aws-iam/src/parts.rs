//! What a client hands to `facts`: parsed documents, each with the place it was read from.
//!
//! Not here: any judgement about what they mean.

use std::collections::BTreeMap;

use keymuster_api::Gap;

use crate::wire::{
    AccessKeyEntry, GroupDetail, LastUsed, ListedCredential, PolicyDetail, RoleDetail,
    ServiceCredential, UserDetail,
};

/// A parsed document and where it was read.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    /// The document.
    pub(crate) value: T,
    /// The file, as an index into [`Parts::files`].
    pub(crate) file: u32,
    /// The line in it, from 1.
    pub(crate) line: u32,
}

/// One row of a credential report, by column name.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReportRow {
    /// Cells by lower-case header.
    pub(crate) cells: BTreeMap<String, String>,
}

impl ReportRow {
    /// A cell, or an empty text where the column is missing.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }
}

/// A service or resource control policy.
#[derive(Debug, Clone)]
pub(crate) struct ControlPolicy {
    /// Its name in the export, or one made from the file's name.
    pub(crate) name: String,
    /// Its id or ARN, where the export has one.
    pub(crate) id: Option<String>,
    /// The document as JSON text.
    pub(crate) document: String,
    /// The level of the organisation it is attached at, where the export tells.
    pub(crate) level: Option<u32>,
    /// Whether it is a resource control policy.
    pub(crate) resource: bool,
}

/// Something that runs as a role: a function, a stack, a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    /// Its ARN.
    pub(crate) by: String,
    /// The role's ARN, or the instance profile's.
    pub(crate) role: String,
}

/// A credential of a list, and which list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The name of the list: `SSHPublicKeys`.
    pub(crate) list: &'static str,
    /// The entry.
    pub(crate) entry: ListedCredential,
}

/// Whether a list was read to its end: pages by kind of list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pages {
    /// Pages that said there is another one.
    pub(crate) truncated: u32,
    /// Pages that said they are the last, or said nothing.
    pub(crate) last: u32,
    /// Pages without a single entry.
    pub(crate) empty: u32,
}

/// Everything a client read.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Files, as they are shown.
    pub(crate) files: Vec<String>,
    pub(crate) users: Vec<At<UserDetail>>,
    pub(crate) groups: Vec<At<GroupDetail>>,
    pub(crate) roles: Vec<At<RoleDetail>>,
    pub(crate) policies: Vec<At<PolicyDetail>>,
    /// Users of `list-users`, which tells less than the authorization details.
    pub(crate) listed_users: Vec<At<UserDetail>>,
    /// Roles of `list-roles`, likewise.
    pub(crate) listed_roles: Vec<At<RoleDetail>>,
    pub(crate) report: Vec<At<ReportRow>>,
    pub(crate) access_keys: Vec<At<AccessKeyEntry>>,
    pub(crate) last_used: Vec<At<LastUsed>>,
    pub(crate) service_credentials: Vec<At<ServiceCredential>>,
    /// SSH keys, certificates, SAML providers.
    pub(crate) listed: Vec<At<Listed>>,
    pub(crate) controls: Vec<At<ControlPolicy>>,
    /// What runs as which role or instance profile.
    pub(crate) running: Vec<At<Running>>,
    /// Management accounts, to which control policies do not apply.
    pub(crate) management: Vec<String>,
    /// Pages of the authorization details, by file.
    pub(crate) details_pages: BTreeMap<u32, Pages>,
    /// Pages of the access key lists, by file.
    pub(crate) key_pages: BTreeMap<u32, Pages>,
    pub(crate) gaps: Vec<Gap>,
    /// Whether something of the exports could not be read: nothing is complete then.
    pub(crate) unread: bool,
}

//! Variables: by query, which leaves their values where they are, or by the lists that send
//! them along.
//!
//! Which of both is settled once for a sweep, so that every place is read the same way: values
//! are only asked for where they are to be named or searched, or where the host knows no such
//! query (GitLab before 17.4 does not know `hidden`).

use keymuster_http::{Answer, Endpoint, Listed, Query, Rest, Unseen, Wire};
use serde_json::{Value, json};

use crate::{
    endpoints::{GROUP_VARIABLES, INSTANCE_VARIABLES, KEYS, PROJECT_VARIABLES},
    wire::{GroupKeys, InstanceKeys, KeyPage, ProjectKeys, Variable},
};

const PROJECT: Query = Query::new(
    "query($path:ID!,$after:String){project(fullPath:$path){ciVariables(first:100,after:$after){pageInfo{hasNextPage endCursor}nodes{key variableType environmentScope masked protected hidden}}}}",
);
const GROUP: Query = Query::new(
    "query($path:ID!,$after:String){group(fullPath:$path){ciVariables(first:100,after:$after){pageInfo{hasNextPage endCursor}nodes{key variableType environmentScope masked protected hidden}}}}",
);
const INSTANCE: Query = Query::new(
    "query($after:String){ciVariables(first:100,after:$after){pageInfo{hasNextPage endCursor}nodes{key variableType masked protected}}}",
);
/// A path that no group has: names of groups have no two dashes at their end.
const NOWHERE: &str = "keymuster--";
/// A place has at most 8,000 variables (docs.gitlab.com/administration/instance_limits).
const PAGES: usize = 100;

/// Where variables lie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'p> {
    /// A project: its path and its id.
    Project(&'p str, &'p str),
    /// A group: its path and its id.
    Group(&'p str, &'p str),
    /// The instance.
    Instance,
}

/// How variables are read in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Names and flags only.
    Keys,
    /// With values, which are sealed or dropped as they come.
    Lists,
}

/// Settles how. `wants_values` says that they are to be named or searched.
pub(crate) async fn how(rest: &Rest<'_>, wants_values: bool) -> How {
    if wants_values {
        return How::Lists;
    }
    // Of a group that is not there nothing is said; that the query is understood is.
    let variables = json!({"path": NOWHERE, "after": null});
    match ask::<GroupKeys>(rest, &GROUP, variables).await {
        Err(Unseen::Failed(_, _) | Unseen::Absent | Unseen::Unsupported(_)) => How::Lists,
        Ok(_) | Err(Unseen::Denied(_)) => How::Keys,
    }
}

async fn ask<T: Wire>(rest: &Rest<'_>, query: &Query, variables: Value) -> Answer<T> {
    let (data, _) = rest.query::<T>(&KEYS, query, variables).await?;
    Ok(data)
}

impl Place<'_> {
    /// The endpoint that lists them: also what they are counted under.
    pub(crate) fn endpoint(self) -> &'static Endpoint {
        match self {
            Place::Project(..) => &PROJECT_VARIABLES,
            Place::Group(..) => &GROUP_VARIABLES,
            Place::Instance => &INSTANCE_VARIABLES,
        }
    }

    /// Its parameter.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, &str)> {
        match self {
            Place::Project(_, id) => vec![("project", id)],
            Place::Group(_, id) => vec![("group", id)],
            Place::Instance => Vec::new(),
        }
    }

    /// All its variables.
    pub(crate) async fn read(self, rest: &Rest<'_>, how: How) -> Answer<Listed<Variable>> {
        let page = [("per_page", "100")];
        if how == How::Lists {
            return rest.list(self.endpoint(), &self.parameters(), &page).await;
        }
        match self.keys(rest).await {
            // A query goes by the path: what was renamed meanwhile is found by its id.
            Err(Unseen::Absent) => rest.list(self.endpoint(), &self.parameters(), &page).await,
            answer => answer,
        }
    }

    async fn keys(self, rest: &Rest<'_>) -> Answer<Listed<Variable>> {
        let mut listed = Listed::default();
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let page = match self.page(rest, after.as_deref()).await {
                Ok(page) => page,
                Err(unseen) if listed.items.is_empty() => return Err(unseen),
                Err(unseen) => {
                    listed.stopped = Some(unseen);
                    return Ok(listed);
                }
            };
            let count = page.nodes.len();
            listed.items.extend(page.nodes.into_iter().flatten());
            match page.page_info.end_cursor {
                Some(cursor) if page.page_info.has_next_page && count > 0 => after = Some(cursor),
                _ => return Ok(listed),
            }
        }
        let reason = "its pages do not end".to_owned();
        listed.stopped = Some(Unseen::Failed(keymuster_api::GapKind::Limit, reason));
        Ok(listed)
    }

    async fn page(self, rest: &Rest<'_>, after: Option<&str>) -> Answer<KeyPage> {
        // What one may not see is `null`, without a word.
        let denied = || {
            let needs = self.endpoint().needs;
            Unseen::Denied(format!("hidden from this token; it needs {needs}"))
        };
        let page = match self {
            Place::Project(path, _) => {
                let variables = json!({"path": path, "after": after});
                let data: ProjectKeys = ask(rest, &PROJECT, variables).await?;
                data.project.ok_or(Unseen::Absent)?.ci_variables
            }
            Place::Group(path, _) => {
                let variables = json!({"path": path, "after": after});
                let data: GroupKeys = ask(rest, &GROUP, variables).await?;
                data.group.ok_or(Unseen::Absent)?.ci_variables
            }
            Place::Instance => {
                let data: InstanceKeys = ask(rest, &INSTANCE, json!({"after": after})).await?;
                data.ci_variables
            }
        };
        page.ok_or_else(denied)
    }
}

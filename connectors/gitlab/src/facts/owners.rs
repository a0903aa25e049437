//! Who answers for groups and projects: their owners and maintainers; and who users are.

use std::collections::BTreeMap;

use keymuster_api::{ClaimRole, Source};
use keymuster_http::Owner;

use crate::wire::Member;

/// docs.gitlab.com/api/members: roles by number.
const MAINTAINER: u64 = 40;
const OWNER: u64 = 50;
/// At most so many of one place: with more of them, nobody answers.
const NAMED: usize = 10;

/// Users by number, as far as members tell, and who made those that are bots.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    names: BTreeMap<String, String>,
    makers: BTreeMap<String, String>,
}

impl People {
    /// Learns who members are.
    pub(crate) fn learn(&mut self, members: &[Member]) {
        for member in members {
            self.names
                .insert(member.id.clone(), member.username.clone());
            let maker = member.created_by.as_ref();
            if let Some(name) = maker.and_then(|maker| maker.username.clone()) {
                self.makers.insert(member.id.clone(), name);
            }
        }
    }

    /// Learns the name of one user.
    pub(crate) fn name(&mut self, id: &str, name: &str) {
        self.names.insert(id.to_owned(), name.to_owned());
    }

    /// The name of a user.
    pub(crate) fn of(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// Who made a user: of the bot of an access token, whoever made the token.
    pub(crate) fn maker(&self, id: &str) -> Option<&str> {
        self.makers.get(id).map(String::as_str)
    }
}

/// Who answers for a place by their role there; bots do not.
pub(crate) fn owners(members: &[Member], source: &Source) -> Vec<Owner> {
    let mut keepers: Vec<&Member> = members
        .iter()
        .filter(|member| member.access_level.is_some_and(|level| level >= MAINTAINER))
        .filter(|member| !is_bot(&member.username))
        .filter(|member| {
            member
                .state
                .as_deref()
                .is_none_or(|state| state == "active")
        })
        .collect();
    keepers.sort_by(|a, b| a.username.cmp(&b.username));
    if keepers.len() > NAMED {
        keepers.retain(|member| member.access_level.is_some_and(|level| level >= OWNER));
        keepers.truncate(NAMED);
    }
    let owner = |member: &Member| Owner {
        party: member.username.clone(),
        role: ClaimRole::Maintainer,
        confidence: 40,
        source: source.clone(),
    };
    keepers.into_iter().map(owner).collect()
}

/// Users that access tokens act as (docs.gitlab.com, bot users for projects and groups).
fn is_bot(username: &str) -> bool {
    ["project_", "group_"].iter().any(|front| {
        let rest = username.strip_prefix(front).unwrap_or_default();
        rest.split_once("_bot")
            .is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use keymuster_api::{Source, SystemId};

    use super::{is_bot, owners};
    use crate::wire::Member;

    #[test]
    fn owners_and_maintainers_answer_and_bots_do_not() {
        let member = |name: &str, level: u64, state: &str| -> Member {
            let text = serde_json::json!({"id": 1, "username": name, "access_level": level, "state": state});
            serde_json::from_value(text).expect("a member")
        };
        let source = Source {
            system: SystemId(0),
            locator: String::new(),
        };
        let mut all = vec![
            member("dora", 50, "active"),
            member("carl", 40, "active"),
            member("eve", 30, "active"),
            member("gone", 50, "blocked"),
            member("project_7_bot_ab12", 40, "active"),
        ];
        let names = |all: &[Member]| -> Vec<String> {
            let owners = owners(all, &source);
            owners.into_iter().map(|owner| owner.party).collect()
        };
        assert_eq!(names(&all), ["carl", "dora"]);
        all.extend((0..20).map(|n| member(&format!("m{n}"), 40, "active")));
        assert_eq!(names(&all), ["dora"], "of too many only owners");
        assert!(is_bot("group_12_bot") && !is_bot("project_manager") && !is_bot("group_x_bot"));
    }
}

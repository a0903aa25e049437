//! The join: facts and sightings that speak of one credential become one [`Credential`].
//!
//! Two things are one credential if they share a natural key, a public handle that names
//! exactly one credential, or the keyed name of the secret; never because they resemble each
//! other.

use std::collections::BTreeMap;

use keymuster_api::{
    Claim, ClaimRole, Confidence, Key, Known, SecretId, Source, Status, Timestamp,
};

use super::{
    Credential, Estate, Gathered, Identity, Sighting, Sym, Texts, held,
    ties::{Member, group, names_one},
    usage,
};

/// Trust in a claim that is derived from who introduced a secret, in percent.
const AUTHOR_CONFIDENCE: u8 = 30;

/// Joins what a sweep gathered.
pub fn resolve(mut gathered: Gathered) -> Estate {
    let mut texts = Texts::default();
    // Behind what systems list: where a slot holds one of those, they say better what it is.
    let held: Vec<_> = gathered.slots.iter().filter_map(held::credential).collect();
    gathered.credentials.extend(held);
    gathered.consumers.sort();
    gathered.consumers.dedup_by(|a, b| a.key == b.key);
    let mut identities = identities(&gathered, &mut texts);
    let identity_index: BTreeMap<String, u32> = (0u32..)
        .zip(&identities)
        .map(|(index, identity)| (texts.text(identity.key).to_owned(), index))
        .collect();
    let groups = group(&gathered);
    let mut drafts: Vec<(String, Draft)> = groups
        .into_iter()
        .map(|members| {
            let draft = Draft::new(&gathered, members);
            (draft.subject(), draft)
        })
        .collect();
    drafts.sort_by(|a, b| a.0.cmp(&b.0));
    derive_authors(&mut gathered, &drafts);
    let mut claims_of: BTreeMap<&Key, Vec<u32>> = BTreeMap::new();
    for (index, claim) in (0u32..).zip(&gathered.claims) {
        claims_of.entry(&claim.subject).or_default().push(index);
    }
    for identity in &mut identities {
        identity.claims = claims_of
            .get(&Key(texts.text(identity.key).to_owned()))
            .cloned()
            .unwrap_or_default();
    }
    let places = places(&gathered);
    let mut credentials = Vec::with_capacity(drafts.len());
    for (number, (subject, draft)) in (0u32..).zip(drafts) {
        let identity = draft
            .identity(&gathered)
            .and_then(|key| identity_index.get(&key.0).copied());
        if let Some(identity) = identity {
            identities[identity as usize].credentials.push(number);
        }
        credentials.push(draft.finish(
            &gathered,
            &mut texts,
            subject,
            identity,
            (&claims_of, &places),
            &identities,
        ));
    }
    let usage = usage::join(&gathered, &credentials, &texts);
    Estate {
        texts,
        credentials,
        identities,
        usage,
        gathered,
    }
}

/// The projects that GitLab's slots lie in, by the keys of the slots: who owns a project by a file
/// in it answers for what it holds. (The connector of GitHub knows those files itself.)
fn places(gathered: &Gathered) -> BTreeMap<&str, Key> {
    let slots = gathered.slots.iter();
    let of_gitlab = slots.filter(|slot| slot.store.starts_with("gitlab."));
    of_gitlab
        .map(|slot| {
            let place = slot.scope.split(['@', '#']).next().unwrap_or_default();
            (slot.key.0.as_str(), Key(place.to_owned()))
        })
        .collect()
}

fn identities(gathered: &Gathered, texts: &mut Texts) -> Vec<Identity> {
    let mut by_key: BTreeMap<&str, Identity> = BTreeMap::new();
    for fact in &gathered.identities {
        let tags: Vec<(Sym, Sym)> = fact
            .tags
            .iter()
            .map(|(name, value)| (texts.intern(name), texts.intern(value)))
            .collect();
        match by_key.get_mut(fact.key.0.as_str()) {
            None => {
                let identity = Identity {
                    key: texts.intern(&fact.key.0),
                    kind: fact.kind,
                    name: texts.intern(&fact.name),
                    provider: texts.intern(&fact.provider),
                    account: fact.account.as_deref().map(|account| texts.intern(account)),
                    status: fact.status,
                    created: fact.created,
                    last_used: fact.last_used,
                    interactive: fact.interactive,
                    tags,
                    credentials: Vec::new(),
                    claims: Vec::new(),
                    sources: vec![fact.source.clone()],
                };
                by_key.insert(&fact.key.0, identity);
            }
            Some(known) => {
                known.status = better(known.status, fact.status);
                known.created = known.created.or(fact.created);
                known.last_used = latest(known.last_used, fact.last_used);
                known.interactive = known.interactive.or(fact.interactive);
                known.tags.extend(
                    tags.into_iter()
                        .filter(|tag| !known.tags.contains(tag))
                        .collect::<Vec<_>>(),
                );
                known.sources.push(fact.source.clone());
            }
        }
    }
    by_key.into_values().collect()
}

fn better(a: Status, b: Status) -> Status {
    if a == Status::Unknown { b } else { a }
}

fn latest(a: Known<Timestamp>, b: Known<Timestamp>) -> Known<Timestamp> {
    match (a, b) {
        (Known::Known(a), Known::Known(b)) => Known::Known(a.max(b)),
        (Known::Known(_), _) => a,
        (_, Known::Known(_)) => b,
        _ => a.or(b),
    }
}

/// One credential on its way.
struct Draft {
    listed: Vec<u32>,
    seen: Vec<u32>,
    handle: Option<(String, String)>,
    key: Option<String>,
    secrets: Vec<SecretId>,
}

impl Draft {
    fn new(gathered: &Gathered, members: Vec<Member>) -> Draft {
        let mut draft = Draft {
            listed: Vec::new(),
            seen: Vec::new(),
            handle: None,
            key: None,
            secrets: Vec::new(),
        };
        let mut handles = Vec::new();
        for member in members {
            match member {
                Member::Listed(index) => {
                    let fact = &gathered.credentials[index as usize];
                    draft.listed.push(index);
                    handles.extend(
                        fact.handle
                            .iter()
                            .map(|h| (h.scheme.clone(), h.value.clone())),
                    );
                    draft.secrets.extend(fact.secret);
                    if draft.key.is_none() {
                        draft.key = Some(fact.key.0.clone());
                    }
                }
                Member::Seen(index) => {
                    let sighting = &gathered.sightings[index as usize];
                    draft.seen.push(index);
                    handles.extend(
                        sighting
                            .details
                            .handle
                            .iter()
                            .filter(|h| names_one(&h.scheme))
                            .map(|h| (h.scheme.clone(), h.value.clone())),
                    );
                    if !sighting.public {
                        draft.secrets.push(sighting.secret);
                    }
                }
            }
        }
        draft.secrets.sort_unstable();
        draft.secrets.dedup();
        // What a system lists comes first: it was pushed first.
        draft.handle = handles.into_iter().next();
        draft
    }

    fn subject(&self) -> String {
        match (&self.handle, &self.key, self.secrets.first()) {
            (Some((scheme, value)), _, _) => format!("{scheme}:{value}"),
            (None, Some(key), _) => key.clone(),
            (None, None, Some(secret)) => format!("secret:{secret}"),
            (None, None, None) => "unknown".to_owned(),
        }
    }

    fn identity<'g>(&self, gathered: &'g Gathered) -> Option<&'g Key> {
        self.listed
            .iter()
            .find_map(|&index| gathered.credentials[index as usize].identity.as_ref())
    }

    /// The sighting that says best what the credential is.
    fn best_sighting<'g>(&self, gathered: &'g Gathered) -> Option<&'g Sighting> {
        self.seen
            .iter()
            .map(|&index| &gathered.sightings[index as usize])
            .max_by(|a, b| {
                (!a.public, a.confidence, &b.rule).cmp(&(!b.public, b.confidence, &a.rule))
            })
    }

    fn finish(
        self,
        gathered: &Gathered,
        texts: &mut Texts,
        subject: String,
        identity: Option<u32>,
        (claims_of, places): (&BTreeMap<&Key, Vec<u32>>, &BTreeMap<&str, Key>),
        identities: &[Identity],
    ) -> Credential {
        let facts: Vec<_> = self
            .listed
            .iter()
            .map(|&index| &gathered.credentials[index as usize])
            .collect();
        let best = self.best_sighting(gathered);
        let seen_fact = |name: &str| {
            let of = |s: &Sighting| {
                s.details
                    .facts
                    .iter()
                    .find(|(fact, _)| fact == name)
                    .map(|(_, value)| value.clone())
            };
            self.seen
                .iter()
                .find_map(|&index| of(&gathered.sightings[index as usize]))
        };
        let kind = facts
            .first()
            .map(|fact| fact.kind.clone())
            .or_else(|| best.map(|s| s.kind.to_string()))
            .unwrap_or_default();
        let provider = match facts.first() {
            Some(fact) => fact.provider.clone(),
            None => kind.split('.').next().unwrap_or_default().to_owned(),
        };
        let account = facts
            .iter()
            .find_map(|fact| fact.account.clone())
            .or_else(|| seen_fact("account"));
        let mut status = Status::Unknown;
        let (mut created, mut rotated, mut last_used, mut expires) = (
            Known::Unknown,
            Known::Unknown,
            Known::Unknown,
            Known::Unknown,
        );
        let mut last_used_for = None;
        for fact in &facts {
            status = better(status, fact.status);
            created = created.or(fact.created);
            rotated = rotated.or(fact.rotated);
            last_used = latest(last_used, fact.last_used);
            expires = expires.or(fact.expires);
            last_used_for = last_used_for.or_else(|| fact.last_used_for.clone());
        }
        if facts.is_empty() {
            let parse = |text: String| text.parse::<Timestamp>().ok();
            expires = seen_fact("expires")
                .and_then(parse)
                .map_or(Known::Unknown, Known::Known);
            created = seen_fact("issued")
                .and_then(parse)
                .map_or(Known::Unknown, Known::Known);
        }
        let mut aliases: Vec<String> = self
            .secrets
            .iter()
            .map(|secret| format!("secret:{secret}"))
            .collect();
        aliases.extend(facts.iter().map(|fact| fact.key.0.clone()));
        aliases.retain(|alias| *alias != subject);
        aliases.sort();
        aliases.dedup();
        let mut claims: Vec<u32> = Vec::new();
        for key in aliases.iter().chain([&subject]) {
            claims.extend(claims_of.get(&Key(key.clone())).into_iter().flatten());
        }
        if let Some(identity) = identity {
            claims.extend(&identities[identity as usize].claims);
        }
        claims.sort_unstable();
        claims.dedup();
        for key in aliases.iter().chain([&subject]) {
            let of_place = places
                .get(key.as_str())
                .and_then(|place| claims_of.get(place));
            for &index in of_place.into_iter().flatten() {
                let says = |index: u32| {
                    let claim = &gathered.claims[index as usize];
                    (&claim.party, claim.role, &claim.source.locator)
                };
                if !claims.iter().any(|&known| says(known) == says(index)) {
                    claims.push(index);
                }
            }
        }
        claims.sort_unstable();
        let mut sources: Vec<Source> = facts.iter().map(|fact| fact.source.clone()).collect();
        sources.sort();
        sources.dedup();
        let name = facts.iter().find_map(|fact| fact.name.clone());
        Credential {
            subject: texts.intern(&subject),
            aliases: aliases.iter().map(|alias| texts.intern(alias)).collect(),
            kind: texts.intern(&kind),
            provider: texts.intern(&provider),
            account: account.map(|account| texts.intern(&account)),
            name: name.map(|name| texts.intern(&name)),
            handle: self
                .handle
                .map(|(scheme, value)| (texts.intern(&scheme), texts.intern(&value))),
            secret: self.secrets.first().copied(),
            identity,
            status,
            listed: !facts.is_empty(),
            created,
            rotated,
            last_used,
            last_used_for: last_used_for.map(|text| texts.intern(&text)),
            expires,
            sightings: self.seen,
            claims,
            sources,
        }
    }
}

/// Who brought a secret in is a claim, the weakest of all: it names whom to ask.
fn derive_authors(gathered: &mut Gathered, drafts: &[(String, Draft)]) {
    let mut derived = Vec::new();
    for (subject, draft) in drafts {
        for &index in &draft.seen {
            let sighting = &gathered.sightings[index as usize];
            if sighting.public || sighting.confidence == Confidence::Low {
                continue;
            }
            let Some(commit) = sighting
                .introduced
                .as_ref()
                .and_then(|commits| commits.first())
            else {
                continue;
            };
            let resource = &gathered.resources[sighting.resource as usize];
            derived.push(Claim {
                subject: Key(subject.clone()),
                party: commit.author.clone(),
                role: ClaimRole::Author,
                observed: commit.at,
                confidence: AUTHOR_CONFIDENCE,
                source: Source {
                    system: resource.system,
                    locator: format!("{}@{}", resource.name, short(&commit.id.to_string())),
                },
            });
        }
    }
    derived.sort_by(|a, b| {
        (&a.subject, a.observed, &a.party, &a.source)
            .cmp(&(&b.subject, b.observed, &b.party, &b.source))
    });
    derived.dedup_by(|a, b| a.subject == b.subject && a.party == b.party);
    gathered.claims.extend(derived);
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keymuster_api::{Details, Handle, ResourceKind, Severity, SystemId};

    use super::*;
    use crate::estate::Resource;

    const NOBODY: SystemId = SystemId(0);

    fn sighting(rule: &str, secret: u8, handle: Option<&str>, path: &str) -> Sighting {
        Sighting {
            resource: 0,
            rule: rule.into(),
            kind: rule.into(),
            confidence: Confidence::High,
            severity: Severity::High,
            public: rule.ends_with("-id"),
            secret: SecretId([secret; 16]),
            details: Arc::new(Details {
                handle: handle.map(|h| Handle::new("aws-access-key-id", h)),
                ..Details::default()
            }),
            path: path.to_owned(),
            position: None,
            blob: None,
            commit: None,
            introduced: None,
            versions: 1,
            at_tip: None,
            in_worktree: true,
            suppressed: None,
        }
    }

    fn listed(id: &str) -> keymuster_api::Credential {
        keymuster_api::Credential {
            key: Key(format!("aws:access-key:{id}")),
            kind: "aws.access-key".to_owned(),
            handle: Some(Handle::new("aws-access-key-id", id)),
            secret: None,
            identity: None,
            provider: "aws".to_owned(),
            account: Some("1".to_owned()),
            name: None,
            status: Status::Active,
            created: Known::Unknown,
            rotated: Known::Unknown,
            last_used: Known::Never,
            last_used_for: None,
            expires: Known::Never,
            source: Source {
                system: NOBODY,
                locator: "keys.json".to_owned(),
            },
        }
    }

    fn gathered(credentials: Vec<keymuster_api::Credential>, sightings: Vec<Sighting>) -> Gathered {
        let resource = Resource {
            system: NOBODY,
            id: 0,
            kind: ResourceKind::Tree,
            name: "app".to_owned(),
            location: "app".to_owned(),
        };
        Gathered {
            credentials,
            sightings,
            resources: vec![resource],
            ..Gathered::default()
        }
    }

    #[test]
    fn a_listed_key_an_id_in_code_and_the_bare_secret_elsewhere_are_one() {
        let estate = resolve(gathered(
            vec![listed("KEYONE"), listed("KEYTWO")],
            vec![
                sighting("aws.access-key-id", 1, Some("KEYONE"), "a"),
                sighting("aws.access-key", 2, Some("KEYONE"), "b"),
                sighting("aws.secret", 2, None, "c"),
                sighting("other.token", 3, None, "d"),
            ],
        ));
        let subjects: Vec<_> = estate
            .credentials
            .iter()
            .map(|c| (estate.text(c.subject), c.sightings.len(), c.listed))
            .collect();
        assert_eq!(
            subjects,
            [
                ("aws-access-key-id:KEYONE", 3, true),
                ("aws-access-key-id:KEYTWO", 0, true),
                ("secret:03030303030303030303030303030303", 1, false)
            ]
        );
        assert_eq!(estate.credentials[0].secret, Some(SecretId([2; 16])));
    }

    #[test]
    fn a_token_meets_what_its_host_publishes_of_it() {
        let told = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let token = |path: &str, secret, last: &str| Sighting {
            details: Arc::new(Details {
                facts: vec![
                    told(keymuster_api::tie::GITHUB_LAST_EIGHT, last),
                    told("last", "aa"),
                ],
                ..Details::default()
            }),
            ..sighting("github.pat", secret, None, path)
        };
        let listed = keymuster_api::Credential {
            handle: None,
            key: Key("github:authorisation:7".to_owned()),
            kind: "github.pat".to_owned(),
            ..listed("x")
        };
        let mut facts = gathered(vec![listed], vec![token("a", 1, "aa"), token("b", 2, "bb")]);
        facts.settings.push(keymuster_api::Setting {
            subject: Key("github:authorisation:7".to_owned()),
            name: keymuster_api::tie::GITHUB_LAST_EIGHT.to_owned(),
            value: "aa".to_owned(),
            source: Source {
                system: NOBODY,
                locator: "list".to_owned(),
            },
        });
        let estate = resolve(facts);
        let seen: Vec<_> = estate
            .credentials
            .iter()
            .map(|c| (estate.text(c.subject), c.sightings.len(), c.listed))
            .collect();
        assert_eq!(
            seen,
            [
                ("github:authorisation:7", 1, true),
                ("secret:02020202020202020202020202020202", 1, false)
            ]
        );
    }

    #[test]
    fn the_order_of_arrival_does_not_show() {
        let sightings = vec![
            sighting("aws.access-key", 2, Some("KEYONE"), "b"),
            sighting("aws.secret", 2, None, "c"),
            sighting("other.token", 3, None, "d"),
        ];
        let mut reversed = sightings.clone();
        reversed.reverse();
        let names = |estate: &Estate| {
            estate
                .credentials
                .iter()
                .map(|c| estate.text(c.subject).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(&resolve(gathered(vec![], sightings))),
            names(&resolve(gathered(vec![], reversed)))
        );
    }
}

//! Who uses what: the names that texts say, joined with the slots that systems list, and with
//! what lies in files as it is.
//!
//! A name is looked for in the scopes that a text leaves open, nearest first: the first that
//! has it is meant, and what further ones have is shadowed there. A name that no scope has is a
//! phantom only where all slots of all these scopes are known.

mod book;

use std::collections::{BTreeMap, BTreeSet};

use keymuster_api::{Consumer, Source};

use super::{Credential, Gathered, Sighting, Texts, held};
use book::Book;

/// The map from credentials to what breaks without them. Its lists run parallel to those of
/// [`Gathered`] and of the estate.
#[derive(Debug, Default)]
pub struct Usage {
    /// By slot.
    pub slots: Vec<SlotUsage>,
    /// By use.
    pub uses: Vec<Meant>,
    /// By consumer: the claims about it, as indices, sorted.
    pub claims: Vec<Vec<u32>>,
    of_credential: Vec<Vec<Consumption>>,
}

/// What is known of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlotUsage {
    /// The credential that it holds.
    pub credential: Option<u32>,
    /// Uses that name it.
    pub named: Vec<u32>,
    /// Uses that may mean it: of everything in its scope, or of a name that only the run knows.
    pub perhaps: Vec<u32>,
    /// Slots that stand before it for some use of its name.
    pub shadowed_by: Vec<u32>,
    /// Whether everything that could name it was read.
    pub all_read: bool,
}

/// What a use means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meant {
    /// The consumer, if it is known.
    pub consumer: Option<u32>,
    /// Slots, sorted; more than one where the run decides.
    pub slots: Vec<u32>,
    /// Whether there is no such slot.
    pub phantom: bool,
}

/// A consumer of a credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumption {
    /// The consumer, an index.
    pub consumer: u32,
    /// In what way.
    pub how: String,
    /// Whether it is named, as opposed to: may be meant.
    pub sure: bool,
    /// Who says so.
    pub source: Source,
}

impl Usage {
    /// What uses a credential, sorted by consumer.
    pub fn of(&self, credential: u32) -> &[Consumption] {
        let of = self.of_credential.get(credential as usize);
        of.map_or(&[], Vec::as_slice)
    }

    /// How many things break if a credential is revoked.
    pub fn count(&self, credential: u32) -> usize {
        let of = self.of(credential).iter();
        of.map(|one| one.consumer).collect::<BTreeSet<_>>().len()
    }
}

/// Joins slots, uses, consumers and credentials. Consumers are sorted by key, each once.
pub(super) fn join(gathered: &Gathered, credentials: &[Credential], texts: &Texts) -> Usage {
    let mut usage = Usage {
        slots: holders(gathered, credentials, texts),
        uses: Vec::with_capacity(gathered.uses.len()),
        claims: claims(gathered),
        of_credential: vec![Vec::new(); credentials.len()],
    };
    let book = Book::new(gathered);
    for (number, use_) in (0u32..).zip(&gathered.uses) {
        let found = book.find(use_);
        let sure = use_.name.is_some() && !found.open;
        for &slot in &found.slots {
            let slot = &mut usage.slots[slot as usize];
            let list = if sure {
                &mut slot.named
            } else {
                &mut slot.perhaps
            };
            list.push(number);
        }
        for (slot, before) in found.shadowed {
            let list = &mut usage.slots[slot as usize].shadowed_by;
            if !list.contains(&before) {
                list.push(before);
            }
        }
        usage.uses.push(Meant {
            consumer: book.consumer(&use_.by.0),
            slots: found.slots,
            phantom: found.phantom,
        });
    }
    usage.through_slots(gathered);
    usage.through_places(gathered, credentials);
    for slot in 0..gathered.slots.len() {
        usage.slots[slot].all_read = book.all_read(&gathered.slots[slot]);
    }
    for list in &mut usage.of_credential {
        list.sort();
        list.dedup();
    }
    usage
}

/// The credential that each slot holds.
fn holders(gathered: &Gathered, credentials: &[Credential], texts: &Texts) -> Vec<SlotUsage> {
    let mut by_key: BTreeMap<&str, u32> = BTreeMap::new();
    for (number, credential) in (0u32..).zip(credentials) {
        let keys = credential.aliases.iter().chain([&credential.subject]);
        by_key.extend(keys.map(|key| (texts.text(*key), number)));
    }
    let slots = gathered.slots.iter().map(|slot| {
        let of_secret = slot.secret.map(|secret| format!("secret:{secret}"));
        let own = by_key.get(slot.key.0.as_str());
        SlotUsage {
            credential: own.or_else(|| by_key.get(of_secret?.as_str())).copied(),
            ..SlotUsage::default()
        }
    });
    slots.collect()
}

fn claims(gathered: &Gathered) -> Vec<Vec<u32>> {
    let mut of: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (number, claim) in (0u32..).zip(&gathered.claims) {
        of.entry(&claim.subject.0).or_default().push(number);
    }
    let consumers = gathered.consumers.iter();
    consumers
        .map(|consumer| of.get(consumer.key.0.as_str()).cloned().unwrap_or_default())
        .collect()
}

impl Usage {
    fn through_slots(&mut self, gathered: &Gathered) {
        for slot in &self.slots {
            let Some(credential) = slot.credential else {
                continue;
            };
            for (numbers, sure) in [(&slot.named, true), (&slot.perhaps, false)] {
                for &number in numbers {
                    if let Some(consumer) = self.uses[number as usize].consumer {
                        let use_ = &gathered.uses[number as usize];
                        self.of_credential[credential as usize].push(Consumption {
                            consumer,
                            how: use_.how.clone(),
                            sure,
                            source: use_.source.clone(),
                        });
                    }
                }
            }
        }
    }

    /// What stands in a file as it is: the consumer around it uses it, and so does whoever
    /// takes a secret that a manifest makes, or reads the whole file.
    fn through_places(&mut self, gathered: &Gathered, credentials: &[Credential]) {
        let places = Places::new(gathered);
        for (number, credential) in credentials.iter().enumerate() {
            for &index in &credential.sightings {
                let sighting = &gathered.sightings[index as usize];
                if sighting.public || !is_current(sighting) {
                    continue;
                }
                let resource = &gathered.resources[sighting.resource as usize].name;
                let line = sighting.position.map_or(0, |at| at.line);
                let source = || Source {
                    system: gathered.resources[sighting.resource as usize].system,
                    locator: format!("{resource}:{}:{line}", sighting.path),
                };
                let mut take = |consumer: u32, how: &str| {
                    self.of_credential[number].push(Consumption {
                        consumer,
                        how: how.to_owned(),
                        sure: true,
                        source: source(),
                    });
                };
                let place = (resource.as_str(), sighting.path.as_str());
                for &consumer in places.around.get(&place).into_iter().flatten() {
                    let (from, to) = gathered.consumers[consumer as usize].lines;
                    if (u64::from(from)..=u64::from(to)).contains(&line) {
                        take(consumer, "as a literal");
                    }
                }
                for &consumer in places.files.get(&place).into_iter().flatten() {
                    take(consumer, "reads the file it stands in");
                }
                for &(slot, from, to) in places.declared.get(&place).into_iter().flatten() {
                    if !(from..=to).contains(&line) {
                        continue;
                    }
                    for &number in &self.slots[slot as usize].named {
                        if let Some(consumer) = self.uses[number as usize].consumer {
                            let name = &gathered.slots[slot as usize].name;
                            take(consumer, &format!("takes it from the secret {name}"));
                        }
                    }
                }
            }
        }
    }
}

/// Whether a secret is there today.
fn is_current(sighting: &Sighting) -> bool {
    sighting.in_worktree || sighting.at_tip.as_ref().is_none_or(|refs| !refs.is_empty())
}

/// A file: its resource and its path.
type Place<'g> = (&'g str, &'g str);

/// Consumers and declared slots by the files they stand in or read.
struct Places<'g> {
    around: BTreeMap<Place<'g>, Vec<u32>>,
    files: BTreeMap<Place<'g>, Vec<u32>>,
    declared: BTreeMap<Place<'g>, Vec<(u32, u64, u64)>>,
}

impl<'g> Places<'g> {
    fn new(gathered: &'g Gathered) -> Places<'g> {
        let mut places = Places {
            around: BTreeMap::new(),
            files: BTreeMap::new(),
            declared: BTreeMap::new(),
        };
        for (number, consumer) in (0u32..).zip(&gathered.consumers) {
            let place = (consumer.resource.as_str(), consumer.path.as_str());
            // Jobs of called workflows stand in another file.
            if consumer.via.is_none() {
                places.around.entry(place).or_default().push(number);
            }
            for file in property(consumer, "reads-file") {
                let place = (consumer.resource.as_str(), file);
                places.files.entry(place).or_default().push(number);
            }
        }
        for (number, slot) in (0u32..).zip(&gathered.slots) {
            if !held::is_declared(slot) {
                continue;
            }
            let one = |name: &'static str| {
                let known = slot.properties.iter().find(|(known, _)| known == name);
                known.map(|(_, value)| value.as_str())
            };
            let lines = one("declared-lines").and_then(|text| text.split_once('-'));
            let lines = lines.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
            if let (Some(tree), Some(path), Some((from, to))) =
                (one("declared-in"), one("declared-path"), lines)
            {
                let list = places.declared.entry((tree, path)).or_default();
                list.push((number, from, to));
            }
        }
        places
    }
}

/// The values of a consumer's property.
pub(super) fn property<'a>(consumer: &'a Consumer, name: &str) -> impl Iterator<Item = &'a str> {
    let of = consumer.properties.iter();
    let of = of.filter(move |(known, _)| known == name);
    of.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests;

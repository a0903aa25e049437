//! The second phase: where is what matched, and on which line.
//!
//! In pack order no path and no line is known. After the engine drained, each connector is
//! asked once for the files that some rule knows by name, once for the places of every secret
//! found in its blobs, and once for the bytes of the blobs that are told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use keymuster_api::{
    Candidate, Connector, Content, Details, Fresh, Gap, GapKind, Located, ObjectId, PathBytes,
    Place, SecretId, Severity, Source, Spot, SystemId, Wanted, WantedSecret,
};

use super::{
    Resources, SweepOptions, cx,
    pool::{Found, Held},
    position::position,
};
use crate::{
    engine::Engine,
    estate::{Position, Sighting, Suppressed},
};

/// Candidates of a system's blobs and messages.
type Objects = BTreeMap<(u32, Spot), Vec<Candidate>>;
/// The sightings in each connector's histories, by its own number.
pub(super) type Histories = BTreeMap<(SystemId, u32), Vec<Sighting>>;

pub(super) fn sightings(
    connectors: &[Box<dyn Connector>],
    engine: &Engine,
    options: &SweepOptions<'_>,
    workers: &rayon::ThreadPool,
    resources: &Resources,
    found: Found,
    gaps: &mut Vec<Gap>,
) -> (Vec<Sighting>, Histories) {
    let mut histories = Histories::new();
    let mut sightings: Vec<Sighting> = found
        .told
        .into_iter()
        .map(|told| {
            let path = match &told.place.spot {
                Spot::File { path } => path.to_string(),
                Spot::Slot { scope, name } => {
                    PathBytes(format!("{scope}/{name}").into_bytes()).to_string()
                }
                Spot::Object { address } => PathBytes(address.clone().into_bytes()).to_string(),
                Spot::Blob { id } | Spot::Message { id } => id.to_string(),
            };
            let number = resources.number(told.place.system, told.place.resource);
            let mut sighting = sighting(engine, &told.candidate, number, path, Some(told.position));
            sighting.in_worktree = true;
            sighting
        })
        .collect();
    let mut held: BTreeMap<SystemId, Objects> = BTreeMap::new();
    for Held { place, candidates } in found.held {
        held.entry(place.system)
            .or_default()
            .insert((place.resource, place.spot), candidates);
    }
    options.progress.phase("locating");
    for (system, connector) in (0u32..).map(SystemId).zip(connectors) {
        let mut second = Second {
            engine,
            options,
            connector: &**connector,
            system,
            resources,
            gaps,
        };
        let mut objects = held.remove(&system).unwrap_or_default();
        workers.install(|| {
            second.named(&mut objects);
            let located = second.located(&objects);
            if options.memo.is_some() {
                for (resource, sighting) in &located {
                    let of_one = histories.entry((system, *resource)).or_default();
                    of_one.push(sighting.clone());
                }
            }
            sightings.extend(located.into_iter().map(|(_, sighting)| sighting));
        });
    }
    (sightings, histories)
}

struct Second<'a> {
    engine: &'a Engine,
    options: &'a SweepOptions<'a>,
    connector: &'a dyn Connector,
    system: SystemId,
    resources: &'a Resources,
    gaps: &'a mut Vec<Gap>,
}

impl Second<'_> {
    fn fail(&mut self, what: &str, message: String) {
        let label = self.connector.about().label.clone();
        self.gaps.push(Gap {
            kind: GapKind::Failed,
            subject: format!("{label}: {what}"),
            reason: message,
            source: Source {
                system: self.system,
                locator: label,
            },
        });
    }

    /// Files that a rule knows by name: their blobs are looked at again, now with the path.
    fn named(&mut self, objects: &mut Objects) {
        let cx = cx(self.system, self.engine, self.options, None);
        let mut named: BTreeMap<(u32, Spot), PathBytes> = BTreeMap::new();
        let outcome = self.connector.named(
            &cx,
            &|name| self.engine.wants_name(name),
            &mut |resource, id, path| {
                named.entry((resource, Spot::Blob { id })).or_insert(path);
            },
        );
        if let Err(error) = outcome {
            self.fail("files known by name", error.message);
        }
        let spots: Vec<(u32, Spot)> = named.keys().cloned().collect();
        let outcome = self.connector.reread(&cx, &spots, &mut |index, bytes| {
            let key = &spots[index];
            let Some(path) = named.get(key) else { return };
            let place = Place {
                system: self.system,
                resource: key.0,
                spot: Spot::File { path: path.clone() },
            };
            let content = Content {
                place: &place,
                bytes,
                origin: Default::default(),
                class: None,
                fresh: Fresh::Everything,
            };
            let trace = if self.options.whole {
                self.engine.search_whole(&content)
            } else {
                self.engine.search(&content)
            };
            if !trace.candidates.is_empty() {
                objects.insert(key.clone(), trace.candidates);
            }
        });
        if let Err(error) = outcome {
            self.fail("files known by name", error.message);
        }
    }

    /// Sightings in histories, each with its resource as the connector numbers it.
    fn located(&mut self, objects: &Objects) -> Vec<(u32, Sighting)> {
        if objects.is_empty() {
            return Vec::new();
        }
        let cx = cx(self.system, self.engine, self.options, None);
        let wanted = wanted(objects, self.options.every_version);
        let mut places: Vec<Located> = Vec::new();
        if let Err(error) = self
            .connector
            .locate(&cx, &wanted, &mut |located| places.push(located))
        {
            self.fail("places of what was found", error.message);
        }
        // Which candidates of which object are told at which place.
        let mut told: Vec<(usize, &Candidate, (u32, Spot))> = Vec::new();
        for (index, located) in places.iter().enumerate() {
            let spot = match (located.blob, located.message) {
                (Some(id), _) => Spot::Blob { id },
                (None, Some(id)) => Spot::Message { id },
                (None, None) => continue,
            };
            let key = (located.resource, spot);
            let Some(candidates) = objects.get(&key) else {
                continue;
            };
            // A message is prose.
            let path = match &key.1 {
                Spot::Message { .. } => Some(b"message.txt".as_slice()),
                _ => located.path.as_ref().map(|path| path.0.as_slice()),
            };
            for winner in self.engine.winners(candidates, path) {
                if winner.secret == located.secret {
                    told.push((index, winner, key.clone()));
                }
            }
        }
        let positions = self.positions(&told);
        told.iter()
            .zip(positions)
            .map(|((index, candidate, key), position)| {
                let located = &places[*index];
                let path = match (&located.path, &key.1) {
                    (Some(path), _) => path.to_string(),
                    (None, Spot::Message { .. }) => "(commit message)".to_owned(),
                    (None, _) => "(unreachable)".to_owned(),
                };
                let number = self.resources.number(self.system, located.resource);
                let sighting = Sighting {
                    blob: located.blob,
                    commit: located.commit.clone(),
                    introduced: located.introduced.clone(),
                    versions: located.versions,
                    at_tip: located.at_tip.clone(),
                    ..sighting(self.engine, candidate, number, path, position)
                };
                (located.resource, sighting)
            })
            .collect()
    }

    /// Lines and columns: the objects that are told are read once more, each once.
    fn positions(&mut self, told: &[(usize, &Candidate, (u32, Spot))]) -> Vec<Option<Position>> {
        let mut positions = vec![None; told.len()];
        let mut of_spot: BTreeMap<&(u32, Spot), Vec<usize>> = BTreeMap::new();
        for (index, (_, _, key)) in told.iter().enumerate() {
            of_spot.entry(key).or_default().push(index);
        }
        let spots: Vec<(u32, Spot)> = of_spot.keys().map(|key| (*key).clone()).collect();
        let wanted: Vec<&Vec<usize>> = of_spot.values().collect();
        let cx = cx(self.system, self.engine, self.options, None);
        let outcome = self.connector.reread(&cx, &spots, &mut |spot, bytes| {
            for &index in wanted[spot] {
                positions[index] = Some(position(bytes, &Default::default(), &told[index].1.span));
            }
        });
        if let Err(error) = outcome {
            self.fail("lines of what was found", error.message);
        }
        positions
    }
}

fn wanted(objects: &Objects, every_version: bool) -> Wanted {
    let mut secrets: BTreeMap<(u32, SecretId), (BTreeSet<ObjectId>, BTreeSet<ObjectId>)> =
        BTreeMap::new();
    for ((resource, spot), candidates) in objects {
        for candidate in candidates {
            let (blobs, messages) = secrets.entry((*resource, candidate.secret)).or_default();
            match spot {
                Spot::Blob { id } => blobs.insert(*id),
                Spot::Message { id } => messages.insert(*id),
                Spot::File { .. } | Spot::Slot { .. } | Spot::Object { .. } => continue,
            };
        }
    }
    let secrets = secrets
        .into_iter()
        .map(|((resource, secret), (blobs, messages))| WantedSecret {
            resource,
            secret,
            blobs: blobs.into_iter().collect(),
            messages: messages.into_iter().collect(),
        })
        .collect();
    Wanted {
        secrets,
        every_version,
    }
}

fn sighting(
    engine: &Engine,
    candidate: &Candidate,
    resource: u32,
    path: String,
    position: Option<Position>,
) -> Sighting {
    let rule = &engine.rules().rules[candidate.rule as usize];
    Sighting {
        resource,
        rule: Arc::clone(&rule.id),
        kind: Arc::clone(&rule.kind),
        confidence: candidate.confidence,
        severity: severity(rule.severity, &candidate.details),
        public: rule.public,
        secret: candidate.secret,
        suppressed: candidate.details.allowed.as_ref().map(|allowed| {
            let (marker, reason) = allowed.split_once('\0').unwrap_or((allowed, ""));
            let reason = if reason.is_empty() {
                "no reason given"
            } else {
                reason
            };
            Suppressed {
                by: format!("inline comment {marker}"),
                reason: reason.to_owned(),
                until: None,
            }
        }),
        details: Arc::clone(&candidate.details),
        path,
        position,
        blob: None,
        commit: None,
        introduced: None,
        versions: 1,
        at_tip: None,
        in_worktree: false,
    }
}

/// A key that needs a passphrase, which is not here, is one step less bad.
fn severity(of_rule: Severity, details: &Details) -> Severity {
    let is_encrypted = details
        .facts
        .iter()
        .any(|(name, value)| name == "encrypted" && value == "true");
    if is_encrypted {
        of_rule.lowered()
    } else {
        of_rule
    }
}

//! Records that resemble a credential: shared words, rare ones counting more, and names that
//! resemble each other within one system (rank 7). Suggestions, never matches.

use std::{borrow::Cow, collections::HashMap};

use rayon::{
    iter::{IntoParallelRefIterator as _, ParallelIterator as _},
    slice::ParallelSliceMut as _,
};

use super::{
    super::{
        Inventory, Match, MatchKey, Nearest, Record,
        text::{squeezed, words},
    },
    credentials::{Subject, Subjects},
    records::Records,
};

/// How many of a credential's words are looked up, the rarest first.
const MOST_WORDS: usize = 12;
/// Words in more records than this name no record.
const MOST_RECORDS: usize = 1000;
/// How many records with a word of a credential's are compared with it.
const MOST_CANDIDATES: usize = 4000;
/// Places of a credential whose words count.
const MOST_PLACES: usize = 4;
/// What a record counts that has its credential already.
const TAKEN: f64 = 0.5;

/// The words of records that open credentials have too.
pub(super) struct Tokens {
    ids: HashMap<String, u32>,
    names: Vec<String>,
    /// For each word how many records have it, and where they begin in `postings`.
    counts: Vec<u32>,
    starts: Vec<u32>,
    postings: Vec<u32>,
    /// For each record how many words its name has.
    name_lengths: Vec<u32>,
    records: usize,
}

/// A record, a word it shares, and whether that is one of its name.
type Shared = (u32, u32, bool);

/// A record's words: of its name, and all.
struct Worded {
    name: Vec<u32>,
    name_length: u32,
    all: Vec<u32>,
}

impl Tokens {
    /// Indexes what the open credentials could be looked up by.
    pub(super) fn new(inventory: &Inventory, subjects: &Subjects<'_>, open: &[u32]) -> Tokens {
        let mut wanted: Vec<String> = open
            .par_iter()
            .flat_map_iter(|&at| {
                let subject = subjects.of(at as usize);
                let mut all = Vec::new();
                for text in texts(&subject) {
                    all.extend(telling(&text));
                }
                all
            })
            .collect();
        wanted.par_sort_unstable();
        wanted.dedup();
        let ids: HashMap<String, u32> = wanted.iter().cloned().zip(0..).collect();
        let mut tokens = Tokens {
            counts: vec![0; wanted.len()],
            starts: vec![0; wanted.len()],
            postings: Vec::new(),
            name_lengths: Vec::new(),
            records: inventory.records.len(),
            names: wanted,
            ids,
        };
        if tokens.names.is_empty() {
            return tokens;
        }
        let worded: Vec<Worded> = inventory
            .records
            .par_iter()
            .map(|record| tokens.worded(record))
            .collect();
        for word in worded.iter().flat_map(|worded| &worded.all) {
            tokens.counts[*word as usize] += 1;
        }
        let mut next = 0;
        for (start, count) in tokens.starts.iter_mut().zip(&tokens.counts) {
            *start = next;
            next += count;
        }
        tokens.postings = vec![0; next as usize];
        let mut ends = tokens.starts.clone();
        for (record, worded) in (0u32..).zip(&worded) {
            for word in &worded.all {
                // The first bit tells words of the name from others.
                let named = u32::from(worded.name.binary_search(word).is_ok());
                tokens.postings[ends[*word as usize] as usize] = record << 1 | named;
                ends[*word as usize] += 1;
            }
        }
        tokens.name_lengths = worded.iter().map(|worded| worded.name_length).collect();
        tokens
    }

    fn worded(&self, record: &Record) -> Worded {
        let of_name = telling(record.name.as_deref().unwrap_or_default());
        let mut name = self.known(&of_name);
        let mut all = name.clone();
        let texts = [
            &record.system,
            &record.account,
            &record.owner,
            &record.purpose,
        ];
        for text in texts.into_iter().flatten() {
            all.extend(self.known(&telling(text)));
        }
        for identifier in &record.identifiers {
            if matches!(
                identifier.scheme.as_str(),
                "principal"
                    | "ci_variable"
                    | "repo_path"
                    | "vault_path"
                    | "k8s_secret"
                    | "arn"
                    | "client_email"
                    | "email"
            ) {
                all.extend(self.known(&telling(&identifier.value)));
            }
        }
        for words in [&mut name, &mut all] {
            words.sort_unstable();
            words.dedup();
        }
        Worded {
            name,
            name_length: of_name.len() as u32,
            all,
        }
    }

    fn known(&self, words: &[String]) -> Vec<u32> {
        let known = words.iter().filter_map(|word| self.ids.get(word).copied());
        known.collect()
    }

    /// The records with a word, each with whether it is one of the name's.
    fn holders(&self, word: u32) -> impl Iterator<Item = (u32, bool)> {
        let from = self.starts[word as usize] as usize;
        let here = &self.postings[from..from + self.counts[word as usize] as usize];
        here.iter().map(|&posting| (posting >> 1, posting & 1 == 1))
    }

    fn weight(&self, word: u32) -> f64 {
        let count = self.counts[word as usize].max(1);
        (1.0 + self.records as f64 / f64::from(count)).ln()
    }

    /// The nearest records, and those whose name resembles the credential's within one system.
    /// Sorted, the nearest first; records that are free before those that have a credential.
    pub(super) fn nearest(
        &self,
        credential: u32,
        subject: &Subject<'_>,
        records: &Records<'_>,
        is_free: &dyn Fn(u32) -> bool,
    ) -> (Vec<Nearest>, Vec<Match>) {
        let of = |text: &str| self.known(&telling(text));
        let mut names: Vec<u32> = subject.names.iter().flat_map(|name| of(name)).collect();
        let mut all: Vec<u32> = texts(subject).flat_map(|text| of(&text)).collect();
        for words in [&mut names, &mut all] {
            words.sort_unstable();
            words.dedup();
        }
        all.retain(|&word| self.counts[word as usize] > 0);
        let whole: f64 = all.iter().map(|&word| self.weight(word)).sum();
        all.sort_by_key(|&word| (self.counts[word as usize], word));
        // Records with the words they share.
        let mut shared: Vec<Shared> = Vec::new();
        for &word in all.iter().take(MOST_WORDS) {
            let count = self.counts[word as usize] as usize;
            if count > MOST_RECORDS || shared.len() + count > MOST_CANDIDATES {
                break;
            }
            shared.extend(
                self.holders(word)
                    .map(|(record, named)| (record, word, named)),
            );
        }
        shared.sort_by_key(|&(record, ..)| record);
        let systems: Vec<String> = subject
            .systems
            .iter()
            .map(|system| squeezed(system))
            .collect();
        let mut near: Vec<(f64, u32, &[Shared])> = Vec::new();
        let mut resembling = Vec::new();
        for group in shared.chunk_by(|a, b| a.0 == b.0) {
            let record = group[0].0;
            let weight: f64 = group.iter().map(|&(_, word, _)| self.weight(word)).sum();
            let mut score = 0.59 * weight / whole.max(f64::MIN_POSITIVE);
            let common = group
                .iter()
                .filter(|(_, word, named)| *named && names.binary_search(word).is_ok())
                .count();
            let length = self.name_lengths[record as usize] as usize;
            let alike = match common {
                0 => 0.0,
                common => {
                    common as f64 / (names.len() + length).saturating_sub(common).max(common) as f64
                }
            };
            if alike > 0.0 && self.one_system(records, record, &systems) {
                let confidence = 0.40 + 0.25 * alike;
                score = score.max(confidence.min(0.59));
                if confidence >= super::TO_CONFIRM {
                    resembling.push(Match {
                        credential,
                        record,
                        key: MatchKey::Fuzzy,
                        confidence,
                        because: format!("the same system, and the name {}", self.because(group)),
                    });
                }
            }
            if !is_free(record) {
                score *= TAKEN;
            }
            near.push((score, record, group));
        }
        let rank = |record: u32| records.all[record as usize].rank;
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| rank(a.1).cmp(&rank(b.1))));
        near.truncate(8);
        resembling.sort_by(|a, b| {
            let by_rank = || rank(a.record).cmp(&rank(b.record));
            b.confidence.total_cmp(&a.confidence).then_with(by_rank)
        });
        let near = near.into_iter().map(|(score, record, group)| Nearest {
            record,
            score,
            because: self.because(group),
        });
        (near.collect(), resembling)
    }

    fn one_system(&self, records: &Records<'_>, record: u32, systems: &[String]) -> bool {
        let system = records.all[record as usize].record.system.as_deref();
        let system = squeezed(system.unwrap_or_default());
        !system.is_empty() && systems.contains(&system)
    }

    /// `shares payments, nightly`.
    fn because(&self, group: &[Shared]) -> String {
        let shown = group.iter().take(4);
        let shown: Vec<&str> = shown
            .map(|&(_, word, _)| self.names[word as usize].as_str())
            .collect();
        format!("shares {}", shown.join(", "))
    }
}

/// What a credential is looked up by.
fn texts<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = Cow<'s, str>> {
    let told = subject
        .names
        .iter()
        .chain(&subject.systems)
        .chain(&subject.parties)
        .copied()
        .map(Cow::Borrowed);
    let account = subject.account.as_deref().map(Cow::Borrowed);
    let places = subject.locators.iter().take(MOST_PLACES);
    told.chain(account)
        .chain(places.map(|(_, shown)| Cow::Borrowed(shown.as_ref())))
}

/// The words that can tell one record from another.
fn telling(text: &str) -> Vec<String> {
    const EMPTY: &[&str] = &[
        "the", "for", "and", "of", "to", "in", "on", "by", "with", "from", "key", "keys", "token",
        "secret", "access", "api", "account", "user", "service", "www", "com", "io", "org", "net",
        "der", "die", "das", "und", "fur", "von", "mit", "les", "des", "pour", "de", "la", "le",
    ];
    let mut words = words(text);
    words.retain(|word| word.len() > 1 && !EMPTY.contains(&word.as_str()));
    words.truncate(64);
    words
}

//! Records that resemble a credential: shared words, rare ones counting more, and names that
//! resemble each other within one system (rank 7). Suggestions, never matches.

use std::collections::{BTreeMap, HashMap};

use super::{
    super::{
        Inventory, Match, MatchKey, Nearest,
        text::{squeezed, words},
    },
    credentials::Subject,
    records::Records,
};

/// How many of a credential's words are looked up, the rarest first.
const MOST_WORDS: usize = 12;
/// Words in more records than this name no record.
const MOST_RECORDS: usize = 1000;
/// How many records are compared for one credential.
const MOST_CANDIDATES: usize = 2000;

/// The words of records, interned.
pub(super) struct Tokens {
    ids: HashMap<String, u32>,
    names: Vec<String>,
    /// For each word the records that have it.
    records: Vec<Vec<u32>>,
    /// For each record the words of its name, sorted.
    name_words: Vec<Vec<u32>>,
    /// For each record its system, squeezed.
    systems: Vec<String>,
}

impl Tokens {
    pub(super) fn new(inventory: &Inventory, subjects: &[Subject<'_>]) -> Tokens {
        let mut tokens = Tokens {
            ids: HashMap::new(),
            names: Vec::new(),
            records: Vec::new(),
            name_words: Vec::new(),
            systems: Vec::new(),
        };
        if subjects.is_empty() {
            return tokens;
        }
        for (at, record) in inventory.records.iter().enumerate() {
            let name = record.name.as_deref().unwrap_or_default();
            let texts = [
                &record.system,
                &record.account,
                &record.owner,
                &record.purpose,
            ];
            let mut all: Vec<u32> = tokens.intern(name);
            tokens.name_words.push(all.clone());
            for text in texts.into_iter().flatten() {
                all.extend(tokens.intern(text));
            }
            for identifier in &record.identifiers {
                if matches!(
                    identifier.scheme.as_str(),
                    "principal" | "ci_variable" | "repo_path" | "vault_path"
                ) {
                    all.extend(tokens.intern(&identifier.value));
                }
            }
            all.sort_unstable();
            all.dedup();
            for word in all {
                tokens.records[word as usize].push(at as u32);
            }
            tokens
                .systems
                .push(squeezed(record.system.as_deref().unwrap_or_default()));
        }
        tokens
    }

    fn intern(&mut self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for word in telling(text) {
            let next = self.names.len() as u32;
            let id = *self.ids.entry(word).or_insert_with_key(|word| {
                self.names.push(word.clone());
                self.records.push(Vec::new());
                next
            });
            found.push(id);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn known(&self, text: &str) -> impl Iterator<Item = u32> {
        telling(text)
            .into_iter()
            .filter_map(|word| self.ids.get(&word).copied())
    }

    /// The three nearest records, and those whose name resembles the credential's within one
    /// system. Sorted, the nearest first.
    pub(super) fn nearest(
        &self,
        credential: usize,
        subject: &Subject<'_>,
        records: &Records<'_>,
    ) -> (Vec<Nearest>, Vec<Match>) {
        let mut names: Vec<u32> = subject
            .names
            .iter()
            .flat_map(|name| self.known(name))
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut all = names.clone();
        let texts = subject.systems.iter().chain(&subject.parties).copied();
        all.extend(
            texts
                .chain(subject.account.as_deref())
                .flat_map(|text| self.known(text)),
        );
        all.sort_unstable();
        all.dedup();
        let count = |word: u32| self.records[word as usize].len();
        let weight = |word: u32| (1.0 + self.systems.len() as f64 / count(word) as f64).ln();
        let whole: f64 = all.iter().map(|&word| weight(word)).sum();
        all.sort_by_key(|&word| (count(word), word));
        // Record to shared words.
        let mut shared: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &word in all.iter().take(MOST_WORDS) {
            if count(word) > MOST_RECORDS {
                break;
            }
            for &record in &self.records[word as usize] {
                if shared.len() < MOST_CANDIDATES || shared.contains_key(&record) {
                    shared.entry(record).or_default().push(word);
                }
            }
        }
        let systems: Vec<String> = subject
            .systems
            .iter()
            .map(|system| squeezed(system))
            .collect();
        let mut near = Vec::new();
        let mut resembling = Vec::new();
        for (record, words) in shared {
            let weight: f64 = words.iter().map(|&word| weight(word)).sum();
            let shown: Vec<&str> = words
                .iter()
                .take(4)
                .map(|&word| self.names[word as usize].as_str())
                .collect();
            let because = format!("shares {}", shown.join(", "));
            let mut score = 0.59 * weight / whole;
            let system = &self.systems[record as usize];
            let alike = alike(&names, &self.name_words[record as usize]);
            if alike > 0.0 && !system.is_empty() && systems.contains(system) {
                let confidence = 0.40 + 0.25 * alike;
                score = score.max(confidence.min(0.59));
                if confidence >= super::TO_CONFIRM {
                    resembling.push(Match {
                        credential: credential as u32,
                        record,
                        key: MatchKey::Fuzzy,
                        confidence,
                        because: format!("the same system, and the name {because}"),
                    });
                }
            }
            near.push(Nearest {
                record,
                score,
                because,
            });
        }
        let rank = |record: u32| records.all[record as usize].rank;
        near.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then_with(|| rank(a.record).cmp(&rank(b.record)))
        });
        near.truncate(8);
        resembling.sort_by(|a, b| {
            let by_rank = || rank(a.record).cmp(&rank(b.record));
            b.confidence.total_cmp(&a.confidence).then_with(by_rank)
        });
        (near, resembling)
    }
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

/// How much of two sorted word lists is common: 0 to 1.
fn alike(a: &[u32], b: &[u32]) -> f64 {
    let common = a
        .iter()
        .filter(|word| b.binary_search(word).is_ok())
        .count();
    if common == 0 {
        return 0.0;
    }
    common as f64 / (a.len() + b.len() - common) as f64
}

//! Who looks after the files: CODEOWNERS, where the last line that fits a path counts, and
//! Backstage's `catalog-info.yaml`.
//! Source: docs.github.com/repositories (about code owners), docs.gitlab.com/user/project/codeowners

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use keymuster_api::{Claim, ClaimRole, Consumer, Key, Source};

use crate::{file::File, yaml::Tree};

/// Trust in a line of CODEOWNERS: it says who reviews a file, not who answers for what it uses.
const CODE_OWNERS: u8 = 50;
/// Trust in the owner of a component.
const CATALOGUE: u8 = 70;
/// GitHub reads no larger CODEOWNERS than 3 MB.
const MAX_LINES: usize = 50_000;

/// What one tree says of owners.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    lines: Vec<Line>,
    component: Option<(String, Source)>,
}

#[derive(Debug)]
struct Line {
    pattern: Gitignore,
    parties: Vec<String>,
    source: Source,
}

impl Owners {
    /// Reads CODEOWNERS.
    pub(crate) fn read(&mut self, file: &File<'_>, text: &str) {
        // GitHub takes the first that it finds; the files of a tree come sorted by path, and
        // `.github/` is asked first there too.
        if !self.lines.is_empty() {
            return;
        }
        let mut section: Vec<String> = Vec::new();
        for (number, line) in (1u32..).zip(text.lines()).take(MAX_LINES) {
            let line = line.trim();
            let line = line.split(" #").next().unwrap_or(line);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(end) = line
                .find(']')
                .filter(|_| line.starts_with('[') || line.starts_with("^["))
            {
                section = line[end + 1..]
                    .split_whitespace()
                    .filter(|w| w.contains('@'))
                    .map(str::to_owned)
                    .collect();
                continue;
            }
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next() else {
                continue;
            };
            let mut parties: Vec<String> = words.map(str::to_owned).collect();
            if parties.is_empty() {
                parties.clone_from(&section);
            }
            let mut builder = GitignoreBuilder::new("");
            // What is no pattern fits nothing.
            if builder.add_line(None, pattern).is_err() {
                continue;
            }
            if let Ok(pattern) = builder.build() {
                self.lines.push(Line {
                    pattern,
                    parties,
                    source: file.source(number),
                });
            }
        }
    }

    /// Reads `catalog-info.yaml`.
    pub(crate) fn catalogue(&mut self, file: &File<'_>, tree: &Tree) {
        for document in tree.documents() {
            let owner = document.get("spec").and_then(|spec| spec.get("owner"));
            if let Some(owner) = owner
                && let Some(name) = owner.text().filter(|name| !name.is_empty())
                && self.component.is_none()
            {
                let name = name.rsplit(['/', ':']).next().unwrap_or(name);
                self.component = Some((name.to_owned(), file.source(owner.line())));
            }
        }
    }

    /// Claims about a repository by whoever owns the file where its pipeline begins: who may change
    /// that gets at everything the pipeline is given.
    pub(crate) fn of_pipeline(&self, scope: &str, path: &str, out: &mut Vec<Claim>) {
        let Some(line) = self.last(path) else { return };
        for party in &line.parties {
            out.push(Claim {
                subject: Key(scope.to_owned()),
                party: party.clone(),
                role: ClaimRole::Owner,
                observed: None,
                confidence: CODE_OWNERS,
                source: line.source.clone(),
            });
        }
    }

    /// The last line that fits a path.
    fn last(&self, path: &str) -> Option<&Line> {
        let fits = |line: &&Line| {
            let matched = line.pattern.matched_path_or_any_parents(path, false);
            matched.is_ignore()
        };
        self.lines.iter().rev().find(fits)
    }

    /// Claims about one consumer.
    pub(crate) fn claims(&self, consumer: &Consumer, out: &mut Vec<Claim>) {
        let mut claim = |party: &str, role, confidence, source: &Source| {
            out.push(Claim {
                subject: consumer.key.clone(),
                party: party.to_owned(),
                role,
                observed: None,
                confidence,
                source: source.clone(),
            });
        };
        if let Some((owner, source)) = &self.component {
            claim(owner, ClaimRole::Owner, CATALOGUE, source);
        }
        let last = self.last(&consumer.path);
        for party in last.map_or(&[][..], |line| &line.parties) {
            if let Some(line) = last {
                claim(party, ClaimRole::Maintainer, CODE_OWNERS, &line.source);
            }
        }
    }
}

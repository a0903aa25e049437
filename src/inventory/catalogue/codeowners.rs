//! CODEOWNERS: who looks after which paths of a repository. GitHub: the last pattern that fits
//! counts (<https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>);
//! GitLab: that, in each section (<https://docs.gitlab.com/user/project/codeowners/reference/>).

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// More rules than any file has.
const MOST_RULES: usize = 20_000;

/// One file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CodeOwners {
    sections: Vec<Section>,
    /// Lines that are no rules.
    pub(super) unread: Vec<u64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Section {
    optional: bool,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Rule {
    line: u64,
    /// The whole repository, or a part of it.
    everything: bool,
    #[serde(with = "globs")]
    matchers: Vec<GlobMatcher>,
    owners: Vec<String>,
}

/// Somebody who looks after a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeOwner<'a> {
    /// `@login`, `@org/team` or a mail.
    pub party: &'a str,
    /// The line that says so.
    pub line: u64,
    /// Whether that line is about the whole repository.
    pub everything: bool,
    /// Whether their approval is not asked for.
    pub optional: bool,
}

impl CodeOwners {
    /// Reads a file. Lines that are no rules are counted, not refused: code hosts skip them too.
    pub fn parse(text: &str) -> CodeOwners {
        let mut file = CodeOwners {
            sections: vec![Section::default()],
            unread: Vec::new(),
        };
        let mut defaults: Vec<String> = Vec::new();
        for (number, line) in (1..).zip(text.lines().take(MOST_RULES)) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((optional, owners)) = section(line) {
                defaults = owners;
                file.sections.push(Section {
                    optional,
                    rules: Vec::new(),
                });
                continue;
            }
            let mut words = words(line).into_iter();
            let Some(pattern) = words.next() else {
                continue;
            };
            let mut owners: Vec<String> = words.filter(|word| word.contains('@')).collect();
            if owners.is_empty() {
                owners.clone_from(&defaults);
            }
            let Some(matchers) = matchers(&pattern) else {
                file.unread.push(number);
                continue;
            };
            if let Some(section) = file.sections.last_mut() {
                section.rules.push(Rule {
                    line: number,
                    everything: matches!(
                        pattern.as_str(),
                        "*" | "/" | "/**" | "**" | "/*" | "**/*"
                    ),
                    matchers,
                    owners,
                });
            }
        }
        file
    }

    /// Who looks after a path, relative to the repository. A rule without owners says that
    /// nobody does.
    pub fn owners(&self, path: &str) -> Vec<CodeOwner<'_>> {
        let mut found: Vec<CodeOwner<'_>> = Vec::new();
        for section in &self.sections {
            let fits = |rule: &&Rule| rule.matchers.iter().any(|matcher| matcher.is_match(path));
            let Some(rule) = section.rules.iter().rev().find(fits) else {
                continue;
            };
            for party in &rule.owners {
                if found.iter().all(|known| known.party != party) {
                    found.push(CodeOwner {
                        party,
                        line: rule.line,
                        everything: rule.everything,
                        optional: section.optional,
                    });
                }
            }
        }
        found
    }
}

/// `[Name]`, `^[Name][2] @default`: whether it is optional, and its default owners.
fn section(line: &str) -> Option<(bool, Vec<String>)> {
    let (optional, rest) = match line.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (_, rest) = rest.strip_prefix('[')?.split_once(']')?;
    let rest = match rest.strip_prefix('[') {
        Some(number) => number.split_once(']')?.1,
        None => rest,
    };
    let owners = rest.split_whitespace();
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some((optional, owners.map(str::to_owned).collect()))
}

/// The words of a line; `\ ` is a blank of a path, `#` begins a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let last = words.len() - 1;
        match c {
            '\\' => words[last].extend(chars.next()),
            '#' if words[last].is_empty() => break,
            c if c.is_whitespace() => words.push(String::new()),
            c => words[last].push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn matchers(pattern: &str) -> Option<Vec<GlobMatcher>> {
    if pattern.starts_with('!') || pattern.len() > 1024 {
        return None;
    }
    let bare = pattern.trim_start_matches('/');
    let anchored = pattern.starts_with('/') || bare.trim_end_matches('/').contains('/');
    // Neither host knows sets and alternatives.
    let mut text = String::new();
    for c in bare.chars() {
        if matches!(c, '[' | ']' | '{' | '}') {
            text.push('\\');
        }
        text.push(c);
    }
    if text.is_empty() {
        text.push_str("**");
    }
    if !anchored {
        text.insert_str(0, "**/");
    }
    let folder = text.ends_with('/');
    let mut texts = Vec::new();
    if folder {
        texts.push(format!("{text}**"));
    } else {
        texts.push(text.clone());
        // A name stands for what is below it too; `docs/*` is only what lies in it.
        if !text.ends_with("/*") || !anchored {
            texts.push(format!("{text}/**"));
        }
    }
    texts
        .iter()
        .map(|text| glob(text).map(|glob| glob.compile_matcher()))
        .collect()
}

fn glob(text: &str) -> Option<Glob> {
    let built = GlobBuilder::new(text)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    built.ok()
}

/// Matchers as their texts, for the evidence of a run.
mod globs {
    use globset::GlobMatcher;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        matchers: &[GlobMatcher],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(matchers.iter().map(|matcher| matcher.glob().glob()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<GlobMatcher>, D::Error> {
        Vec::<String>::deserialize(from)?
            .iter()
            .map(|text| {
                let glob = super::glob(text).ok_or_else(|| D::Error::custom("no pattern"))?;
                Ok(glob.compile_matcher())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::CodeOwners;

    fn owners(file: &str, path: &str) -> Vec<String> {
        let read = CodeOwners::parse(file);
        read.owners(path)
            .into_iter()
            .map(|o| o.party.to_owned())
            .collect()
    }

    #[test]
    fn the_last_pattern_that_fits_counts() {
        let file = "# all\n*       @acme/all\n*.js    @js # comment\n/build/logs/ @doctocat\ndocs/*  docs@acme.io\napps/   @octocat\n\
            /docs/  @writers\n/scripts/ @a @b\n**/logs @deep\n/apps/github\nwith\\ space @blank\n";
        let table: &[(&str, &[&str])] = &[
            ("x.rs", &["@acme/all"]),
            ("src/a.js", &["@js"]),
            ("build/logs/1/x.txt", &["@deep"]),
            ("docs/a.md", &["@writers"]),
            ("docs/a/b.md", &["@writers"]),
            ("x/apps/y", &["@octocat"]),
            ("apps/github", &[]),
            ("apps/githubx", &["@octocat"]),
            ("scripts/run", &["@a", "@b"]),
            ("with space", &["@blank"]),
        ];
        for (path, expected) in table {
            assert_eq!(owners(file, path), *expected, "{path}");
        }
        assert_eq!(owners("docs/* @d\n", "docs/a/b.md"), [""; 0]);
        assert_eq!(owners("/*.md @d\n", "a/b.md"), [""; 0]);
    }

    #[test]
    fn sections_add_up() {
        let file = "* @all\n[Database][2] @dba\nmodel/\n*.sql @sql\n^[Docs]\n*.md @docs\n";
        assert_eq!(owners(file, "model/x"), ["@all", "@dba"]);
        assert_eq!(owners(file, "model/x.sql"), ["@all", "@sql"]);
        let read = CodeOwners::parse(file);
        let docs = read.owners("a.md");
        assert!(docs[0].everything && !docs[0].optional);
        assert!(docs[1].optional && docs[1].line == 6);
    }

    #[test]
    fn hostile_files_are_read_as_far_as_they_go() {
        let read = CodeOwners::parse("!x @a\n[\n**********a @b\n[a @c\n");
        assert_eq!(read.unread, [1]);
        let _ = read.owners("a");
    }
}

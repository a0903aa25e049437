//! `answer ID`: who approved it, why it exists, when it will be removed, and who uses it, each
//! with its source. Reads a document; asks no system.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use super::{
    AnswerSources, Answered, CredentialEntry, Document, FindingEntry, FormatCx, UseEntry,
    paint::{Look, Paint},
    text::{day_of, harmless, middle, prose, wrap},
};

/// Uses shown.
const USES: usize = 10;
/// Shortest beginning of a secret id that may stand for it.
const PREFIX_MIN: usize = 8;
/// Where answers begin.
const INDENT: usize = 25;

/// Nothing in the document goes by that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing in run {run} is called '{id}'; give a finding id, a key id, a secret id, a record id or a subject from findings.json"
)]
pub struct NoSuchCredential {
    /// What was asked for.
    pub id: String,
    /// The run that was looked at.
    pub run: String,
}

/// The answers for everything that goes by one name.
#[derive(Debug)]
pub struct Answer<'a> {
    asked: Vec<Asked<'a>>,
    open: Vec<Vec<&'a FindingEntry>>,
}

/// What was asked about: a credential, or a record that no credential was found for.
#[derive(Debug)]
enum Asked<'a> {
    Credential(&'a CredentialEntry),
    Record(&'a FindingEntry),
}

/// Finds a credential by a finding's id, a handle, a secret id (or its beginning), a record id
/// or a subject.
///
/// # Errors
/// When nothing in the document goes by that name.
pub fn answer<'a>(doc: &'a Document, id: &str) -> Result<Answer<'a>, NoSuchCredential> {
    let id = id.trim();
    let mut asked = by_name(doc, |name| name == id);
    if asked.is_empty() {
        asked = by_name(doc, |name| name.eq_ignore_ascii_case(id));
    }
    if asked.is_empty() && id.len() >= PREFIX_MIN {
        let begins = |credential: &&CredentialEntry| {
            let secret = credential.secret_id.as_deref();
            secret.is_some_and(|secret| secret.starts_with(&id.to_ascii_lowercase()))
        };
        let found: Vec<&CredentialEntry> = doc.credentials.iter().filter(begins).collect();
        if let [one] = found[..] {
            asked = vec![Asked::Credential(one)];
        }
    }
    if asked.is_empty() {
        return Err(NoSuchCredential {
            id: harmless(&middle(id, 100)).into_owned(),
            run: harmless(&doc.run.id).into_owned(),
        });
    }
    let open = asked
        .iter()
        .map(|one| {
            let subject = one.subject();
            doc.open()
                .filter(|finding| finding.subject == subject)
                .collect()
        })
        .collect();
    Ok(Answer { asked, open })
}

fn by_name<'a>(doc: &'a Document, is: impl Fn(&str) -> bool) -> Vec<Asked<'a>> {
    let optional = |name: &Option<String>| name.as_deref().is_some_and(&is);
    let finding = doc.findings.iter().find(|finding| is(&finding.finding_id));
    if let Some(finding) = finding {
        return vec![match doc.credential(&finding.subject) {
            Some(credential) => Asked::Credential(credential),
            None => Asked::Record(finding),
        }];
    }
    let credentials: Vec<Asked<'_>> = doc
        .credentials
        .iter()
        .filter(|credential| {
            is(&credential.subject)
                || credential
                    .handle
                    .as_ref()
                    .is_some_and(|handle| is(&handle.value))
                || optional(&credential.secret_id)
                || optional(&credential.record_id)
                || credential.aliases.iter().any(|alias| is(alias))
        })
        .map(Asked::Credential)
        .collect();
    if !credentials.is_empty() {
        return credentials;
    }
    // A record without credential, and a principal, are known by their findings alone.
    let record = doc.findings.iter().find(|finding| {
        is(&finding.subject) || (finding.subject_kind == "record" && optional(&finding.record_id))
    });
    record.into_iter().map(Asked::Record).collect()
}

impl Asked<'_> {
    fn subject(&self) -> &str {
        match self {
            Asked::Credential(credential) => &credential.subject,
            Asked::Record(finding) => &finding.subject,
        }
    }

    fn answered(&self) -> Answered {
        match self {
            Asked::Credential(credential) => credential.answered.clone(),
            Asked::Record(finding) => {
                let source = finding.record_id.as_ref().map(|id| format!("record {id}"));
                Answered {
                    approved_by: finding.approver.clone(),
                    purpose: finding.purpose.clone(),
                    // "Never" is when it ends, not that somebody decided so.
                    removed_when: finding.expires.clone().filter(|at| at != "never"),
                    sources: AnswerSources {
                        approved_by: source.clone(),
                        purpose: source.clone(),
                        removed_when: source,
                    },
                }
            }
        }
    }
}

impl Answer<'_> {
    /// Whether all three questions are answered, for everything that goes by the name.
    pub fn complete(&self) -> bool {
        self.asked.iter().all(|asked| asked.answered().all())
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, cx: &FormatCx, out: &mut dyn Write) -> io::Result<()> {
        for (i, (asked, open)) in self.asked.iter().zip(&self.open).enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            let page = Page {
                cx,
                paint: Paint::new(cx.color),
            };
            page.write(asked, open, out)?;
        }
        out.flush()
    }
}

struct Page<'a> {
    cx: &'a FormatCx,
    paint: Paint,
}

impl Page<'_> {
    fn write(
        &self,
        asked: &Asked<'_>,
        open: &[&FindingEntry],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (title, name) = match asked {
            Asked::Credential(credential) => (
                credential.title.as_str(),
                credential
                    .handle
                    .as_ref()
                    .map_or(&credential.subject, |handle| &handle.value),
            ),
            Asked::Record(finding) => (
                finding.credential_type.as_deref().unwrap_or("record"),
                finding.credential.as_ref().unwrap_or(&finding.subject),
            ),
        };
        writeln!(
            out,
            "{}  {}\n",
            self.paint.text(Look::Title, prose(title)),
            self.paint.text(Look::Name, middle(&prose(name), 70))
        )?;
        let answered = asked.answered();
        let sources = &answered.sources;
        let no_record =
            matches!(asked, Asked::Credential(credential) if credential.record_id.is_none());
        let missing = if no_record {
            "unanswered: no record of it"
        } else {
            "unanswered: the record does not say"
        };
        for (question, answer, source) in [
            (
                "who approved it",
                &answered.approved_by,
                &sources.approved_by,
            ),
            ("why does it exist", &answered.purpose, &sources.purpose),
            (
                "when will it be removed",
                &answered.removed_when,
                &sources.removed_when,
            ),
        ] {
            match answer {
                Some(answer) => {
                    self.line(question, None, day_of(answer), source.as_deref(), out)?
                }
                None => self.line(question, Some(Look::Bad), missing, None, out)?,
            }
        }
        if let Asked::Credential(credential) = asked {
            self.facts(credential, out)?;
        }
        self.open(open, out)
    }

    fn facts(&self, credential: &CredentialEntry, out: &mut dyn Write) -> io::Result<()> {
        let mut uses = Vec::new();
        let last = match (day_of(&credential.last_used), &credential.last_used_for) {
            ("never", _) => "nobody so far: never used".to_owned(),
            ("" | "unknown" | "denied" | "absent" | "unsupported", _) => String::new(),
            (day, Some(with)) => format!("last used {day} with {with}"),
            (day, None) => format!("last used {day}"),
        };
        if !last.is_empty() {
            uses.push((last, credential.sources.first().cloned()));
        }
        if let Some(identity) = &credential.identity {
            uses.push((format!("acts as {identity}"), None));
        }
        let (breaking, others): (Vec<&UseEntry>, Vec<&UseEntry>) = credential
            .used_by
            .iter()
            .partition(|one| one.kind.is_some());
        let most = if self.cx.verbose { usize::MAX } else { USES };
        for one in others.iter().take(most) {
            uses.push((format!("{} {}", one.by, one.how), Some(one.source.clone())));
        }
        if others.len() > most {
            uses.push((
                format!("and {} more, -v shows all", others.len() - most),
                None,
            ));
        }
        if uses.is_empty() && !breaking.is_empty() {
            uses.push(("see what breaks without it".to_owned(), None));
        }
        if uses.is_empty() {
            uses.push(("not known: nothing that was read tells".to_owned(), None));
        }
        for (i, (text, source)) in uses.iter().enumerate() {
            let question = if i == 0 { "who uses it" } else { "" };
            self.line(question, None, text, source.as_deref(), out)?;
        }
        self.breaking(&breaking, out)?;
        let owner = credential.owner.as_deref().unwrap_or("nobody is recorded");
        self.line(
            "who owns it",
            None,
            owner,
            credential.owner_source.as_deref(),
            out,
        )?;
        let places = credential.places.len();
        for (i, place) in credential.places.iter().take(3).enumerate() {
            let line = place
                .line
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            let text = format!("{}:{}{line}", place.resource, place.path);
            let question = if i == 0 { "where was it seen" } else { "" };
            self.line(question, None, &text, None, out)?;
        }
        if places > 3 {
            self.line(
                "",
                None,
                &format!("and {} more places", places - 3),
                None,
                out,
            )?;
        }
        Ok(())
    }

    /// What breaks if it is revoked: how many of what, where, whom to tell; then each.
    fn breaking(&self, breaking: &[&UseEntry], out: &mut dyn Write) -> io::Result<()> {
        if breaking.is_empty() {
            return Ok(());
        }
        // One consumer may use it in several ways.
        let mut each: BTreeMap<&str, Vec<&UseEntry>> = BTreeMap::new();
        for one in breaking {
            each.entry(&one.by).or_default().push(one);
        }
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut places: BTreeSet<&str> = BTreeSet::new();
        let mut owners: BTreeSet<&str> = BTreeSet::new();
        for uses in each.values() {
            *kinds
                .entry(uses[0].kind.as_deref().unwrap_or(""))
                .or_default() += 1;
            places.extend(uses[0].environment.as_deref());
            owners.extend(uses.iter().flat_map(|one| &one.owners).map(String::as_str));
        }
        let counted = kinds.iter().map(|(kind, count)| match (*kind, count) {
            ("infrastructure", count) => format!("{count} pieces of infrastructure"),
            (kind, 1) => format!("1 {kind}"),
            (kind, count) => format!("{count} {kind}s"),
        });
        let mut text = counted.collect::<Vec<_>>().join(", ");
        let listed = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
        if !places.is_empty() {
            text.push_str(&format!("; environments {}", listed(places)));
        }
        if !owners.is_empty() {
            text.push_str(&format!("; tell {}", listed(owners)));
        }
        self.line("what breaks without it", None, &text, None, out)?;
        let most = if self.cx.verbose { usize::MAX } else { USES };
        for (by, uses) in each.iter().take(most) {
            let mut hows: Vec<&str> = uses.iter().map(|one| one.how.as_str()).collect();
            hows.dedup();
            let perhaps = if uses.iter().all(|one| one.certain == Some(false)) {
                "perhaps "
            } else {
                ""
            };
            let text = format!("{perhaps}{by}: {}", hows.join(", "));
            self.line("", None, &text, Some(&uses[0].source), out)?;
        }
        if each.len() > most {
            let text = format!("and {} more, -v shows all", each.len() - most);
            self.line("", None, &text, None, out)?;
        }
        Ok(())
    }

    fn open(&self, open: &[&FindingEntry], out: &mut dyn Write) -> io::Result<()> {
        for (i, finding) in open.iter().enumerate() {
            let question = if i == 0 { "what is wrong" } else { "" };
            let text = format!("{} {}", finding.check, finding.title);
            self.line(
                question,
                Some(Look::Grade(finding.grade())),
                &text,
                Some(&finding.finding_id),
                out,
            )?;
        }
        Ok(())
    }

    /// A question, its answer, and where that was read.
    fn line(
        &self,
        question: &str,
        look: Option<Look>,
        answer: &str,
        source: Option<&str>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let question = format!("{question:<INDENT$}");
        let width = self.cx.width.saturating_sub(INDENT).max(30);
        let answer = middle(&prose(answer), 600).into_owned();
        let mut lines = wrap(&answer, width);
        let source = source.map(|source| format!("({})", prose(source)));
        // The source goes behind the answer where there is room, else below it.
        if let Some(source) = &source {
            let last = lines.last().map_or(0, |line| line.chars().count());
            if last + 2 + source.chars().count() > width {
                lines.push(String::new());
            }
        }
        let count = lines.len();
        for (i, line) in lines.iter().enumerate() {
            let head = if i == 0 { question.as_str() } else { "" };
            let head = self.paint.text(Look::Dim, format!("{head:<INDENT$}"));
            let mut text = match look {
                Some(look) => format!("{head}{}", self.paint.text(look, line)),
                None => format!("{head}{line}"),
            };
            if let Some(source) = source.as_ref().filter(|_| i + 1 == count) {
                let gap = if line.is_empty() { "" } else { "  " };
                text.push_str(&format!("{gap}{}", self.paint.text(Look::Dim, source)));
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

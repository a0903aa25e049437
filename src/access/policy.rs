//! Policy documents, read leniently: what can be understood is, what cannot is a problem.
//!
//! Not here: what a statement means for a request (`evaluate`).

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use super::{
    condition::Clause,
    glob::{Glob, Pattern},
};

/// No policy has more characters: those of buckets have at most 20 KB, those of principals at most
/// 10,240 (IAM user guide, "IAM and AWS STS quotas"; S3 user guide, "Bucket policies").
const MOST_CHARACTERS: usize = 20 * 1024;
/// Between two colons or slashes.
const MOST_STARS: usize = 4;

/// Whether a statement grants or takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It takes away, whatever else grants.
    Deny,
}

/// An action pattern and its text as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern {
    /// As written.
    pub text: Box<str>,
    /// Compiled, without case.
    pub glob: Glob,
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrincipalElement {
    /// Whether it is `NotPrincipal`.
    pub negated: bool,
    /// Type (`AWS`, `Service`, `Federated`, `CanonicalUser`, `*`) and value.
    pub entries: Vec<(String, String)>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its place in the document, from 0.
    pub index: u32,
    /// Its name.
    pub sid: Option<String>,
    /// Grant or Deny.
    pub effect: Effect,
    /// Whether the actions are those that are *not* meant.
    pub not_action: bool,
    /// Actions.
    pub actions: Vec<ActionPattern>,
    /// Whether the resources are those that are *not* meant.
    pub not_resource: bool,
    /// Resources; `None` where the document has none (trust policies).
    pub resources: Option<Vec<Pattern>>,
    /// Who is meant, in policies of resources.
    pub principal: Option<PrincipalElement>,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Clause>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// What could be read of it.
    pub statements: Vec<Statement>,
    /// What could not, and what is odd; lower case, no full stop.
    pub problems: Vec<String>,
    /// Whether some of it was not understood and left out.
    pub unread: bool,
    /// Whether answers depend on more than action and resource.
    pub depends_on_context: bool,
    /// Whether any statement allows something.
    pub allows: bool,
}

impl Document {
    /// Reads a document from JSON text.
    pub fn parse(text: &str) -> Document {
        let mut document = Document::default();
        let bare = text.trim_start_matches('\u{feff}');
        if bare.len() < text.len() {
            let odd = "begins with a byte order mark, which AWS does not accept";
            document.problems.push(odd.to_owned());
        }
        if bare.len() > MOST_CHARACTERS {
            document.problems.push(format!(
                "has {} characters, more than AWS accepts of any policy ({MOST_CHARACTERS}); it is evaluated as it is",
                bare.len()
            ));
        }
        let json: Json = match serde_json::from_str(bare) {
            Ok(json) => json,
            Err(error) => {
                document.lost(format!(
                    "no valid JSON at line {} column {}",
                    error.line(),
                    error.column()
                ));
                return document;
            }
        };
        let Json::Object(members) = json else {
            document.lost("the document is no object".to_owned());
            return document;
        };
        let members = document.members("the document", members);
        let mut variables = false;
        let mut statements = None;
        for (name, value) in members {
            match name.as_str() {
                "Version" => match value {
                    Json::Text(version) if version == "2012-10-17" => variables = true,
                    Json::Text(version) if version == "2008-10-17" => {}
                    _ => document.lost("unknown Version".to_owned()),
                },
                "Statement" => statements = Some(value),
                "Id" => {}
                other => document.lost(format!("unknown element {}", shown(other))),
            }
        }
        let list = match statements {
            Some(Json::List(list)) => list,
            Some(object @ Json::Object(_)) => vec![object],
            Some(_) => {
                document.lost("Statement is neither an object nor a list".to_owned());
                Vec::new()
            }
            None => {
                document.lost("the document has no Statement".to_owned());
                Vec::new()
            }
        };
        for (index, json) in (0..).zip(list) {
            document.statement(index, json, variables);
        }
        document.allows = document
            .statements
            .iter()
            .any(|statement| statement.effect == Effect::Allow);
        document.depends_on_context = document.statements.iter().any(|statement| {
            !statement.conditions.is_empty()
                || statement
                    .resources
                    .iter()
                    .flatten()
                    .any(Pattern::is_variable)
        });
        document
    }

    /// Something that is not understood.
    fn lost(&mut self, message: String) {
        self.problems.push(message);
        self.unread = true;
    }

    /// Patterns with more stars than a name has use for cost time and hide what they mean.
    fn tangled(&mut self, what: &str, texts: &[String]) {
        let stars = |part: &str| part.bytes().filter(|byte| *byte == b'*').count();
        let most = |text: &&String| text.split([':', '/']).map(stars).max() > Some(MOST_STARS);
        if let Some(text) = texts.iter().find(most) {
            self.problems.push(format!(
                "{what} has the pattern {}, with more than {MOST_STARS} stars in one part",
                shown(text)
            ));
        }
    }

    /// The members of an object; of those that are given twice the last counts.
    fn members(&mut self, what: &str, members: Vec<(String, Json)>) -> Vec<(String, Json)> {
        let mut out: Vec<(String, Json)> = Vec::with_capacity(members.len());
        let mut sorted: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        sorted.sort_unstable();
        let twice = sorted.windows(2).any(|pair| pair[0] == pair[1]);
        if !twice {
            return members;
        }
        for (name, value) in members.into_iter().rev() {
            if out.iter().any(|(known, _)| *known == name) {
                self.lost(format!(
                    "{what} has {} twice; the last one counts",
                    shown(&name)
                ));
            } else {
                out.push((name, value));
            }
        }
        out.reverse();
        out
    }

    fn statement(&mut self, index: u32, json: Json, variables: bool) {
        let what = format!("statement {index}");
        let Json::Object(members) = json else {
            return self.lost(format!("{what} is no object"));
        };
        let members = self.members(&what, members);
        let mut effect = None;
        let mut statement = Statement {
            index,
            sid: None,
            effect: Effect::Deny,
            not_action: false,
            actions: Vec::new(),
            not_resource: false,
            resources: None,
            principal: None,
            conditions: Vec::new(),
        };
        let (mut has_action, mut readable) = (false, true);
        for (name, value) in members {
            match name.as_str() {
                "Sid" => {
                    if let Json::Text(sid) = value {
                        statement.sid = Some(sid);
                    }
                }
                "Effect" => match &value {
                    Json::Text(word) if word == "Allow" => effect = Some(Effect::Allow),
                    Json::Text(word) if word == "Deny" => effect = Some(Effect::Deny),
                    _ => {}
                },
                "Action" | "NotAction" => {
                    readable &= self.only_one(&what, "Action", has_action);
                    has_action = true;
                    statement.not_action = name == "NotAction";
                    let texts = self.texts(&what, &name, value);
                    self.tangled(&what, &texts);
                    statement.actions = texts
                        .into_iter()
                        .map(|text| ActionPattern {
                            glob: Glob::folded(&text),
                            text: text.into(),
                        })
                        .collect();
                }
                "Resource" | "NotResource" => {
                    readable &= self.only_one(&what, "Resource", statement.resources.is_some());
                    statement.not_resource = name == "NotResource";
                    let texts = self.texts(&what, &name, value);
                    self.tangled(&what, &texts);
                    statement.resources = Some(
                        texts
                            .iter()
                            .map(|text| Pattern::new(text, variables))
                            .collect(),
                    );
                }
                "Principal" | "NotPrincipal" => {
                    statement.principal =
                        Some(self.principal(&what, name == "NotPrincipal", value));
                }
                "Condition" => statement.conditions = self.conditions(&what, value, variables),
                other => self.lost(format!("{what} has an unknown element {}", shown(other))),
            }
        }
        match effect {
            None => {
                return self.lost(format!(
                    "{what} has no Effect that is Allow or Deny; it was left out"
                ));
            }
            Some(effect) => statement.effect = effect,
        }
        if !has_action {
            return self.lost(format!(
                "{what} has neither Action nor NotAction; it was left out"
            ));
        }
        if !readable {
            return;
        }
        let loose = statement.conditions.iter().any(|clause| {
            clause.holds_when_missing()
                && !statement
                    .conditions
                    .iter()
                    .any(|other| other.requires(clause))
        });
        if statement.effect == Effect::Allow && loose {
            self.problems.push(format!(
                "{what} allows with ForAllValues, which also holds where the key is missing"
            ));
        }
        if statement.effect == Effect::Allow
            && statement
                .principal
                .as_ref()
                .is_some_and(|principal| principal.negated)
        {
            self.problems.push(format!(
                "{what} allows with NotPrincipal, which allows everybody else"
            ));
        }
        self.statements.push(statement);
    }

    fn only_one(&mut self, what: &str, name: &str, again: bool) -> bool {
        if again {
            self.lost(format!(
                "{what} has both {name} and Not{name}; it was left out"
            ));
        }
        !again
    }

    /// A text or a list of texts.
    fn texts(&mut self, what: &str, name: &str, value: Json) -> Vec<String> {
        match value {
            Json::Text(text) => vec![text],
            Json::Scalar(text) => vec![text],
            Json::List(list) => {
                let mut texts = Vec::with_capacity(list.len());
                for value in list {
                    match value {
                        Json::Text(text) | Json::Scalar(text) => texts.push(text),
                        _ => self.lost(format!("{what}: a value of {} is no text", shown(name))),
                    }
                }
                texts
            }
            Json::Object(_) => {
                self.lost(format!(
                    "{what}: {} is neither a text nor a list",
                    shown(name)
                ));
                Vec::new()
            }
        }
    }

    fn principal(&mut self, what: &str, negated: bool, value: Json) -> PrincipalElement {
        let mut entries = Vec::new();
        match value {
            Json::Object(members) => {
                for (kind, value) in self.members(what, members) {
                    let values = self.texts(what, "Principal", value);
                    entries.extend(values.into_iter().map(|value| (kind.clone(), value)));
                }
            }
            value => {
                let values = self.texts(what, "Principal", value);
                entries.extend(values.into_iter().map(|value| ("*".to_owned(), value)));
            }
        }
        PrincipalElement { negated, entries }
    }

    fn conditions(&mut self, what: &str, value: Json, variables: bool) -> Vec<Clause> {
        let mut clauses = Vec::new();
        let operators = match value {
            Json::Object(operators) => self.members(what, operators),
            Json::List(list) if list.is_empty() => Vec::new(),
            _ => {
                // An unreadable condition must not make a statement unconditional.
                self.lost(format!("{what}: Condition is no object"));
                return vec![Clause::new("unreadable", "condition", &[], false).0];
            }
        };
        for (operator, keys) in operators {
            let Json::Object(keys) = keys else {
                self.lost(format!(
                    "{what}: condition {} is no object",
                    shown(&operator)
                ));
                clauses.push(Clause::new("unreadable", "condition", &[], false).0);
                continue;
            };
            for (key, values) in self.members(what, keys) {
                let values = self.texts(what, &key, values);
                let (clause, odd) = Clause::new(&operator, &key, &values, variables);
                if let Some(odd) = odd {
                    self.lost(format!("{what}: {odd}"));
                }
                clauses.push(clause);
            }
        }
        clauses
    }
}

/// A name from a document, short enough for a message.
fn shown(name: &str) -> String {
    let mut short: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    format!("'{short}'")
}

/// JSON that keeps members which are given twice.
enum Json {
    Text(String),
    /// A number or a truth value, as written; `null` is an empty one.
    Scalar(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Scalar(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Scalar(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Scalar(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Scalar(value.to_string()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Json, E> {
                Ok(Json::Text(value))
            }
            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Scalar(String::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
                let mut out = Vec::new();
                while let Some(value) = list.next_element()? {
                    out.push(value);
                }
                Ok(Json::List(out))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut out = Vec::new();
                while let Some(member) = map.next_entry()? {
                    out.push(member);
                }
                Ok(Json::Object(out))
            }
        }
        from.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Effect};

    #[test]
    fn one_statement_needs_no_list() {
        let document = Document::parse(
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
        );
        assert_eq!(document.statements.len(), 1);
        assert_eq!(document.statements[0].effect, Effect::Allow);
        assert_eq!(document.problems, Vec::<String>::new());
        assert!(document.allows && !document.depends_on_context);
    }

    #[test]
    fn what_is_odd_is_told_and_the_rest_stands() {
        for (text, problem) in [
            ("{", "no valid JSON at line 1 column 1"),
            ("[]", "the document is no object"),
            ("{}", "the document has no Statement"),
            (
                r#"{"Statement":3}"#,
                "Statement is neither an object nor a list",
            ),
            (r#"{"Statement":[3]}"#, "statement 0 is no object"),
            (
                r#"{"Statement":[{"Action":"*","Resource":"*"}]}"#,
                "statement 0 has no Effect that is Allow or Deny; it was left out",
            ),
            (
                r#"{"Statement":[{"Effect":"Allow","Resource":"*"}]}"#,
                "statement 0 has neither Action nor NotAction; it was left out",
            ),
            (
                r#"{"Statement":[],"Statement":[]}"#,
                "the document has 'Statement' twice; the last one counts",
            ),
            (r#"{"Statement":[],"X":1}"#, "unknown element 'X'"),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}}"#,
                "statement 0: condition operator StringIs is not known",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"a":"b"}}}}"#,
                "statement 0 allows with ForAllValues, which also holds where the key is missing",
            ),
        ] {
            assert_eq!(Document::parse(text).problems, [problem], "{text}");
        }
    }

    #[test]
    fn a_quantifier_with_a_guard_is_not_odd() {
        let document = Document::parse(
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":
                {"ForAllValues:StringEquals":{"aws:TagKeys":"b"},"Null":{"AWS:tagkeys":"false"}}}}"#,
        );
        assert_eq!(document.problems, Vec::<String>::new());
    }

    #[test]
    fn deep_nesting_is_a_problem_and_no_overflow() {
        let document = Document::parse(&("[".repeat(10_000)));
        assert_eq!(document.problems.len(), 1);
        assert!(document.unread);
    }
}

//! Conditions: operators, quantifiers, missing keys. Three-valued, because an export does not
//! tell from where, when and with what a request will come.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use keymuster_api::Timestamp;

use super::glob::{Glob, Pattern};

/// Yes, no, or it depends on what is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tri {
    /// It does not hold.
    No,
    /// Not known.
    Unknown,
    /// It holds.
    Yes,
}

impl From<bool> for Tri {
    fn from(value: bool) -> Tri {
        if value { Tri::Yes } else { Tri::No }
    }
}

impl std::ops::Not for Tri {
    type Output = Tri;
    fn not(self) -> Tri {
        match self {
            Tri::No => Tri::Yes,
            Tri::Unknown => Tri::Unknown,
            Tri::Yes => Tri::No,
        }
    }
}

/// What is known of one key of a request's context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// It has these values.
    Known(&'a [String]),
    /// It is not in the request.
    Absent,
    /// Nobody knows.
    Unknown,
}

/// Something that knows keys of a context. Keys are asked for in lower case.
pub trait Lookup {
    /// What is known of the key.
    fn seen(&self, key: &str) -> Seen<'_>;
}

/// The context of a request, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    known: BTreeMap<String, Vec<String>>,
    absent: BTreeSet<String>,
}

impl Context {
    /// Nothing is known.
    pub fn new() -> Context {
        Context::default()
    }

    /// The key has these values. Keys have no case.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Context {
        self.known.insert(
            key.to_ascii_lowercase(),
            values.iter().map(|&value| value.to_owned()).collect(),
        );
        self
    }

    /// The key is not in the request. One that ends in `/` stands for all keys below it.
    #[must_use]
    pub fn without(mut self, key: &str) -> Context {
        self.absent.insert(key.to_ascii_lowercase());
        self
    }
}

impl Lookup for Context {
    fn seen(&self, key: &str) -> Seen<'_> {
        if let Some(values) = self.known.get(key) {
            return Seen::Known(values);
        }
        let family = key.find('/').map(|at| &key[..=at]);
        if self.absent.contains(key) || family.is_some_and(|family| self.absent.contains(family)) {
            return Seen::Absent;
        }
        Seen::Unknown
    }
}

/// Two contexts: what the first does not know, the second is asked.
pub(super) struct Layers<'a>(pub(super) &'a dyn Lookup, pub(super) &'a Context);

impl Lookup for Layers<'_> {
    fn seen(&self, key: &str) -> Seen<'_> {
        match self.0.seen(key) {
            Seen::Unknown => self.1.seen(key),
            seen => seen,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Text {
        fold: bool,
    },
    Like,
    Arn,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Null,
    /// An operator that is not known here: the answer is never certain.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    Single,
    All,
    Any,
}

/// One operator with one key and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    comparison: Comparison,
    negated: bool,
    if_exists: bool,
    quantifier: Quantifier,
    key: Box<str>,
    values: Vec<Pattern>,
}

impl Clause {
    /// Compiles one; the second part tells what is odd about it.
    pub(super) fn new(
        operator: &str,
        key: &str,
        values: &[String],
        variables: bool,
    ) -> (Clause, Option<String>) {
        let (quantifier, rest) = match operator.split_once(':') {
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAllValues") => {
                (Quantifier::All, rest)
            }
            Some((word, rest)) if word.eq_ignore_ascii_case("ForAnyValue") => {
                (Quantifier::Any, rest)
            }
            _ => (Quantifier::Single, operator),
        };
        let lower = rest.to_ascii_lowercase();
        let (lower, if_exists) = match lower.strip_suffix("ifexists") {
            Some(bare) => (bare.to_owned(), true),
            None => (lower, false),
        };
        let known = comparison(&lower);
        let (comparison, negated) = known.unwrap_or((Comparison::Other, false));
        let mut odd = known
            .is_none()
            .then(|| format!("condition operator {operator} is not known"));
        if comparison == Comparison::Null && if_exists {
            odd = Some("condition operator Null takes no IfExists".to_owned());
        }
        let clause = Clause {
            comparison,
            negated,
            if_exists,
            quantifier,
            key: key.to_ascii_lowercase().into(),
            values: values
                .iter()
                .map(|value| Pattern::new(value, variables))
                .collect(),
        };
        (clause, odd)
    }

    /// Whether it is `ForAllValues`, which holds where the key is missing.
    pub(super) fn holds_when_missing(&self) -> bool {
        self.quantifier == Quantifier::All
    }

    /// The key, in lower case.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The values, as written.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|value| &*value.text)
    }

    /// Whether it says what must be, and not what must not.
    pub(super) fn is_positive(&self) -> bool {
        !self.negated && !matches!(self.comparison, Comparison::Null | Comparison::Other)
    }

    /// Whether it holds wherever the key is missing.
    pub(super) fn is_if_exists(&self) -> bool {
        self.if_exists
    }

    /// Whether its values are patterns.
    pub(super) fn is_like(&self) -> bool {
        matches!(self.comparison, Comparison::Like | Comparison::Arn)
    }

    /// Whether it fails where the other clause's key is missing.
    pub(super) fn requires(&self, other: &Clause) -> bool {
        let demands = match self.comparison {
            Comparison::Null => self
                .values
                .iter()
                .any(|value| value.text.eq_ignore_ascii_case("false")),
            _ => self.when_missing() == Tri::No,
        };
        self.key == other.key && demands
    }

    /// Whether it holds. Reasons for not knowing are added to `unknown`.
    pub(super) fn holds(&self, context: &dyn Lookup, unknown: &mut Vec<String>) -> Tri {
        let seen = context.seen(&self.key);
        if self.comparison == Comparison::Other || seen == Seen::Unknown {
            unknown.push(reason(&self.key));
            return Tri::Unknown;
        }
        let empty = matches!(seen, Seen::Absent | Seen::Known([]));
        if self.comparison == Comparison::Null {
            return any(self
                .values
                .iter()
                .map(|value| Tri::from(value.text.eq_ignore_ascii_case("true") == empty)));
        }
        let Seen::Known(given) = seen else {
            return self.when_missing();
        };
        if given.is_empty() {
            return self.when_missing();
        }
        // Does this value of the request fit one of the policy's (or none, if negated)?
        let mut fits = |text: &String| {
            let hit = any(self
                .values
                .iter()
                .map(|value| self.compare(value, text, context, unknown)));
            if self.negated { !hit } else { hit }
        };
        match self.quantifier {
            Quantifier::All => all(given.iter().map(&mut fits)),
            Quantifier::Any => any(given.iter().map(&mut fits)),
            // Without a quantifier a key has one value; should there be more, a negated
            // operator must hold for each.
            Quantifier::Single if self.negated => all(given.iter().map(&mut fits)),
            Quantifier::Single => any(given.iter().map(&mut fits)),
        }
    }

    fn when_missing(&self) -> Tri {
        match self.quantifier {
            _ if self.if_exists => Tri::Yes,
            Quantifier::All => Tri::Yes,
            Quantifier::Any => Tri::No,
            Quantifier::Single => Tri::from(self.negated),
        }
    }

    fn compare(
        &self,
        value: &Pattern,
        text: &str,
        context: &dyn Lookup,
        unknown: &mut Vec<String>,
    ) -> Tri {
        match self.comparison {
            Comparison::Text { fold } => value.equals(text, fold, context, unknown),
            Comparison::Like => value.matches(text, context, unknown),
            Comparison::Arn if value.is_variable() => value.matches(text, context, unknown),
            Comparison::Arn => Tri::from(arn_fits(&value.text, text)),
            Comparison::Number(order) => {
                let read = |text: &str| {
                    text.trim()
                        .parse::<f64>()
                        .ok()
                        .filter(|number| number.is_finite())
                };
                Tri::from(
                    read(&value.text)
                        .zip(read(text))
                        .is_some_and(|(value, given)| order.holds(given, value)),
                )
            }
            Comparison::Date(order) => Tri::from(
                date(&value.text)
                    .zip(date(text))
                    .is_some_and(|(value, given)| order.holds(given, value)),
            ),
            Comparison::Bool => Tri::from(value.text.eq_ignore_ascii_case(text)),
            Comparison::Binary => Tri::from(&*value.text == text),
            Comparison::Ip => Tri::from(ip_fits(&value.text, text)),
            Comparison::Null | Comparison::Other => Tri::Unknown,
        }
    }
}

fn comparison(lower: &str) -> Option<(Comparison, bool)> {
    use Comparison::{Arn, Binary, Bool, Date, Ip, Like, Null, Number, Text};
    Some(match lower {
        "stringequals" => (Text { fold: false }, false),
        "stringnotequals" => (Text { fold: false }, true),
        "stringequalsignorecase" => (Text { fold: true }, false),
        "stringnotequalsignorecase" => (Text { fold: true }, true),
        "stringlike" => (Like, false),
        "stringnotlike" => (Like, true),
        "arnequals" | "arnlike" => (Arn, false),
        "arnnotequals" | "arnnotlike" => (Arn, true),
        "bool" => (Bool, false),
        "binaryequals" => (Binary, false),
        "ipaddress" => (Ip, false),
        "notipaddress" => (Ip, true),
        "null" => (Null, false),
        _ => {
            let (kind, order) = lower
                .strip_prefix("numeric")
                .map(|order| (Number as fn(Order) -> Comparison, order))
                .or_else(|| {
                    lower
                        .strip_prefix("date")
                        .map(|order| (Date as fn(Order) -> Comparison, order))
                })?;
            match order {
                "equals" => (kind(Order::Equal), false),
                "notequals" => (kind(Order::Equal), true),
                "lessthan" => (kind(Order::Less), false),
                "lessthanequals" => (kind(Order::LessOrEqual), false),
                "greaterthan" => (kind(Order::Greater), false),
                "greaterthanequals" => (kind(Order::GreaterOrEqual), false),
                _ => return None,
            }
        }
    })
}

impl Order {
    fn holds<T: PartialOrd>(self, given: T, value: T) -> bool {
        match self {
            Order::Equal => given == value,
            Order::Less => given < value,
            Order::LessOrEqual => given <= value,
            Order::Greater => given > value,
            Order::GreaterOrEqual => given >= value,
        }
    }
}

/// The disjunction; every part is looked at, so that all reasons are told.
fn any(parts: impl Iterator<Item = Tri>) -> Tri {
    parts.fold(Tri::No, Tri::max)
}

/// The conjunction.
pub(super) fn all(parts: impl Iterator<Item = Tri>) -> Tri {
    parts.fold(Tri::Yes, Tri::min)
}

/// Seconds since 1970, or ISO 8601; a date alone is its midnight in UTC.
fn date(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(epoch) = text.parse::<f64>() {
        return epoch.is_finite().then_some(epoch);
    }
    let stamp = text.parse::<Timestamp>().ok().or_else(|| {
        let utc = jiff::tz::TimeZone::UTC;
        let local = text.parse::<jiff::civil::DateTime>().ok().or_else(|| {
            Some(
                text.trim_end_matches('Z')
                    .parse::<jiff::civil::Date>()
                    .ok()?
                    .to_datetime(jiff::civil::Time::midnight()),
            )
        })?;
        utc.to_timestamp(local).ok()
    })?;
    Some(stamp.as_millisecond() as f64 / 1000.0)
}

/// ARNs are compared part by part: a star does not cross a colon, except in the last part.
fn arn_fits(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut patterns = pattern.splitn(6, ':');
    let mut texts = text.splitn(6, ':');
    loop {
        match (patterns.next(), texts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(text)) if Glob::new(pattern).matches(text) => {}
            _ => return false,
        }
    }
}

/// Whether an address lies in a range; a range without a length is one address.
fn ip_fits(range: &str, text: &str) -> bool {
    let (net, length) = match range.split_once('/') {
        Some((net, length)) => (net, length.trim().parse::<u32>().ok()),
        None => (range, Some(128)),
    };
    let (Ok(net), Ok(given), Some(length)) = (
        net.trim().parse::<IpAddr>(),
        text.trim().parse::<IpAddr>(),
        length,
    ) else {
        return false;
    };
    match (net, given) {
        (IpAddr::V4(net), IpAddr::V4(given)) => {
            let length = if range.contains('/') { length } else { 32 };
            length <= 32
                && (u32::from(net) ^ u32::from(given))
                    .checked_shr(32 - length)
                    .unwrap_or(0)
                    == 0
        }
        (IpAddr::V6(net), IpAddr::V6(given)) => {
            length <= 128
                && (u128::from(net) ^ u128::from(given))
                    .checked_shr(128 - length)
                    .unwrap_or(0)
                    == 0
        }
        _ => false,
    }
}

/// What an unknown key stands for, in words.
fn reason(key: &str) -> String {
    match key {
        "aws:multifactorauthpresent" | "aws:multifactorauthage" => "needs MFA".to_owned(),
        "aws:sourceip" | "aws:vpcsourceip" => "source IP".to_owned(),
        "aws:sourcevpc" | "aws:sourcevpce" | "aws:sourcevpcarn" => "VPC".to_owned(),
        "sts:externalid" => "external id".to_owned(),
        "aws:principalorgid" | "aws:principalorgpaths" | "aws:resourceorgid" => "org id".to_owned(),
        "aws:requestedregion" => "region".to_owned(),
        "aws:tokenissuetime" => "needs a session".to_owned(),
        "aws:currenttime" | "aws:epochtime" => "time".to_owned(),
        _ if key.starts_with("aws:requesttag/") || key == "aws:tagkeys" => "request tag".to_owned(),
        _ if key.starts_with("aws:resourcetag/") => "resource tag".to_owned(),
        _ => key.to_owned(),
    }
}

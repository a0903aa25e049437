//! What a text with expressions may stand for, where inputs and the matrix tell.

use std::collections::BTreeMap;

use super::Job;
use crate::expression::{self, Piece};

/// More values than this are as good as none.
const MAX_VALUES: usize = 64;

/// What is known where an expression is computed.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Inputs with their possible values; an empty list stands for any.
    pub(super) inputs: &'a BTreeMap<String, Vec<String>>,
    /// The job, for its matrix.
    pub(super) job: &'a Job,
}

impl Known<'_> {
    /// The values of a text; `None` where they are open.
    pub(super) fn text(&self, text: &str) -> Option<Vec<String>> {
        self.text_at(text, 0)
    }

    fn text_at(&self, text: &str, depth: u8) -> Option<Vec<String>> {
        let pieces = expression::pieces(text);
        let parts = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => Some(vec![text.to_owned()]),
            Piece::Expression(expression) => self.expression_at(expression, depth),
        });
        product(parts)
    }

    /// The values of an expression.
    pub(super) fn expression(&self, text: &str) -> Option<Vec<String>> {
        self.expression_at(text, 0)
    }

    fn expression_at(&self, text: &str, depth: u8) -> Option<Vec<String>> {
        let text = text.trim();
        if let Some(literal) = expression::literal(text) {
            return Some(vec![literal]);
        }
        if let Some(arguments) = expression::format_call(text) {
            return self.format(&arguments, depth);
        }
        for inputs in ["inputs.", "github.event.inputs."] {
            if let Some(name) = text.strip_prefix(inputs).filter(|name| is_path(name)) {
                let values = self.inputs.get(name)?;
                return (!values.is_empty()).then(|| values.clone());
            }
        }
        let name = text.strip_prefix("matrix.").filter(|name| is_path(name))?;
        if self.job.open_matrix || depth > 2 {
            return None;
        }
        let mut all = Vec::new();
        for value in self.job.matrix.get(name)? {
            all.extend(self.text_at(value, depth + 1)?);
        }
        (all.len() <= MAX_VALUES).then_some(all)
    }

    fn format(&self, arguments: &[&str], depth: u8) -> Option<Vec<String>> {
        let (pattern, rest) = arguments.split_first()?;
        let mut values = vec![expression::literal(pattern)?];
        for (number, argument) in rest.iter().enumerate() {
            if expression::format_call(argument).is_some() {
                return None;
            }
            let given = self.expression_at(argument, depth)?;
            let place = format!("{{{number}}}");
            if values.len() * given.len() > MAX_VALUES {
                return None;
            }
            values = values
                .iter()
                .flat_map(|value| given.iter().map(|one| value.replace(&place, one)))
                .collect();
        }
        Some(values)
    }
}

fn is_path(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

fn product(parts: impl Iterator<Item = Option<Vec<String>>>) -> Option<Vec<String>> {
    let mut all = vec![String::new()];
    for part in parts {
        let part = part?;
        if all.len() * part.len() > MAX_VALUES {
            return None;
        }
        all = all
            .iter()
            .flat_map(|head| part.iter().map(move |tail| format!("{head}{tail}")))
            .collect();
    }
    Some(all)
}

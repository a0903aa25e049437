//! Why a register or a people directory cannot be read. Such a run stops: without its register
//! everything would look unregistered.

use std::fmt;

/// What is wrong, where, and what to do. Never holds a cell, except one shaped like a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Shown(self))]
pub struct InventoryError {
    /// The file, as the user named it.
    pub file: String,
    /// The row, as an editor counts lines.
    pub row: Option<u64>,
    /// The column's header.
    pub column: Option<String>,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl InventoryError {
    /// An error about the file as a whole.
    pub(crate) fn new(file: &str, message: impl Into<String>) -> InventoryError {
        InventoryError {
            file: file.to_owned(),
            row: None,
            column: None,
            message: message.into(),
            help: None,
        }
    }

    /// The same, about this row.
    pub(crate) fn row(mut self, row: u64) -> InventoryError {
        self.row = Some(row);
        self
    }

    /// The same, about this column.
    pub(crate) fn column(mut self, header: impl Into<String>) -> InventoryError {
        self.column = Some(header.into());
        self
    }

    /// The same, with the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> InventoryError {
        self.help = Some(help.into());
        self
    }
}

struct Shown<'a>(&'a InventoryError);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.0;
        write!(f, "{}", error.file)?;
        if let Some(row) = error.row {
            write!(f, ":{row}")?;
        }
        if let Some(column) = &error.column {
            write!(f, ": column `{}`", super::text::shown(column))?;
        }
        write!(f, ": {}", error.message)?;
        if let Some(help) = &error.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

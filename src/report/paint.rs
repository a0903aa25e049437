//! Colours, and nothing else about how a page looks.

use std::fmt;

use anstyle::{AnsiColor, Style};
use keymuster_api::Severity;

/// What a piece of text is; each has one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What a block is about.
    Title,
    /// A public identifier, a name.
    Name,
    /// Beside the point.
    Dim,
    /// What to do.
    Action,
    /// All is well.
    Good,
    /// Not seen, and it may matter.
    Warning,
    /// Not seen, and it does matter.
    Bad,
    /// How bad something is.
    Grade(Severity),
}

impl Look {
    fn style(self) -> Style {
        let plain = Style::new();
        match self {
            Look::Title => plain.bold(),
            Look::Name => AnsiColor::Cyan.on_default(),
            Look::Dim => plain.dimmed(),
            Look::Action | Look::Good => AnsiColor::Green.on_default(),
            Look::Warning => AnsiColor::Yellow.on_default(),
            Look::Bad => AnsiColor::Red.on_default().bold(),
            Look::Grade(Severity::Critical) => AnsiColor::BrightRed.on_default().bold(),
            Look::Grade(Severity::High) => AnsiColor::Red.on_default(),
            Look::Grade(Severity::Medium) => AnsiColor::Yellow.on_default(),
            Look::Grade(Severity::Low) => AnsiColor::Blue.on_default(),
            Look::Grade(Severity::Info) => plain.dimmed(),
        }
    }
}

/// Applies looks, or leaves text as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    color: bool,
}

impl Paint {
    pub(crate) fn new(color: bool) -> Paint {
        Paint { color }
    }

    /// The text in this look. The text is harmless already: nothing is escaped here.
    pub(crate) fn text<T: fmt::Display>(self, look: Look, text: T) -> Painted<T> {
        Painted {
            style: self.color.then(|| look.style()),
            text,
        }
    }

    /// A severity in capitals, padded to the longest one.
    pub(crate) fn severity(self, severity: Severity) -> Painted<String> {
        let word = severity.as_str().to_ascii_uppercase();
        self.text(Look::Grade(severity), format!("{word:<8}"))
    }
}

/// A text that knows its look.
pub(crate) struct Painted<T> {
    style: Option<Style>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            Some(style) => write!(f, "{style}{}{style:#}", self.text),
            None => self.text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use keymuster_api::Severity;

    use super::{Look, Paint};

    #[test]
    fn colour_only_where_it_is_wanted() {
        assert_eq!(Paint::new(false).text(Look::Bad, "x").to_string(), "x");
        let loud = Paint::new(true).text(Look::Bad, "x").to_string();
        assert!(
            loud.starts_with('\x1b') && loud.ends_with("\x1b[0m"),
            "{loud:?}"
        );
    }

    #[test]
    fn severity_words_have_one_width() {
        for &severity in Severity::ALL {
            let word = Paint::new(false).severity(severity).to_string();
            assert_eq!(word.len(), 8, "{word}");
        }
    }
}

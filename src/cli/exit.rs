//! The exit status, decided in one place.

use std::process::ExitCode;

/// How a run ends. `Findings` outranks `Gaps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything was seen, nothing is open; or: yes, done.
    Clean,
    /// Open findings; or: no.
    Findings,
    /// No audit took place; or: could not.
    NoAudit,
    /// Nothing found, but something could not be seen.
    Gaps,
}

impl Exit {
    /// The outcome of a sweep.
    pub fn of(has_findings: bool, has_gaps: bool) -> Exit {
        match (has_findings, has_gaps) {
            (true, _) => Exit::Findings,
            (false, true) => Exit::Gaps,
            (false, false) => Exit::Clean,
        }
    }

    /// The number the contract gives it.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::NoAudit => 2,
            Exit::Gaps => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Ends the program at once, with the code of a run that the user stopped twice.
#[expect(clippy::exit, reason = "a second Ctrl-C must not wait for anything")]
pub(super) fn stopped() -> ! {
    std::process::exit(130)
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn findings_outrank_gaps() {
        assert_eq!(Exit::of(true, true).code(), 1);
        assert_eq!(Exit::of(false, true).code(), 3);
        assert_eq!(Exit::of(false, false).code(), 0);
        assert_eq!(Exit::NoAudit.code(), 2);
    }
}

//! Options every verb takes, and what they mean.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use keymuster_api::Cancel;

use super::{progress::Bar, stop};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Configuration file (default: $KEYMUSTER_CONFIG, else ./keymuster.toml).
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// State folder: the estate's key, the ledger, and what earlier runs read.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Worker threads (default: one per processor).
    #[arg(long, short = 'j', global = true, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Memory for content in flight: 512M, 2G.
    #[arg(long, global = true, value_name = "SIZE", default_value = "2G", value_parser = size)]
    pub(super) max_memory: u64,
    /// Finish after this long and report what was seen: 90s, 30m, 2h.
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    deadline: Option<Duration>,
    /// The run's point in time, for reproducible results: 2026-11-22T02:00:00Z.
    #[arg(long, global = true, value_name = "TIMESTAMP")]
    now: Option<Timestamp>,
    /// Leave out everything that needs a network; the report says so.
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// When to colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: When,
    /// Results only.
    #[arg(long, short = 'q', global = true)]
    pub(super) quiet: bool,
    /// More about what was done and not seen; twice for more.
    #[arg(long, short = 'v', global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// When to show progress on stderr.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    progress: When,
}

impl Global {
    pub(super) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }

    /// Whether the point in time was given.
    pub(super) fn has_now(&self) -> bool {
        self.now.is_some()
    }

    pub(super) fn jobs(&self) -> usize {
        let jobs = self
            .jobs
            .or_else(|| std::thread::available_parallelism().ok());
        jobs.map_or(1, NonZeroUsize::get)
    }

    pub(super) fn watch(&self) -> Arc<Cancel> {
        stop::watch(self.deadline)
    }

    pub(super) fn bar(&self) -> Bar {
        Bar::new(match self.progress {
            _ if self.quiet => Some(false),
            When::Auto => None,
            When::Always => Some(true),
            When::Never => Some(false),
        })
    }

    /// Whether results on stdout are coloured. `NO_COLOR` and friends decide if nobody else does.
    pub(super) fn is_coloured(&self) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
            }
        }
    }

    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            super::note(text);
        }
    }
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..]
        .to_ascii_lowercase()
        .trim_end_matches("ib")
        .trim_end_matches('b')
    {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return Err("write a number with K, M or G, such as 512M".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "write a number with K, M or G, such as 512M".to_owned())?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "is too large".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err("write a number with s, m or h, such as 30m".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "write a number with s, m or h, such as 30m".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(unit)))
}

#[cfg(test)]
mod tests {
    use super::{duration, size};

    #[test]
    fn sizes_and_durations_have_units() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert!(size("2X").is_err());
        assert_eq!(duration("2h").map(|d| d.as_secs()), Ok(7200));
        assert!(duration("soon").is_err());
    }
}

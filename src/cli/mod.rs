//! The command line: a verb is a file. The only part that reads clock, environment and
//! terminal, and the only one that prints.

mod access;
mod answer;
mod archives;
mod audit;
mod checks;
mod config;
mod connectors;
mod context;
mod demo;
mod evidence;
mod exit;
mod explain;
mod gate;
mod generate;
mod global;
mod ground;
mod import;
mod init;
mod inventory;
mod key;
mod progress;
mod report;
mod review;
mod rules;
mod scan;
mod sources;
mod state;
mod stop;
mod tickets;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

pub use exit::Exit;
use global::Global;

/// Takes the roll of every machine credential: who approved it, why does it exist, when will
/// it be removed?
#[derive(Parser)]
#[command(
    name = "keymuster",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Scan(scan::Args),
    Audit(audit::Args),
    Gate(gate::Args),
    Demo(demo::Args),
    Init(init::Args),
    Answer(answer::Args),
    Access(access::Args),
    Explain(explain::Args),
    Report(report::Args),
    Tickets(tickets::Args),
    Verify(evidence::VerifyArgs),
    Replay(evidence::ReplayArgs),
    Import(import::Args),
    Inventory(inventory::Args),
    Review(review::Args),
    Connectors(connectors::Args),
    Checks(checks::Args),
    Rules(rules::Args),
    Key(key::Args),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
}

/// Runs the program.
pub fn main() -> ExitCode {
    harden();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::NoAudit
            } else {
                Exit::Clean
            };
            return match error.print() {
                Ok(()) => code.into(),
                Err(_) => Exit::NoAudit.into(),
            };
        }
    };
    let outcome = match cli.verb {
        Verb::Scan(args) => scan::run(&cli.global, &args),
        Verb::Audit(args) => audit::run(&cli.global, &args),
        Verb::Gate(args) => gate::run(&cli.global, &args),
        Verb::Demo(args) => demo::run(&cli.global, &args),
        Verb::Init(args) => init::run(&cli.global, &args),
        Verb::Answer(args) => answer::run(&cli.global, &args),
        Verb::Access(args) => access::run(&cli.global, &args),
        Verb::Explain(args) => explain::run(&cli.global, &args),
        Verb::Report(args) => report::run(&cli.global, &args),
        Verb::Tickets(args) => tickets::run(&cli.global, &args),
        Verb::Verify(args) => evidence::verify_folder(&args),
        Verb::Replay(args) => evidence::replay_folder(&cli.global, &args),
        Verb::Import(args) => import::run(&cli.global, &args),
        Verb::Review(args) => review::run(&cli.global, &args),
        Verb::Inventory(args) => inventory::run(&cli.global, &args),
        Verb::Connectors(args) => connectors::run(&cli.global, &args),
        Verb::Checks(args) => checks::run(&args),
        Verb::Rules(args) => rules::run(&cli.global, &args),
        Verb::Key(args) => key::run(&cli.global, &args),
        Verb::Completions(args) => generate::completions(&args),
        Verb::Man(_) => generate::man(),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => Exit::Clean.into(),
        Err(error) => {
            fail(&error);
            Exit::NoAudit.into()
        }
    }
}

/// A process that holds secrets leaves no core file, and panics without showing what it held.
fn harden() {
    let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
        note(&format!(
            "internal error at {place}; please report this as a bug"
        ));
    }));
}

/// One line on stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn fail(error: &anyhow::Error) {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    let mut text = String::new();
    for (index, cause) in error.chain().enumerate() {
        text.push_str(if index == 0 { "" } else { ": " });
        text.push_str(&cause.to_string());
    }
    text.push_str(next_step(error, &text));
    // A message that shows its place in a file brings the word along.
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let _ = writeln!(anstream::stderr(), "{style}error{style:#}: {text}");
}

/// What to do about a failure of the system that nobody has said a word to.
fn next_step(error: &anyhow::Error, text: &str) -> &'static str {
    let kind = error.root_cause().downcast_ref::<io::Error>();
    match kind.map(io::Error::kind) {
        _ if text.contains("; ") => "",
        Some(io::ErrorKind::NotFound) => "; check the path",
        Some(io::ErrorKind::PermissionDenied) => {
            "; run as a user who may, or change its permissions"
        }
        _ => "",
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

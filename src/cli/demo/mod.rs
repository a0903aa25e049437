//! `demo`: builds a small company on the fly and audits it, so that one command shows the point.
//!
//! Everything it plants is made from shapes and a seed at run time: nothing here, and nothing
//! it writes, is or ever was a live credential.

mod cloud;
mod register;
mod repositories;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use jiff::{SignedDuration, Timestamp};

use super::{Exit, audit, config::Config, global::Global, state};
use crate::engine::shape;

/// Build a small company (repositories, AWS export, register, people) and audit it.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Where to build it; must be new or empty.
    #[arg(value_name = "DIR", default_value = "keymuster-demo")]
    dir: PathBuf,
    /// Another company of the same kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A company on its way: where it is built, and as of when.
struct Company {
    dir: PathBuf,
    now: Timestamp,
    seed: u64,
}

impl Company {
    /// So many days before now.
    fn days_ago(&self, days: i64) -> Timestamp {
        self.now - SignedDuration::from_hours(24 * days)
    }

    /// The calendar day so many days before now.
    fn day(&self, days_ago: i64) -> String {
        self.days_ago(days_ago).strftime("%Y-%m-%d").to_string()
    }

    /// A credential of this shape; the same name gives the same one.
    fn secret(&self, shape: &str, name: &str) -> Result<String> {
        let seed = name.bytes().fold(
            self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            |seed, byte| seed.wrapping_mul(131).wrapping_add(u64::from(byte)),
        );
        shape::fill(shape, seed).map_err(|error| anyhow::anyhow!("shape '{shape}': {error}"))
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.dir.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

const CONFIG: &str = r#"# What `keymuster demo` audits. Change something, and run `keymuster audit` again.
estate = "northwind-demo"

[state]
dir = "state"

[[inventory]]
name = "register"
file = "inventory.csv"

[[people]]
file = "people.csv"

[policy]
preset = "cis"
fail-on = "low"

[[connector]]
type = "git"
paths = ["repos/*"]

[[connector]]
type = "files"
paths = ["repos/*"]

[[connector]]
type = "aws-iam"
exports = ["aws/*"]

[report]
dir = "out"
formats = ["json", "csv", "sarif", "markdown", "html"]
"#;

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit> {
    let is_used = fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some());
    if is_used {
        bail!(
            "{} is not empty; name a new directory: keymuster demo DIR",
            args.dir.display()
        );
    }
    fs::create_dir_all(&args.dir).with_context(|| format!("cannot make {}", args.dir.display()))?;
    let company = Company {
        dir: args.dir.clone(),
        now: global.now(),
        seed: args.seed,
    };
    repositories::build(&company)?;
    cloud::build(&company)?;
    register::build(&company)?;
    company.write("keymuster.toml", CONFIG)?;
    state::make_key(&args.dir.join("state"))?;
    let config = Config::read(&args.dir.join("keymuster.toml"))?;
    global.say(&format!(
        "built a company in {}: 4 repositories, an AWS export, a register, a people directory",
        args.dir.display()
    ));
    let exit = audit::run_with(global, &config, &audit::Args::default())?;
    let out = shown(&args.dir.join("out"));
    global.say(&format!(
        "\nreports: {out}/findings.json, .csv, .sarif, .md, report.html"
    ));
    global.say(&format!("next: cd {} && keymuster answer ID, keymuster explain LIF-06, or look into inventory.csv and audit again", args.dir.display()));
    // The demo did what it should: what it finds was planted.
    Ok(if exit == Exit::Findings {
        Exit::Clean
    } else {
        exit
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

//! The company's repositories, with histories that real ones have: a key committed and taken
//! out again, a token shared by two services, a `.env` somebody forgot.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::Company;

/// One commit: who, how many days ago, why, and what files became.
struct Step<'a> {
    author: (&'a str, &'a str),
    days_ago: i64,
    message: &'a str,
    /// Path and content; no content deletes.
    files: Vec<(&'a str, Option<String>)>,
}

const ALICE: (&str, &str) = ("Alice Moreau", "alice@northwind.example");
const BOB: (&str, &str) = ("Bob Tanner", "bob@northwind.example");
const DAN: (&str, &str) = ("Dan Okafor", "dan@northwind.example");
const ERIN: (&str, &str) = ("Erin Lindqvist", "erin@northwind.example");

pub(super) fn build(company: &Company) -> Result<()> {
    let stripe = company.secret("sk_live_{alnum:24}", "stripe")?;
    let slack = company.secret("xoxb-{digit:12}-{digit:13}-{alnum:24}", "slack")?;
    let ci_id = company.secret("{aws-id}", "ci-deployer")?;
    let ci_secret = company.secret("{base64:40}", "ci-deployer-secret")?;
    let database = company.secret("{password}{alnum:6}", "database")?;
    let placeholder = "xoxb-your-token-here";

    repository(company, "payments-api", &[
        Step {
            author: ALICE,
            days_ago: 420,
            message: "Skeleton of the payments service",
            files: vec![
                ("README.md", Some("# payments-api\n\nTakes payments. Keys come from the environment.\n".to_owned())),
                ("src/charge.py", Some("import os\n\nSTRIPE_KEY = os.environ[\"STRIPE_KEY\"]\n\n\ndef charge(amount):\n    return post(\"/charges\", STRIPE_KEY, amount)\n".to_owned())),
                (".env.example", Some(format!("STRIPE_KEY=sk_live_{}\nSLACK_TOKEN={placeholder}\n", "x".repeat(24)))),
            ],
        },
        Step {
            author: BOB,
            days_ago: 210,
            message: "Debug charges in staging",
            files: vec![("src/charge.py", Some(format!("STRIPE_KEY = \"{stripe}\"\n\n\ndef charge(amount):\n    return post(\"/charges\", STRIPE_KEY, amount)\n")))],
        },
        Step {
            author: ALICE,
            days_ago: 205,
            message: "Read the key from the environment again",
            files: vec![("src/charge.py", Some("import os\n\nSTRIPE_KEY = os.environ[\"STRIPE_KEY\"]\n\n\ndef charge(amount):\n    return post(\"/charges\", STRIPE_KEY, amount)\n".to_owned()))],
        },
        Step {
            author: ALICE,
            days_ago: 60,
            message: "Tell the channel about failed charges",
            files: vec![("deploy/notify.yaml", Some(format!("channel: \"#payments\"\nslack_token: {slack}\n")))],
        },
    ])?;
    repository(
        company,
        "web-shop",
        &[
            Step {
                author: BOB,
                days_ago: 380,
                message: "Shop front",
                files: vec![
                    (
                        "package.json",
                        Some(
                            "{\n  \"name\": \"web-shop\",\n  \"version\": \"1.0.0\"\n}\n"
                                .to_owned(),
                        ),
                    ),
                    ("src/index.js", Some("console.log('shop')\n".to_owned())),
                ],
            },
            Step {
                author: BOB,
                days_ago: 100,
                message: "Post orders to Slack",
                files: vec![
                    (
                        "src/slack.js",
                        Some(format!(
                            "const token = process.env.SLACK_TOKEN || '{slack}'\nmodule.exports = {{ token }}\n"
                        )),
                    ),
                    (
                        "docs/slack.md",
                        Some(format!("Set `SLACK_TOKEN={placeholder}`.\n")),
                    ),
                ],
            },
        ],
    )?;
    repository(
        company,
        "data-pipeline",
        &[
            Step {
                author: DAN,
                days_ago: 300,
                message: "Nightly load",
                files: vec![
                    (
                        "load.sql",
                        Some("select count(*) from orders;\n".to_owned()),
                    ),
                    (
                        "run.sh",
                        Some("#!/bin/sh\npsql \"$DATABASE_URL\" -f load.sql\n".to_owned()),
                    ),
                ],
            },
            Step {
                author: DAN,
                days_ago: 150,
                message: "Fixed address while DNS is broken",
                files: vec![(
                    "config/database.yml",
                    Some(format!(
                        "production:\n  url: postgres://etl:{database}@db.northwind.example:5432/orders\n"
                    )),
                )],
            },
        ],
    )?;
    repository(
        company,
        "infra",
        &[
            Step {
                author: ERIN,
                days_ago: 500,
                message: "Deployment scripts",
                files: vec![(
                    "deploy.sh",
                    Some(
                        "#!/bin/sh\nset -eu\naws s3 sync build/ s3://northwind-site/\n".to_owned(),
                    ),
                )],
            },
            Step {
                author: BOB,
                days_ago: 330,
                message: "Deploy from my laptop too",
                files: vec![(
                    "deploy.env",
                    Some(format!(
                        "AWS_ACCESS_KEY_ID={ci_id}\nAWS_SECRET_ACCESS_KEY={ci_secret}\n"
                    )),
                )],
            },
            Step {
                author: ERIN,
                days_ago: 325,
                message: "Do not keep keys here",
                files: vec![
                    ("deploy.env", None),
                    (".gitignore", Some("*.env\n".to_owned())),
                ],
            },
        ],
    )
}

fn repository(company: &Company, name: &str, steps: &[Step<'_>]) -> Result<()> {
    let folder = company.dir.join("repos").join(name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    git(&folder, &["init", "--quiet", "--initial-branch=main"], &[])?;
    for step in steps {
        for (path, content) in &step.files {
            match content {
                Some(text) => company.write(&format!("repos/{name}/{path}"), text)?,
                None => std::fs::remove_file(folder.join(path))
                    .with_context(|| format!("cannot remove {path}"))?,
            }
        }
        let date = company.days_ago(step.days_ago).to_string();
        let (person, mail) = step.author;
        let who = [
            ("GIT_AUTHOR_NAME", person),
            ("GIT_AUTHOR_EMAIL", mail),
            ("GIT_COMMITTER_NAME", person),
            ("GIT_COMMITTER_EMAIL", mail),
            ("GIT_AUTHOR_DATE", &date),
            ("GIT_COMMITTER_DATE", &date),
        ];
        git(&folder, &["add", "--all"], &who)?;
        git(
            &folder,
            &["commit", "--quiet", "--no-gpg-sign", "-m", step.message],
            &who,
        )?;
    }
    Ok(())
}

/// The user's git, without the user's configuration, so that hooks and templates of this
/// machine do not run here.
fn git(folder: &Path, args: &[&str], envs: &[(&str, &str)]) -> Result<()> {
    let output = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "init.templateDir="])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .envs(envs.iter().copied())
        .output()
        .context("cannot run git, which the demo builds its repositories with; install git")?;
    if !output.status.success() {
        bail!(
            "git {} failed: {}",
            args.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

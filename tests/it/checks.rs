//! Every check through `audit`, from files on disk: the cases are data, in `fixtures/checks`.
//!
//! A case writes its files, runs the earlier nights it asks for and then this one, and says what
//! must come out: a finding, silence over something that was judged, or an input that is missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::{World, secret};

const NOW: &str = "2026-06-01T00:00:00Z";
const ACCOUNT: &str = "111122223333";

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) check: String,
    pub(crate) case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The check, where the file holds cases of several.
    check: Option<String>,
    /// The controls that this case shows.
    #[serde(default)]
    pub(crate) rows: Vec<u32>,
    pub(crate) expect: Expect,
    /// A text that must stand in the finding; for a missing input its name.
    #[serde(default)]
    about: String,
    severity: Option<String>,
    /// A text that must stand in the remediation.
    remedy: Option<String>,
    #[serde(default)]
    night: Night,
    /// What earlier nights saw, oldest first.
    #[serde(default)]
    before: Vec<Night>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expect {
    Finds,
    Silent,
    Lacks,
}

/// The files of one night.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Night {
    /// Days before this one.
    #[serde(default)]
    days: i64,
    #[serde(default)]
    keys: Vec<Key>,
    /// Leaves the credential report out: nobody knows of passwords and of use.
    #[serde(default)]
    unreported: bool,
    /// Rows of the register: what differs from a complete record. An empty text is an empty cell.
    records: Option<Vec<BTreeMap<String, String>>>,
    /// People: `id,team,status`, or `id,team,status,end`.
    people: Option<Vec<String>>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A complete record.
const RECORD: &[(&str, &str)] = &[
    ("record_id", "R-1"),
    ("credential_type", "access_key"),
    ("access_key_id", "{key:1}"),
    ("name", "deploy"),
    ("system", "payments"),
    ("provider", "aws"),
    ("environment", "dev"),
    ("owner", "ada@acme.example"),
    ("approver", "boss@acme.example"),
    ("approved_at", "2026-04-20"),
    ("purpose", "nightly export"),
    ("scope", "s3:GetObject"),
    ("status", "active"),
    ("expires_at", "2026-08-01"),
    ("revocation_path", "runbook 7"),
    ("recovery_procedure", "runbook 8"),
];

impl Night {
    /// The files that rows and people stand for.
    fn spelled_out(&self) -> Night {
        let mut night = self.clone();
        if let Some(records) = &self.records {
            let mut columns: Vec<&str> = RECORD.iter().map(|(name, _)| *name).collect();
            for name in records.iter().flat_map(BTreeMap::keys) {
                if !columns.contains(&name.as_str()) {
                    columns.push(name);
                }
            }
            let mut text = format!("{}\n", columns.join(","));
            for record in records {
                let cell = |name: &&str| {
                    let usual = RECORD.iter().find(|(known, _)| known == name);
                    let usual = usual.map_or("", |(_, value)| *value);
                    let value = record.get(*name).map_or(usual, String::as_str);
                    format!("\"{value}\"")
                };
                let cells: Vec<String> = columns.iter().map(cell).collect();
                text.push_str(&format!("{}\n", cells.join(",")));
            }
            night.files.insert("inventory.csv".to_owned(), text);
        }
        if let Some(people) = &self.people {
            let mut text = "id,mail,team,status,end_date\n".to_owned();
            for person in people {
                let parts: Vec<&str> = person.split(',').collect();
                let end = parts.get(3).copied().unwrap_or_default();
                let [id, team, status] = parts[..3] else {
                    panic!("{person} is not id,team,status");
                };
                text.push_str(&format!("{id},{id}@acme.example,{team},{status},{end}\n"));
            }
            night.files.insert("people.csv".to_owned(), text);
        }
        night
    }
}

/// An access key in an AWS export.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    user: String,
    id: u64,
    #[serde(default = "thirty")]
    made: i64,
    /// Days since its last use; -1 for never.
    #[serde(default = "one")]
    used: i64,
    #[serde(default)]
    off: bool,
    #[serde(default)]
    password: bool,
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

fn thirty() -> i64 {
    30
}

fn one() -> i64 {
    1
}

/// Every file of cases, by name.
pub(crate) fn files() -> Vec<(String, File)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/checks");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("fixtures/checks") {
        let path = entry.expect("entry").path();
        let name = path
            .file_stem()
            .expect("name")
            .to_string_lossy()
            .into_owned();
        if path.extension().is_none_or(|ext| ext != "toml") || name == "controls" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable");
        let file = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        all.push((name, file));
    }
    all.sort_by(|a: &(String, File), b| a.0.cmp(&b.0));
    all
}

fn ago(now: Timestamp, days: i64) -> String {
    (now - SignedDuration::from_hours(24 * days)).to_string()
}

/// Fills `{key:1}` and `{token:1}`, so that nothing in the tree looks like a credential.
fn fill(text: &str) -> String {
    let mut out = text.to_owned();
    for (mark, shape) in [
        ("{key:", "{aws-id}"),
        ("{token:", "{github-token:ghp_}"),
        ("{aws:", "{base64:40}"),
    ] {
        while let Some(at) = out.find(mark) {
            let end = at + out[at..].find('}').expect("a closed mark");
            let seed = out[at + mark.len()..end].parse().expect("a number");
            out.replace_range(at..=end, &secret(shape, seed));
        }
    }
    out
}

/// The exports of an account with these keys, on that day.
fn export(world: &World, keys: &[Key], unreported: bool, today: Timestamp) {
    let users: BTreeSet<&str> = keys.iter().map(|key| key.user.as_str()).collect();
    let mut details = Vec::new();
    let mut report = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n".to_owned();
    for user in users {
        let own: Vec<&Key> = keys.iter().filter(|key| key.user == user).collect();
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
        let actions: BTreeSet<&String> = own.iter().flat_map(|key| &key.actions).collect();
        let tags: Vec<Value> = own
            .iter()
            .flat_map(|key| &key.tags)
            .map(|(name, value)| json!({ "Key": name, "Value": value }))
            .collect();
        let policies = if actions.is_empty() {
            json!([])
        } else {
            json!([{ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] } }])
        };
        details.push(json!({
            "Path": "/", "UserName": user, "UserId": "AIDA0000", "Arn": arn,
            "CreateDate": ago(today, 400), "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": policies, "Tags": tags,
        }));
        let password = own.iter().any(|key| key.password);
        let mut row = format!(
            "{user},{arn},{},{password},{},N/A,N/A,false",
            ago(today, 400),
            if password { "no_information" } else { "N/A" }
        );
        for slot in 0..2 {
            row.push_str(&match own.get(slot) {
                Some(key) => {
                    let used = if key.used < 0 {
                        "N/A".to_owned()
                    } else {
                        ago(today, key.used)
                    };
                    format!(
                        ",{},{},{used},eu-central-1,s3",
                        !key.off,
                        ago(today, key.made)
                    )
                }
                None => ",false,N/A,N/A,N/A,N/A".to_owned(),
            });
        }
        report.push_str(&format!("{row},false,N/A,false,N/A\n"));
        let metadata: Vec<Value> = own
            .iter()
            .map(|key| {
                json!({
                    "UserName": user, "AccessKeyId": secret("{aws-id}", key.id),
                    "Status": if key.off { "Inactive" } else { "Active" },
                    "CreateDate": ago(today, key.made),
                })
            })
            .collect();
        let listed = json!({ "AccessKeyMetadata": metadata });
        world.write(&format!("aws/keys-{user}.json"), listed.to_string());
    }
    let details = json!({ "UserDetailList": details, "GroupDetailList": [], "RoleDetailList": [], "Policies": [], "IsTruncated": false });
    world.write("aws/details.json", details.to_string());
    if !unreported {
        world.write("aws/report.csv", report);
    }
}

fn configure(world: &World, night: &Night) {
    let has = |start: &str| night.files.keys().any(|name| name.starts_with(start));
    let mut config = "estate = \"cases\"\n[state]\ndir = \"state\"\n[report]\ndir = \"out\"\nformats = [\"json\"]\n".to_owned();
    for (file, text) in [
        (
            "inventory.csv",
            "[[inventory]]\nname = \"register\"\nfile = \"inventory.csv\"\n",
        ),
        (
            "second.csv",
            "[[inventory]]\nname = \"second\"\nfile = \"second.csv\"\nprecedence = 2\n",
        ),
        (
            "repos/web/register.csv",
            "[[inventory]]\nfile = \"repos/web/register.csv\"\n",
        ),
        ("people.csv", "[[people]]\nfile = \"people.csv\"\n"),
        ("events.csv", "[[events]]\nfile = \"events.csv\"\n"),
        ("tickets.csv", "[[tickets]]\nfile = \"tickets.csv\"\n"),
        (
            "exceptions.toml",
            "[exceptions]\nfile = \"exceptions.toml\"\n",
        ),
        ("catalogue/", "[catalogue]\nfiles = [\"catalogue/*\"]\n"),
        ("policy.toml", "[policy]\nfile = \"policy.toml\"\n"),
        (
            "repos/",
            "[[connector]]\ntype = \"files\"\npaths = [\"repos/*\"]\n",
        ),
        (
            "k8s/",
            "[[connector]]\ntype = \"kubernetes\"\nexports = [\"k8s/*\"]\ncluster = \"prod\"\n",
        ),
        (
            "gcp/",
            "[[connector]]\ntype = \"gcp\"\nexports = [\"gcp/*\"]\n",
        ),
        (
            "entra/",
            "[[connector]]\ntype = \"entra\"\nexports = [\"entra/*\"]\n",
        ),
        (
            "cloud/",
            "[[connector]]\ntype = \"aws-iam\"\nexports = [\"cloud/*\"]\n",
        ),
        (
            "repos/web/.github/",
            "[[connector]]\ntype = \"workflows\"\npaths = [\"repos/*\"]\nhome = \"github.com/acme\"\n",
        ),
    ] {
        if has(file) {
            config.push_str(text);
        }
    }
    if !night.keys.is_empty() {
        config.push_str("[[connector]]\ntype = \"aws-iam\"\nexports = [\"aws/*\"]\n");
    }
    world.write("keymuster.toml", config);
}

/// Runs one night; its record.
fn night(world: &World, night: &Night) -> Value {
    for folder in [
        "aws",
        "cloud",
        "k8s",
        "gcp",
        "entra",
        "repos",
        "catalogue",
        "out",
    ] {
        let _ = fs::remove_dir_all(world.path(folder));
    }
    let now: Timestamp = NOW.parse().expect("a time");
    let today = now - SignedDuration::from_hours(24 * night.days);
    let night = &night.spelled_out();
    configure(world, night);
    for (name, text) in &night.files {
        world.write(name, fill(text));
    }
    export(world, &night.keys, night.unreported, today);
    let ran = world.run(&["audit", "--now", &today.to_string(), "-q"]);
    assert!(matches!(ran.code, 0 | 1 | 3), "{}", ran.stderr);
    serde_json::from_str(&world.read("out/findings.json")).expect("JSON")
}

fn judge(check: &str, case: &Case) -> Result<(), String> {
    let world = World::new();
    world.write(
        "keymuster.toml",
        "estate = \"cases\"\n[state]\ndir = \"state\"\n",
    );
    assert_eq!(world.run(&["key", "new"]).code, 0);
    for earlier in &case.before {
        night(&world, earlier);
    }
    let document = night(&world, &case.night);
    let is_open = |finding: &&Value| {
        let state = finding["state"].as_str().unwrap_or_default();
        finding["check"] == check && matches!(state, "new" | "open" | "regressed")
    };
    let findings: Vec<&Value> = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter(is_open)
        .filter(|finding| {
            case.expect == Expect::Lacks || finding.to_string().contains(&fill(&case.about))
        })
        .collect();
    let population = document["population"]
        .as_array()
        .expect("population")
        .iter()
        .find(|one| one["check"] == check)
        .ok_or("no population")?;
    let shown = || format!("{population} {findings:#?}");
    match case.expect {
        Expect::Finds => {
            let finding = findings
                .first()
                .ok_or_else(|| format!("silent: {population}"))?;
            if let Some(severity) = &case.severity
                && !findings
                    .iter()
                    .any(|finding| finding["severity"] == severity.as_str())
            {
                return Err(format!("not {severity}: {}", shown()));
            }
            if let Some(remedy) = &case.remedy
                && !finding["remediation"]
                    .as_str()
                    .unwrap_or_default()
                    .contains(&fill(remedy))
            {
                return Err(format!("another remedy: {}", shown()));
            }
        }
        Expect::Silent => {
            if !findings.is_empty() || population["passed"] == 0 {
                return Err(shown());
            }
        }
        Expect::Lacks => {
            if case.about.is_empty() {
                return Err("a case that lacks an input names it".to_owned());
            }
            if !findings.is_empty()
                || !population["not_evaluated"]
                    .to_string()
                    .contains(&case.about)
            {
                return Err(shown());
            }
        }
    }
    Ok(())
}

/// Every case comes out as it says.
#[test]
fn every_case_through_audit() {
    let mut wrong = Vec::new();
    for (name, file) in files() {
        for case in &file.case {
            let needs_aws = !case.night.keys.is_empty();
            if needs_aws && !cfg!(feature = "aws-iam") {
                continue;
            }
            if let Err(why) = judge(&file.check, case) {
                wrong.push(format!("{name}, {}: {why}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Cases of one system, whose exports they share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemFile {
    #[serde(default)]
    files: BTreeMap<String, String>,
    case: Vec<Case>,
}

/// Exports of systems other than AWS, through the checks that they feed: for each a case that must
/// be found and a twin that must stay silent.
fn every_case_of(system: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/clouds/{system}.toml"));
    let text = fs::read_to_string(&path).expect("readable");
    let file: SystemFile =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{system}: {error}"));
    let mut wrong = Vec::new();
    let mut twins: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for mut case in file.case {
        let check = case
            .check
            .clone()
            .expect("a case of several names its check");
        for night in case.before.iter_mut().chain([&mut case.night]) {
            for (name, text) in &file.files {
                night
                    .files
                    .entry(name.clone())
                    .or_insert_with(|| text.clone());
            }
            // An empty text is no file.
            night.files.retain(|_, text| !text.is_empty());
        }
        twins
            .entry(check.clone())
            .or_default()
            .insert(case.expect == Expect::Finds);
        if let Err(why) = judge(&check, &case) {
            wrong.push(format!("{system}, {check}, {}: {why}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for (check, kinds) in twins {
        assert_eq!(kinds.len(), 2, "{system}: {check} has no twin");
    }
}

#[test]
fn every_case_of_other_systems() {
    let kubernetes = cfg!(feature = "kubernetes");
    let gcp = cfg!(feature = "gcp");
    let entra = cfg!(feature = "entra");
    let clouds = kubernetes && gcp && entra && cfg!(feature = "aws-iam");
    for (system, is_built) in [
        ("kubernetes", kubernetes),
        ("gcp", gcp),
        ("entra", entra),
        ("across", clouds && cfg!(feature = "workflows")),
    ] {
        if is_built {
            every_case_of(system);
        }
    }
}

/// A check has a true case, a near miss and one that lacks an input, or stands in this list.
#[test]
fn every_check_has_its_three_cases_on_disk() {
    let ran = World::new().run(&["checks", "list", "--format", "json"]);
    let list: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let slugs: BTreeMap<&str, &str> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| {
            (
                check["slug"].as_str().expect("slug"),
                check["id"].as_str().expect("id"),
            )
        })
        .collect();
    let all = files();
    for (name, file) in &all {
        assert_eq!(
            slugs.get(name.as_str()),
            Some(&file.check.as_str()),
            "{name}.toml"
        );
    }
    for (slug, _) in slugs {
        let cases = all.iter().filter(|(name, _)| name == slug);
        let expects: Vec<Expect> = cases
            .flat_map(|(_, file)| file.case.iter().map(|case| case.expect))
            .collect();
        let whole = [Expect::Finds, Expect::Silent, Expect::Lacks]
            .iter()
            .all(|expect| expects.contains(expect));
        let excused = WITHOUT_CASES.iter().find(|(known, _)| *known == slug);
        match excused {
            None => assert!(whole, "{slug} lacks a case in fixtures/checks/{slug}.toml"),
            Some((_, why)) => assert!(!whole, "{slug} has its cases now; it is excused: {why}"),
        }
    }
}

/// Checks whose three cases are not all on disk, and why.
const WITHOUT_CASES: &[(&str, &str)] = &[
    (
        "admin-or-wildcard",
        "an export without policies is tested beside the code",
    ),
    (
        "broad-trust",
        "trust policies are tested beside the code and in the real account",
    ),
    (
        "coverage-gap",
        "gaps are tested beside the code and in bad_input",
    ),
    (
        "incomplete-record",
        "without a register there are no records to judge",
    ),
    (
        "many-audiences",
        "a signed token cannot be written into a fixture",
    ),
    ("rotation-overdue", "every export tells when a key was made"),
    (
        "secret-in-source",
        "what is not found is no credential, so nothing passes",
    ),
    ("weakly-held", "slots come from connectors of code hosts"),
];

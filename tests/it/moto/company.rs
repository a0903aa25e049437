//! The company: cases that know both sides of a credential, what AWS has and what the register
//! says; twelve of them planted, each with a twin that must stay silent.
//!
//! A case starts healthy (a user with one small policy and one active key, made today, and a
//! complete record) and is changed in as little as its sentence says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::parts::Exported;

/// moto's account.
pub(super) const ACCOUNT: &str = "123456789012";

const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const DENY_ALL: &str = "arn:aws:iam::aws:policy/AWSDenyAll";

/// The days of the audit, told by their distance from it: everything in AWS is made on one day,
/// so it is `--now` that gives it an age. 45 days are what the preset allows without use, and
/// only what is made or used before [`Exported::between`] is older.
#[derive(Clone, Copy)]
pub(super) struct Calendar {
    pub(super) now: Timestamp,
}

impl Calendar {
    pub(super) fn of(exported: &Exported) -> Calendar {
        Calendar {
            now: exported.between + SignedDuration::from_hours(24 * 46),
        }
    }

    /// The calendar day so many days after the audit.
    pub(super) fn day(self, after: i64) -> String {
        let at = self.now + SignedDuration::from_hours(24 * after);
        at.strftime("%Y-%m-%d").to_string()
    }
}

/// A defect and its twin.
pub(super) struct Planted {
    pub(super) check: &'static str,
    /// What it is about: a key as `user/1`, a record id, or a principal's ARN.
    pub(super) subject: String,
    pub(super) defect: Case,
    pub(super) twin: Case,
}

/// A user (unless only the register knows it), and its records.
#[derive(Clone)]
pub(super) struct Case {
    user: Option<Value>,
    records: Vec<Record>,
}

/// A row of the register, by header. Days are told as `day:-1`, keys as `key:user/1`.
type Record = BTreeMap<&'static str, String>;

/// The register's columns, in their order.
const COLUMNS: [&str; 24] = [
    "Record ID",
    "Name",
    "Type",
    "Access key ID",
    "User ARN",
    "Provider",
    "Account",
    "System",
    "Environment",
    "Risk tier",
    "Owner",
    "Purpose",
    "Approved by",
    "Approved at",
    "Scope",
    "Status",
    "Expires",
    "Reason for no expiry",
    "Revocation path",
    "Runbook",
    "Approval ticket",
    "Log source",
    "Log reviewer",
    "Business process",
];

impl Case {
    fn healthy(name: &str) -> Case {
        let user = json!({
            "name": name,
            "early": false,
            "tags": { "CostCenter": "4711" },
            "inline": { "own-bucket": allow("s3:GetObject", "arn:aws:s3:::reports/*") },
            "keys": [{ "active": true, "used": "never" }],
        });
        Case {
            user: Some(user),
            records: vec![record(name, 1)],
        }
    }

    /// Changes what AWS has.
    fn aws(mut self, pointer: &str, value: Value) -> Case {
        let user = self.user.as_mut().expect("a user");
        let (object, member) = pointer.rsplit_once('/').expect("a pointer");
        user.pointer_mut(object).expect("an object")[member] = value;
        self
    }

    /// Changes what the (first) record says.
    fn says(mut self, column: &'static str, value: &str) -> Case {
        assert!(column == "Rotation days" || COLUMNS.contains(&column));
        self.records[0].insert(column, value.to_owned());
        self
    }

    /// Gives the user a second key.
    fn second_key(mut self) -> Case {
        let user = self.user.as_mut().expect("a user");
        let keys = user["keys"].as_array_mut().expect("keys");
        keys.push(json!({ "active": true, "used": "never" }));
        self
    }

    /// Adds a second record, of this key.
    fn second_record(mut self, key: usize) -> Case {
        let mut second = record(&self.name(), key);
        second.insert("Record ID", format!("{}-2", self.records[0]["Record ID"]));
        self.records.push(second);
        self
    }

    fn without_user(mut self) -> Case {
        let name = self.name();
        self.user = None;
        self.says("Access key ID", &format!("gone:{name}"))
    }

    fn without_record(mut self) -> Case {
        self.records.clear();
        self
    }

    fn name(&self) -> String {
        let user = self.user.as_ref().expect("a user");
        user["name"].as_str().expect("name").to_owned()
    }
}

/// A complete record of one of a user's keys. It knows the key by its id and by nothing else:
/// its name is not the user's, so that no match is owed to a likeness.
fn record(name: &str, key: usize) -> Record {
    let id = format!("REG-{name}");
    let key = format!("key:{name}/{key}");
    BTreeMap::from([
        ("Record ID", id),
        ("Name", "Daily reports".to_owned()),
        ("Type", "access key".to_owned()),
        ("Access key ID", key),
        ("Provider", "aws".to_owned()),
        ("Account", ACCOUNT.to_owned()),
        ("System", "reporting".to_owned()),
        ("Environment", "test".to_owned()),
        ("Risk tier", "T2".to_owned()),
        ("Owner", "alice@example.com".to_owned()),
        ("Purpose", "Reads the daily reports".to_owned()),
        ("Approved by", "carol@example.com".to_owned()),
        ("Approved at", "day:-40".to_owned()),
        ("Scope", "s3 read of one bucket".to_owned()),
        ("Status", "active".to_owned()),
        ("Expires", "day:30".to_owned()),
        ("Revocation path", "runbook/keys.md".to_owned()),
        ("Runbook", "runbook/keys.md#recover".to_owned()),
        ("Approval ticket", "approvals/keys.md".to_owned()),
        ("Log source", "cloudtrail".to_owned()),
        ("Log reviewer", "carol@example.com".to_owned()),
        ("Business process", "Reporting".to_owned()),
    ])
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": resource }] })
}

/// The twelve, one sentence each. The twin is the same case but for the word in the sentence.
pub(super) fn planted() -> Vec<Planted> {
    let mut all = Vec::new();
    let mut plant = |check: &'static str, subject: &str, change: &dyn Fn(Case, bool) -> Case| {
        let name = check.to_lowercase();
        all.push(Planted {
            check,
            subject: subject.to_owned(),
            defect: change(Case::healthy(&name), true),
            twin: change(Case::healthy(&format!("{name}-twin")), false),
        });
    };

    // A key that is switched off and that no record knows; the twin's record names no key
    // either, but the user whose key it is.
    plant("INV-01", "inv-01/1", &|case, defect| {
        let name = case.name();
        let case = case
            .aws("/keys/0/active", json!(false))
            .aws("/tags/owner", json!("alice@example.com"));
        if defect {
            case.without_record()
        } else {
            let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
            case.says("Access key ID", "").says("User ARN", &arn)
        }
    });
    // A record of a key that the account does not have; the twin's key is of a storage of the
    // same make in the company's own cellar, where nobody looked.
    plant("INV-02", "REG-inv-02", &|case, defect| {
        let case = case.without_user();
        if defect {
            case
        } else {
            case.says("Provider", "minio").says("Account", "cellar")
        }
    });
    // Revoked on paper, and active in AWS; the twin is switched off there too.
    plant("INV-03", "inv-03/1", &|case, defect| {
        case.says("Status", "revoked")
            .aws("/keys/0/active", json!(defect))
    });
    // Two records of one key; the twin's two records are of its user's two keys.
    plant("INV-04", "inv-04/1", &|case, defect| {
        if defect {
            case.second_record(1)
        } else {
            case.second_key().second_record(2)
        }
    });
    // Nobody is said to have approved it; the twin is of tier T3, which does not ask for that.
    plant("INV-06", "REG-inv-06", &|case, defect| {
        case.says("Approved by", "tbd")
            .says("Risk tier", if defect { "T2" } else { "T3" })
    });
    // A request that names no owner yet; the twin's names none either, but its user has a tag.
    plant("OWN-01", "own-01/1", &|case, defect| {
        let case = case.says("Status", "requested").says("Owner", "");
        if defect {
            case
        } else {
            case.aws("/tags/owner", json!("alice@example.com"))
        }
    });
    // Its owner left yesterday; the twin's owner leaves today.
    plant("OWN-02", "own-02/1", &|case, defect| {
        let owner = if defect {
            "bob@example.com"
        } else {
            "dan@example.com"
        };
        case.says("Owner", owner)
    });
    // Active, and it should have ended yesterday; the twin ends today.
    plant("LIF-01", "lif-01/1", &|case, defect| {
        case.says("Expires", if defect { "day:-1" } else { "day:0" })
    });
    // Neither an end nor a reason for none; the twin has the reason. Of tier T3, because of
    // others an end is asked for by INV-06 as well.
    plant("LIF-02", "lif-02/1", &|case, defect| {
        let case = case.says("Risk tier", "T3").says("Expires", "");
        if defect {
            case
        } else {
            case.says("Reason for no expiry", "the appliance cannot rotate")
        }
    });
    // 45 days old, and its record asks for a rotation every 44; the twin's every 45.
    plant("LIF-03", "lif-03/1", &|case, defect| {
        case.says("Rotation days", if defect { "44" } else { "45" })
    });
    // 46 days old and last used on its first day; the twin is as old, and was used some seconds
    // later, which is 45 days ago.
    plant("LIF-06", "lif-06/1", &|case, defect| {
        case.aws("/early", json!(true))
            .aws("/keys/0/used", json!(if defect { "early" } else { "late" }))
    });
    // Administrator through a group; the twin is in the same group, and a policy denies all.
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/prv-02");
    plant("PRV-02", &arn, &|case, defect| {
        let case = case.aws("/groups", json!(["operators"]));
        if defect {
            case
        } else {
            case.aws("/attached", json!([DENY_ALL]))
        }
    });
    all
}

/// Users that nothing is wrong with, for what near misses need more than a twin.
pub(super) fn bystanders() -> Vec<Case> {
    vec![
        // Everything in S3, of one bucket.
        Case::healthy("one-bucket").aws(
            "/inline/all",
            allow("s3:*", "arn:aws:s3:::reports-archive/*"),
        ),
        // An administrator who logs in, and has no key: no machine.
        Case::healthy("person")
            .aws("/keys", json!([]))
            .aws("/attached", json!([ADMINISTRATOR]))
            .without_record(),
        // One key used today, by a real call; the other one never.
        Case::healthy("used")
            .aws("/keys/0/used", json!("late"))
            .second_key()
            .second_record(2),
        // Its key and the id of another one lie in repositories, for the test of those.
        Case::healthy("committed"),
        Case::healthy("mentioned"),
    ]
}

fn cases() -> Vec<Case> {
    let planted = planted()
        .into_iter()
        .flat_map(|planted| [planted.defect, planted.twin]);
    planted.chain(bystanders()).collect()
}

/// The account, as company.py makes it.
pub(super) fn plan() -> Value {
    let users: Vec<Value> = cases().into_iter().filter_map(|case| case.user).collect();
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") } }
    ] });
    json!({
        "users": users,
        // A policy that nobody holds grants nothing.
        "policies": [
            { "name": "unheld", "document": allow("*", "*") },
            { "name": "only-reports", "document": allow("s3:GetObject", "arn:aws:s3:::reports/*") },
        ],
        "groups": [{ "name": "operators", "attached": [ADMINISTRATOR] }],
        "roles": [
            { "name": "night-job", "trust": trust, "inline": { "own-bucket": allow("s3:GetObject", "arn:aws:s3:::reports/*") }, "tags": { "team": "data" }, "assumed": true },
            // An administrator on paper, within a boundary that leaves one bucket.
            { "name": "bounded", "trust": trust, "attached": [ADMINISTRATOR], "boundary": format!("arn:aws:iam::{ACCOUNT}:policy/only-reports"), "assumed": true },
        ],
    })
}

/// The register as CSV. `forgets` are record ids that are left out.
pub(super) fn register(exported: &Exported, forgets: &[&str]) -> Vec<u8> {
    let calendar = Calendar::of(exported);
    let cell = |text: &String| -> String {
        if let Some(days) = text.strip_prefix("day:") {
            calendar.day(days.parse().expect("days"))
        } else if let Some(key) = text.strip_prefix("key:") {
            exported.keys[key].id.clone()
        } else if let Some(name) = text.strip_prefix("gone:") {
            crate::world::secret("{aws-id}", name.bytes().map(u64::from).sum())
        } else {
            text.clone()
        }
    };
    let columns: Vec<&str> = COLUMNS.into_iter().chain(["Rotation days"]).collect();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(&columns).expect("header");
    let cases = cases();
    for record in cases.iter().flat_map(|case| &case.records) {
        if forgets.contains(&record["Record ID"].as_str()) {
            continue;
        }
        let cells = columns
            .iter()
            .map(|column| record.get(column).map(cell).unwrap_or_default());
        csv.write_record(cells).expect("row");
    }
    csv.into_inner().expect("CSV")
}

/// The people directory: Bob left yesterday, Dan leaves today.
pub(super) fn people(exported: &Exported) -> String {
    let calendar = Calendar::of(exported);
    format!(
        "id,name,mail,team,manager,status,end date\n\
         p1,Alice Moreau,alice@example.com,data,p3,active,\n\
         p2,Bob Tanner,bob@example.com,web,p3,active,{}\n\
         p3,Carol Ruiz,carol@example.com,engineering,,active,\n\
         p4,Dan Okafor,dan@example.com,data,p3,active,{}\n",
        calendar.day(-1),
        calendar.day(0)
    )
}

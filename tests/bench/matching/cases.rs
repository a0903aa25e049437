//! The cases: each makes credentials, the lines that record them, and the truth about both.

use std::collections::BTreeMap;

use keymuster_api::Key;

use crate::{
    dice::{Dice, ENVIRONMENTS, FAMILY, GIVEN, PARTS, SUBJECTS, TASKS},
    estate::World,
    register::Line,
};

/// What is true about a credential.
pub(crate) struct Truth {
    pub(crate) case: &'static str,
    /// Ids of the records that are its own; none if nobody recorded it.
    pub(crate) records: Vec<String>,
    /// Whether they share an id, a secret, a principal or a place with it (rank 1 to 4).
    pub(crate) strong: bool,
}

pub(crate) struct Company {
    pub(crate) dice: Dice,
    pub(crate) world: World,
    /// The register of the company, and that of the one it bought.
    pub(crate) registers: [Vec<Line>; 2],
    pub(crate) truth: BTreeMap<String, Truth>,
    number: u64,
}

/// A service, as its people speak of it.
pub(crate) struct Service {
    system: String,
    name: String,
    environment: String,
    account: String,
    owner: (String, String),
    purpose: String,
}

type Case = (&'static str, u32, fn(&mut Company));

/// Every case with its weight.
pub(crate) const CASES: &[Case] = &[
    ("key id", 22, key_id),
    ("key id, other spelling", 3, key_id_spelled),
    ("guid, other spelling", 3, guid_spelled),
    ("the same secret", 3, fingerprint),
    ("principal's name as ARN", 4, principal_arn),
    ("user name and account", 3, user_and_account),
    ("one record, two keys", 3, two_keys),
    ("one record, all keys of an application", 3, all_keys),
    ("service account's mail", 3, service_account_mail),
    ("vault path", 3, vault),
    ("variable of 40 projects", 3, variable),
    ("workflow secret", 3, workflow_secret),
    ("kubernetes secret", 3, kubernetes),
    ("place in a repository", 3, place),
    ("masked id", 3, masked),
    ("last four letters", 3, last_four),
    ("changed key, stale record", 3, changed_key),
    ("two records", 3, two_records),
    ("deleted and made again", 3, made_again),
    ("tombstone and record in force", 3, tombstone),
    ("system spelled differently", 3, system_spelled),
    ("owner's former mail", 3, former_mail),
    ("moved to another vault", 3, moved),
    ("name, system, environment", 3, named),
    ("name resembles", 3, resembling),
    ("told by the key file", 3, hinted),
    ("cut id", 3, cut),
    ("typing error in the id", 3, mistyped),
    ("nobody recorded it", 4, unrecorded),
    ("nothing behind the record", 4, ghost),
];

impl Company {
    pub(crate) fn new(seed: u64, credentials: usize) -> Company {
        let mut company = Company {
            dice: Dice::new(seed),
            world: World::default(),
            registers: [Vec::new(), Vec::new()],
            truth: BTreeMap::new(),
            number: 0,
        };
        let deck: Vec<fn(&mut Company)> = CASES
            .iter()
            .flat_map(|&(_, weight, case)| std::iter::repeat_n(case, weight as usize))
            .collect();
        while company.truth.len() < credentials {
            let case = deck[company.dice.below(deck.len())];
            case(&mut company);
        }
        company
    }

    fn service(&mut self) -> Service {
        let dice = &mut self.dice;
        let subject = dice.of(SUBJECTS).to_owned();
        let part = dice.of(PARTS);
        let system = format!("{subject}-{part}");
        let (given, family) = (dice.of(GIVEN), dice.of(FAMILY));
        let task = dice.of(TASKS);
        let environment = dice.of(ENVIRONMENTS).to_owned();
        // An organisation has some dozens of accounts.
        let account = format!("{:012}", 300_000_000_000 + 7_919 * dice.below(60));
        self.number += 1;
        Service {
            name: format!("{system}-{}-{}", task.replace(' ', "-"), self.number),
            environment,
            account,
            owner: (
                format!("{given}.{family}@acme.example"),
                format!("{given}.{family}@oldco.example"),
            ),
            purpose: format!("{task} for {subject}"),
            system,
        }
    }

    /// The line that a careful person would write.
    fn line(&mut self, service: &Service) -> Line {
        self.number += 1;
        Line {
            id: format!("R-{:06}", self.number),
            name: service.name.clone(),
            system: service.system.clone(),
            account: service.account.clone(),
            environment: service.environment.clone(),
            owner: service.owner.0.clone(),
            purpose: service.purpose.clone(),
            status: "active".to_owned(),
            ..Line::default()
        }
    }

    fn record(&mut self, line: Line) -> String {
        let register = usize::from(self.dice.percent(30));
        let id = line.id.clone();
        self.registers[register].push(line);
        id
    }

    fn know(&mut self, subject: &str, case: &'static str, records: &[&str], strong: bool) {
        let truth = Truth {
            case,
            records: records.iter().map(|id| (*id).to_owned()).collect(),
            strong,
        };
        self.truth.insert(subject.to_owned(), truth);
    }

    fn user(&mut self, service: &Service) -> (Key, String) {
        let name = service.name.clone();
        let arn = format!("arn:aws:iam::{}:user/{name}", service.account);
        let tags = [
            ("application", service.system.as_str()),
            ("environment", service.environment.as_str()),
        ];
        let key = self
            .world
            .identity(&arn, &name, "aws", &service.account, &tags);
        (key, arn)
    }

    /// An access key of a user: its subject and id.
    fn access_key(&mut self, user: &Key, made: i64) -> (String, String) {
        let id = self.dice.key_id();
        let subject = self.world.listed(
            &format!("aws:access-key:{id}"),
            Some(("aws-access-key-id", &id)),
            Some(user),
            None,
            made,
        );
        (subject, id)
    }

    /// A user with one key, and a line without ids.
    fn usual(&mut self) -> (Service, Line, String, String, String) {
        let service = self.service();
        let (user, arn) = self.user(&service);
        let (subject, id) = self.access_key(&user, 100);
        let line = self.line(&service);
        (service, line, subject, id, arn)
    }
}

fn key_id(company: &mut Company) {
    let (_, mut line, subject, id, arn) = company.usual();
    line.key_id = id;
    if company.dice.percent(40) {
        line.arn = arn;
    }
    let record = company.record(line);
    company.know(&subject, "key id", &[&record], true);
}

fn key_id_spelled(company: &mut Company) {
    let (_, mut line, subject, id, _) = company.usual();
    line.key_id = match company.dice.below(3) {
        0 => id.to_lowercase(),
        1 => format!(" {id} "),
        _ => format!("key {id} (rotated yearly)"),
    };
    let record = company.record(line);
    company.know(&subject, "key id, other spelling", &[&record], true);
}

fn guid_spelled(company: &mut Company) {
    let service = company.service();
    let (app, key) = (company.dice.guid(), company.dice.guid());
    let identity = company.world.identity(
        &format!("entra:app:{app}"),
        &service.name,
        "azure",
        "acme-tenant",
        &[],
    );
    let subject = company.world.listed(
        &format!("entra:key:{key}"),
        Some(("entra-key-id", &key)),
        Some(&identity),
        Some(&service.name),
        100,
    );
    let mut line = company.line(&service);
    line.account = "acme-tenant".to_owned();
    line.key_id = match company.dice.below(3) {
        0 => key.to_uppercase(),
        1 => format!("{{{key}}}"),
        _ => key.replace('-', ""),
    };
    line.client_id = app;
    let record = company.record(line);
    company.know(&subject, "guid, other spelling", &[&record], true);
}

fn fingerprint(company: &mut Company) {
    let service = company.service();
    let repository = company
        .world
        .repository(&format!("acme/{}", service.system));
    let file = format!("deploy/{}.env", company.number);
    let secret = company
        .world
        .seen(&mut company.dice, repository, &file, &[]);
    let mut line = company.line(&service);
    line.fingerprint = secret.to_string();
    let record = company.record(line);
    company.know(
        &format!("secret:{secret}"),
        "the same secret",
        &[&record],
        true,
    );
}

fn principal_arn(company: &mut Company) {
    let (_, mut line, subject, _, arn) = company.usual();
    line.arn = match company.dice.below(3) {
        0 => arn.replace("arn:aws:", "arn:aws-cn:"),
        1 => arn.to_uppercase().replace("ARN:AWS:IAM", "arn:aws:iam"),
        _ => arn,
    };
    let record = company.record(line);
    company.know(&subject, "principal's name as ARN", &[&record], true);
}

fn user_and_account(company: &mut Company) {
    let (service, mut line, subject, ..) = company.usual();
    line.user = service.name;
    if company.dice.percent(30) {
        let digits = line.account.clone();
        line.account = format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..]);
    }
    line.name = line.purpose.clone();
    let record = company.record(line);
    company.know(&subject, "user name and account", &[&record], true);
}

fn two_keys(company: &mut Company) {
    let service = company.service();
    let (user, arn) = company.user(&service);
    let mut line = company.line(&service);
    line.arn = arn;
    let record = company.record(line);
    for made in [100, 300] {
        let (subject, _) = company.access_key(&user, made);
        company.know(&subject, "one record, two keys", &[&record], true);
    }
}

fn all_keys(company: &mut Company) {
    let service = company.service();
    let mut line = company.line(&service);
    line.name = format!("all keys of {}", service.name);
    line.arn = format!("arn:aws:iam::{}:user/{}-*", service.account, service.name);
    let record = company.record(line);
    for part in ["reader", "writer"] {
        let name = format!("{}-{part}", service.name);
        let arn = format!("arn:aws:iam::{}:user/{name}", service.account);
        let user = company
            .world
            .identity(&arn, &name, "aws", &service.account, &[]);
        let (subject, _) = company.access_key(&user, 100);
        company.know(
            &subject,
            "one record, all keys of an application",
            &[&record],
            true,
        );
    }
}

fn service_account_mail(company: &mut Company) {
    let service = company.service();
    let project = format!("acme-{}", service.environment);
    let mail = format!("{}@{project}.iam.gserviceaccount.com", service.name);
    let identity = company.world.identity(&mail, &mail, "gcp", &project, &[]);
    let id = company.dice.letters("0123456789abcdef", 40);
    let subject = company.world.listed(
        &format!("gcp:key:{id}"),
        Some(("gcp-private-key-id", &id)),
        Some(&identity),
        None,
        100,
    );
    let mut line = company.line(&service);
    line.account = project;
    if company.dice.percent(50) {
        line.mail = mail;
    } else {
        line.name = mail.to_uppercase();
    }
    let record = company.record(line);
    company.know(&subject, "service account's mail", &[&record], true);
}

fn vault(company: &mut Company) {
    let service = company.service();
    let path = format!(
        "kv/{}/{}/{}",
        service.environment, service.system, service.name
    );
    let subject = company
        .world
        .listed(&format!("vault:{path}"), None, None, None, 100);
    let mut line = company.line(&service);
    line.vault = match company.dice.below(3) {
        0 => path.replacen("kv/", "kv/data/", 1),
        1 => format!("/{path}"),
        _ => path,
    };
    let record = company.record(line);
    company.know(&subject, "vault path", &[&record], true);
}

/// `DB_PASSWORD` again and again; the project tells them apart.
fn variable(company: &mut Company) {
    let service = company.service();
    company.number += 1;
    let project = format!(
        "{}/{}-{}",
        company.dice.of(SUBJECTS),
        service.system,
        company.number
    );
    let name = company.dice.of(&["DB_PASSWORD", "API_TOKEN", "DEPLOY_KEY"]);
    let key = format!("gitlab:{project}:{name}@{}", service.environment);
    let subject = company.world.listed(&key, None, None, Some(name), 100);
    let mut line = company.line(&service);
    line.name = name.to_owned();
    line.variable = if company.dice.percent(30) {
        key.to_uppercase().replacen("GITLAB", "gitlab", 1)
    } else {
        key
    };
    let record = company.record(line);
    company.know(&subject, "variable of 40 projects", &[&record], true);
}

fn workflow_secret(company: &mut Company) {
    let service = company.service();
    let name = format!("{}_TOKEN", service.name.replace('-', "_").to_uppercase());
    let key = format!("github:acme/{}:actions:{name}", service.system);
    let subject = company.world.listed(&key, None, None, Some(&name), 100);
    let mut line = company.line(&service);
    line.name = name;
    line.variable = key;
    let record = company.record(line);
    company.know(&subject, "workflow secret", &[&record], true);
}

fn kubernetes(company: &mut Company) {
    let service = company.service();
    let place = format!(
        "{}-{}/{}/password",
        service.system, service.environment, service.name
    );
    let subject = company
        .world
        .listed(&format!("k8s:{place}"), None, None, None, 100);
    let mut line = company.line(&service);
    line.kubernetes = place;
    let record = company.record(line);
    company.know(&subject, "kubernetes secret", &[&record], true);
}

fn place(company: &mut Company) {
    let service = company.service();
    let repository = format!("acme/{}", service.system);
    let index = company.world.repository(&repository);
    let path = format!("config/{}.yaml", service.name);
    let secret = company.world.seen(&mut company.dice, index, &path, &[]);
    let mut line = company.line(&service);
    line.location = if company.dice.percent(50) {
        format!("{repository}:{path}")
    } else {
        format!("{}/{path}", service.system)
    };
    let record = company.record(line);
    company.know(
        &format!("secret:{secret}"),
        "place in a repository",
        &[&record],
        true,
    );
}

fn masked(company: &mut Company) {
    let (_, mut line, subject, id, _) = company.usual();
    line.key_id = format!("{}************{}", &id[..4], &id[16..]);
    let record = company.record(line);
    company.know(&subject, "masked id", &[&record], false);
}

fn last_four(company: &mut Company) {
    let (service, mut line, subject, id, _) = company.usual();
    line.key_id = format!("\u{2026}{}", &id[16..]);
    line.user = service.name;
    let record = company.record(line);
    company.know(&subject, "last four letters", &[&record], true);
}

/// The principal is the same, the key another one: a question, not a match.
fn changed_key(company: &mut Company) {
    let (_, mut line, subject, _, arn) = company.usual();
    line.key_id = company.dice.key_id();
    line.arn = arn;
    let record = company.record(line);
    company.know(&subject, "changed key, stale record", &[&record], false);
}

fn two_records(company: &mut Company) {
    let (service, mut line, subject, id, arn) = company.usual();
    line.key_id = id.clone();
    let first = company.record(line);
    let mut line = company.line(&service);
    line.key_id = id;
    line.arn = arn;
    line.name = format!("{} (copy)", service.name);
    let second = company.record(line);
    company.know(&subject, "two records", &[&first, &second], true);
}

/// The record is of a user of this name that is gone; nobody recorded the new one.
fn made_again(company: &mut Company) {
    let service = company.service();
    let (user, arn) = company.user(&service);
    let (subject, _) = company.access_key(&user, 400);
    let mut line = company.line(&service);
    line.arn = arn;
    line.status = "revoked".to_owned();
    line.revoked = "2024-03-01".to_owned();
    company.record(line);
    company.know(&subject, "deleted and made again", &[], false);
}

fn tombstone(company: &mut Company) {
    let (service, mut line, subject, id, arn) = company.usual();
    line.status = "revoked".to_owned();
    line.revoked = "2023-06-01".to_owned();
    line.arn = arn.clone();
    company.record(line);
    let mut line = company.line(&service);
    line.arn = arn;
    if company.dice.percent(50) {
        line.key_id = id;
    }
    let record = company.record(line);
    company.know(&subject, "tombstone and record in force", &[&record], true);
}

fn camel(text: &str) -> String {
    let words = text.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}

fn system_spelled(company: &mut Company) {
    let (service, mut line, subject, ..) = company.usual();
    line.system = match company.dice.below(3) {
        0 => camel(&service.system),
        1 => service.system.replace('-', " ").to_uppercase(),
        _ => format!("{} system", service.system.replace('-', "_")),
    };
    line.account = String::new();
    line.name = service.name.replace('-', " ");
    let record = company.record(line);
    company.know(&subject, "system spelled differently", &[&record], false);
}

fn former_mail(company: &mut Company) {
    let (service, mut line, subject, ..) = company.usual();
    company.world.claim(&subject, &service.owner.0);
    line.owner = service.owner.1.clone();
    line.account = String::new();
    line.name = format!("key {}", service.name);
    let record = company.record(line);
    company.know(&subject, "owner's former mail", &[&record], false);
}

fn moved(company: &mut Company) {
    let service = company.service();
    let path = format!("kv/{}/{}", service.system, service.name);
    let subject = company.world.listed(
        &format!("vault:{path}"),
        None,
        None,
        Some(&service.name),
        100,
    );
    let mut line = company.line(&service);
    line.vault = format!("legacy/{}/{}", service.environment, service.name);
    let record = company.record(line);
    company.know(&subject, "moved to another vault", &[&record], false);
}

fn named(company: &mut Company) {
    let (service, mut line, subject, ..) = company.usual();
    line.account = String::new();
    line.name = service.name;
    let record = company.record(line);
    company.know(&subject, "name, system, environment", &[&record], false);
}

fn resembling(company: &mut Company) {
    let (service, mut line, subject, ..) = company.usual();
    line.account = String::new();
    let mut words: Vec<&str> = service.name.split('-').collect();
    words.rotate_left(1);
    line.name = format!("{} user", words.join(" "));
    let record = company.record(line);
    company.know(&subject, "name resembles", &[&record], false);
}

/// A key file was seen, and the record names its service account.
fn hinted(company: &mut Company) {
    let service = company.service();
    let mail = format!("{}@acme-prod.iam.gserviceaccount.com", service.name);
    let index = company
        .world
        .repository(&format!("acme/{}", service.system));
    let path = format!("keys/{}.json", service.name);
    let facts = [("client_email", mail.as_str())];
    let secret = company.world.seen(&mut company.dice, index, &path, &facts);
    let mut line = company.line(&service);
    line.mail = mail;
    let record = company.record(line);
    company.know(
        &format!("secret:{secret}"),
        "told by the key file",
        &[&record],
        true,
    );
}

fn cut(company: &mut Company) {
    let (_, mut line, subject, id, _) = company.usual();
    line.key_id = format!("{}...", &id[..12]);
    let record = company.record(line);
    company.know(&subject, "cut id", &[&record], false);
}

fn mistyped(company: &mut Company) {
    let (_, mut line, subject, id, _) = company.usual();
    let at = 8 + company.dice.below(8);
    let mut wrong: Vec<char> = id.chars().collect();
    wrong.swap(at, at + 1);
    line.key_id = wrong.into_iter().collect();
    let record = company.record(line);
    company.know(&subject, "typing error in the id", &[&record], false);
}

fn unrecorded(company: &mut Company) {
    let service = company.service();
    let (user, _) = company.user(&service);
    let (subject, _) = company.access_key(&user, 500);
    company.know(&subject, "nobody recorded it", &[], false);
}

fn ghost(company: &mut Company) {
    let service = company.service();
    let mut line = company.line(&service);
    match company.dice.below(3) {
        0 => line.key_id = company.dice.key_id(),
        1 => line.arn = format!("arn:aws:iam::{}:user/{}", service.account, service.name),
        _ => line.vault = format!("kv/{}/{}", service.system, service.name),
    }
    company.record(line);
}

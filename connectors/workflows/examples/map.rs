//! Prints which consumer uses which slot, one use a line, for folders of checked-out files:
//! `cargo run -p keymuster-workflows --example map -- FOLDER…`. With this the map is measured
//! against labels that were made without it.

use std::{io::Write as _, path::PathBuf};

use keymuster_api::{
    Cancel, Connector as _, Cx, Item, LoginMethod, NoProgress, Redaction, Redactor, SecretId, Sink,
    SystemId, Timestamp,
};
use keymuster_workflows::{Folder, Tree, WorkflowsConnector, WorkflowsSpec};

struct Nothing;

impl Redactor for Nothing {
    fn redact(&self, _text: &str) -> Vec<Redaction> {
        Vec::new()
    }

    fn seal(&self, _secret: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

#[derive(Default)]
struct Printed(Vec<String>);

impl Sink for Printed {
    fn emit(&mut self, item: Item) {
        match item {
            Item::Consumer(one) => {
                let environment = one.environment.unwrap_or_default();
                let logins: Vec<String> = one
                    .logins
                    .iter()
                    .map(|login| {
                        format!(
                            "{} {} {} {}",
                            login.provider,
                            if login.method == LoginMethod::Static {
                                "static"
                            } else {
                                "federated"
                            },
                            login.by,
                            login.slots.join(",")
                        )
                    })
                    .collect();
                let properties = one.properties.iter();
                let properties: Vec<String> = properties
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                self.0.push(format!(
                    "consumer\t{}\t{}\t{environment}\t{}\t{}",
                    one.key.0,
                    one.platform,
                    logins.join(";"),
                    properties.join(";")
                ));
            }
            Item::Use(one) => self.0.push(format!(
                "use\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                one.by.0,
                one.store,
                one.name.as_deref().unwrap_or("*"),
                one.scopes.join(" "),
                one.certain,
                one.how,
                one.source.locator
            )),
            Item::Slot(one) => self.0.push(format!("slot\t{}", one.key.0)),
            Item::Gap(gap) => self.0.push(format!("gap\t{gap}")),
            Item::Claim(one) => self
                .0
                .push(format!("claim\t{}\t{}", one.subject.0, one.party)),
            _ => {}
        }
    }
}

fn main() -> std::io::Result<()> {
    let trees = std::env::args_os().skip(1).map(|path| {
        let root = PathBuf::from(path);
        let name = root.file_name().unwrap_or(root.as_os_str());
        Box::new(Folder {
            name: name.to_string_lossy().into_owned(),
            root,
            exclude: Vec::new(),
        }) as Box<dyn Tree>
    });
    let connector = WorkflowsConnector::new(WorkflowsSpec {
        label: "map".to_owned(),
        trees: trees.collect(),
        home: None,
    });
    let cx = Cx {
        system: SystemId(0),
        now: Timestamp::UNIX_EPOCH,
        jobs: 1,
        max_memory: 1 << 30,
        cancel: &Cancel::default(),
        progress: &NoProgress,
        redactor: &Nothing,
        memo: None,
    };
    let mut printed = Printed::default();
    if let Err(error) = connector.sweep(&cx, &mut printed) {
        printed.0.push(format!("error\t{error}"));
    }
    let mut out = std::io::stdout().lock();
    printed
        .0
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

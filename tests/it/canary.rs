//! The canary test: planted secrets, one of every shape of every rule, are looked for in
//! everything the program leaves behind: output, errors, logs, reports, state, temporary files.
//! Plain, base64, hexadecimal, percent-encoded and reversed.
//!
//! Planted as they are, in base64, and compressed. It grows with every verb, format and connector.

use std::io::Write as _;

use keymuster::engine::{Engine, RuleSet, Seal, shape};
use keymuster_api::{Candidate, Content, Fresh, Place, Spot, SystemId};

use crate::world::{World, has_git, secret};

/// Whether this build reads the rights of some cloud.
const HAS_CLOUDS: bool = cfg!(any(
    feature = "aws-iam",
    feature = "entra",
    feature = "gcp",
    feature = "kubernetes"
));

/// Shapes of rules, filled, with the secret bytes in them as the engine sees them. Each with a
/// seed of its own, or the public part of one would be the secret of another.
///
/// All rules that are proved or judged, and every ninth of the others, which differ in their words
/// only: [`no_rule_tells_a_secret`] looks at all of them.
fn plants() -> Vec<(String, Vec<Vec<u8>>)> {
    let engine = Engine::new(RuleSet::embedded().expect("rules"), Seal::new([3; 32]));
    let place = Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::File {
            path: "src/plain".into(),
        },
    };
    let mut plants = Vec::new();
    for (index, rule) in (0u64..).zip(&engine.rules().rules).filter(|(index, rule)| {
        !rule.public && (rule.prover.is_some() || rule.judge.is_some() || index % 9 == 0)
    }) {
        for (number, hit) in rule.hits.iter().enumerate() {
            let text = shape::fill(hit, 1000 * index + number as u64).expect("shape");
            let content = Content {
                place: &place,
                bytes: text.as_bytes(),
                origin: Default::default(),
                class: None,
                fresh: Fresh::Everything,
            };
            let trace = engine.search(&content);
            let secrets: Vec<Vec<u8>> = trace
                .candidates
                .iter()
                .filter(|candidate| !engine.rules().rules[candidate.rule as usize].public)
                .map(|candidate| text.as_bytes()[candidate.span.clone()].to_vec())
                .filter(|secret| secret.len() >= 8)
                .collect();
            if !secrets.is_empty() {
                plants.push((text, secrets));
            }
        }
    }
    plants
}

/// The ways a secret could leak. Of long ones a piece in the middle will do.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let middle = secret.len() / 2;
    let piece = if secret.len() > 48 {
        &secret[middle - 20..middle + 20]
    } else {
        secret
    };
    let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = piece
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                (*byte as char).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let mut forms = vec![
        piece.to_vec(),
        data_encoding::BASE64
            .encode(piece)
            .trim_end_matches('=')
            .as_bytes()
            .to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        percent.into_bytes(),
        piece.iter().rev().copied().collect(),
    ];
    forms.sort();
    forms.dedup();
    forms
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

struct Canary {
    automaton: aho_corasick::AhoCorasick,
}

impl Canary {
    fn new(plants: &[(String, Vec<Vec<u8>>)]) -> Canary {
        let forms: Vec<Vec<u8>> = plants
            .iter()
            .flat_map(|(_, secrets)| secrets)
            .flat_map(|secret| forms(secret))
            .filter(|form| form.len() >= 8)
            .collect();
        Canary {
            automaton: aho_corasick::AhoCorasick::new(&forms).expect("automaton"),
        }
    }

    fn assert_clean(&self, what: &str, bytes: &[u8]) {
        if let Some(found) = self.automaton.find(bytes) {
            let start = found.start().saturating_sub(60);
            panic!(
                "{what} leaks a secret near: {:?}",
                String::from_utf8_lossy(&bytes[start..(found.end() + 20).min(bytes.len())])
            );
        }
    }
}

/// What a candidate tells about itself, for every shape of every rule: whatever is printed later
/// is made of this.
#[test]
fn no_rule_tells_a_secret() {
    let engine = Engine::new(RuleSet::embedded().expect("rules"), Seal::new([3; 32]));
    let rules = &engine.rules().rules;
    let place = Place {
        system: SystemId(0),
        resource: 0,
        spot: Spot::File {
            path: "src/plain".into(),
        },
    };
    for (index, rule) in (0u64..).zip(rules) {
        for (number, hit) in rule.hits.iter().enumerate() {
            let text = shape::fill(hit, 1000 * index + number as u64).expect("shape");
            let content = Content {
                place: &place,
                bytes: text.as_bytes(),
                origin: Default::default(),
                class: None,
                fresh: Fresh::Everything,
            };
            let trace = engine.search(&content);
            // What a rule knows as an identifier by its own form is none, whatever its name says.
            let is_identifier = |candidate: &&Candidate| {
                trace.candidates.iter().any(|other| {
                    let rule = &rules[other.rule as usize];
                    rule.public && rule.words.is_empty() && other.span == candidate.span
                })
            };
            let secrets: Vec<&[u8]> = trace
                .candidates
                .iter()
                .filter(|candidate| !rules[candidate.rule as usize].public)
                .filter(|candidate| !is_identifier(candidate))
                .map(|candidate| &text.as_bytes()[candidate.span.clone()])
                .filter(|secret| secret.len() >= 8)
                .collect();
            for candidate in &trace.candidates {
                let details = &candidate.details;
                let handle = details.handle.iter().map(|handle| handle.value.clone());
                let facts = details.facts.iter().map(|(_, value)| value.clone());
                let told: Vec<String> = handle
                    .chain(facts)
                    .chain([details.preview.clone()])
                    .chain(details.allowed.clone())
                    .collect();
                let told = told.join("\n").into_bytes();
                for secret in &secrets {
                    assert!(
                        memchr::memmem::find(&told, secret).is_none(),
                        "{} tells a secret of {}",
                        rules[candidate.rule as usize].id,
                        rule.id
                    );
                }
            }
        }
    }
}

/// Exports of clouds that hold a secret wherever people can write one, and as the value of a token
/// or key; the connectors that read them.
fn clouds(world: &World, cell: &str) -> String {
    let token = data_encoding::BASE64.encode(cell.as_bytes());
    let mut tables = String::new();
    let mut add = |is_built: bool, kind: &str, text: String| {
        if is_built {
            world.write(&format!("clouds/{kind}.json"), text);
            tables.push_str(&format!(
                "[[connector]]\ntype = \"{kind}\"\nexports = [\"clouds/{kind}.json\"]\n"
            ));
        }
    };
    add(
        cfg!(feature = "kubernetes"),
        "kubernetes",
        format!(
            r#"[{{"kind":"ServiceAccount","apiVersion":"v1","metadata":{{"name":"a","annotations":{{"owner":"{cell}","eks.amazonaws.com/role-arn":"{cell}","note":"{cell}"}}}}}},
            {{"kind":"Secret","apiVersion":"v1","type":"kubernetes.io/service-account-token","metadata":{{"name":"t","annotations":{{"kubernetes.io/service-account.name":"a"}}}},"data":{{"token":"{token}"}}}},
            {{"kind":"ClusterRoleBinding","metadata":{{"name":"b"}},"roleRef":{{"kind":"ClusterRole","name":"cluster-admin"}},"subjects":[{{"kind":"ServiceAccount","name":"a","namespace":"default"}}]}}, "{cell}", {{"kind":"Secret","data":["{cell}"]}}]"#
        ),
    );
    add(
        cfg!(feature = "gcp"),
        "gcp",
        format!(
            r#"[{{"email":"a@p.iam.gserviceaccount.com","uniqueId":"1","displayName":"{cell}","description":"{cell}"}},
            {{"name":"projects/1/locations/global/keys/u","uid":"u","displayName":"{cell}","keyString":"{cell}"}},
            {{"projectId":"p","projectNumber":"1","labels":{{"owner":"{cell}"}}}},
            {{"resource":"//cloudresourcemanager.googleapis.com/projects/p","assetType":"x","policy":{{"bindings":[{{"role":"roles/owner","members":["serviceAccount:a@p.iam.gserviceaccount.com"],"condition":{{"expression":"{cell}"}}}}]}}}}]"#
        ),
    );
    add(
        cfg!(feature = "entra"),
        "entra",
        format!(
            r#"[{{"id":"o","appId":"c","displayName":"{cell}","tags":["{cell}"],"passwordCredentials":[{{"keyId":"k","displayName":"{cell}","secretText":"{cell}"}}],"owners":[{{"id":"u","displayName":"{cell}"}}]}},
            {{"principalId":"u2","principalName":"{cell}","principalType":"User","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10","directoryScopeId":"/"}}]"#
        ),
    );
    tables
}

#[test]
fn no_secret_is_left_behind_anywhere() {
    let world = World::new();
    let plants = plants();
    assert!(plants.len() > 150, "only {} plants", plants.len());
    let canary = Canary::new(&plants);
    canary_is_alive(&canary, &plants);

    for (number, (text, _)) in plants.iter().enumerate() {
        world.write(&format!("repos/app/src/f{number}.txt"), text);
    }
    // All of them once more in layers and in a container.
    let texts: Vec<&str> = plants.iter().map(|(text, _)| &**text).collect();
    let all = texts.join("\n\n");
    let layered: Vec<String> = texts
        .iter()
        .map(|text| format!("value: {}\n", data_encoding::BASE64.encode(text.as_bytes())))
        .collect();
    world.write("repos/app/src/layers.txt", layered.concat());
    world.write("repos/app/src/all.txt.gz", gzip(all.as_bytes()));
    world.write("repos/app/src/cut.txt.gz", &gzip(all.as_bytes())[..400]);
    let (leaked, _) = &plants[0];
    if has_git() {
        world.commit_all(
            "repos/app",
            "2024-01-01T00:00:00Z",
            &format!("message with a secret\n\n{leaked}"),
        );
        for number in 0..plants.len() / 2 {
            std::fs::remove_file(world.path(&format!("repos/app/src/f{number}.txt")))
                .expect("remove");
        }
        world.commit_all("repos/app", "2024-02-01T00:00:00Z", "take half of them out");
    }
    let cell = secret("{github-token:ghp_}", 5);
    pipelines(&world, &texts, &cell);
    world.write(
        "inventory.csv",
        format!(
            "Record ID,Name,Owner,Access key ID,Remarks\nR1,one,ada@example.com,{},{cell}\n",
            secret("{aws-id}", 1)
        ),
    );
    world.write("people.csv", "id,mail,status\np1,ada@example.com,active\n");
    let clouds = clouds(&world, &cell);
    let connector = if has_git() {
        "[[connector]]\ntype = \"git\"\npaths = [\"repos/*\"]\n"
    } else {
        ""
    };
    let workflows = if cfg!(feature = "workflows") {
        "[[connector]]\ntype = \"workflows\"\n"
    } else {
        ""
    };
    let formats: Vec<String> = keymuster::report::FORMATS
        .iter()
        .map(|format| format!("\"{}\"", format.name()))
        .collect();
    world.write(
        "keymuster.toml",
        format!("estate = \"canary\"\n[state]\ndir = \"state\"\n[[inventory]]\nfile = \"inventory.csv\"\n[[people]]\nfile = \"people.csv\"\n{connector}[[connector]]\ntype = \"files\"\npaths = [\"repos/*\"]\n{workflows}{clouds}[report]\ndir = \"out\"\nformats = [{}]\n[evidence]\ndir = \"evidence\"\nsigning-key = {{ file = \"evidence.key\" }}\n", formats.join(", ")),
    );
    let cell_canary = Canary::new(&[(String::new(), vec![cell.into_bytes()])]);
    let mut runs: Vec<Vec<String>> = vec![
        vec!["key".into(), "new".into()],
        vec!["key".into(), "evidence".into(), "evidence.key".into()],
        vec!["audit".into(), "-vvv".into()],
        vec![
            "tickets".into(),
            "export".into(),
            "--for".into(),
            "jira".into(),
            "-v".into(),
        ],
        vec![
            "tickets".into(),
            "export".into(),
            "--for".into(),
            "servicenow".into(),
        ],
        vec![
            "verify".into(),
            "evidence".into(),
            "--key".into(),
            "evidence.key.pub".into(),
        ],
        vec!["key".into(), "backup".into(), "backup".into()],
        vec!["report".into(), "-vvv".into()],
        vec!["connectors".into(), "doctor".into()],
        vec!["access".into(), "-v".into()],
        vec!["access".into(), "--format".into(), "jsonl".into()],
        vec!["inventory".into(), "map".into(), "inventory.csv".into()],
        vec!["inventory".into(), "check".into(), "inventory.csv".into()],
        vec!["inventory".into(), "show".into(), "inventory.csv".into()],
        vec![
            "review".into(),
            "export".into(),
            "--out".into(),
            "out/review".into(),
        ],
        vec![
            "rules".into(),
            "test".into(),
            format!("repos/app/src/f{}.txt", plants.len() - 1),
        ],
        vec!["answer".into(), "R1".into()],
        vec!["explain".into(), "EXP-01".into()],
    ];
    for format in ["terminal", "jsonl", "json", "sarif", "csv"] {
        runs.push(vec![
            "scan".into(),
            "repos/app".into(),
            "-vvv".into(),
            "--every-version".into(),
            "--format".into(),
            format.into(),
        ]);
    }
    // The oracle is slow and writes by the same code: once.
    runs.push(vec![
        "scan".into(),
        "repos/app".into(),
        "--engine".into(),
        "whole".into(),
        "--history".into(),
        "none".into(),
        "--format".into(),
        "jsonl".into(),
        "-o".into(),
        "home/scan.jsonl".into(),
    ]);
    for args in &runs {
        if !has_git() && args.contains(&"--history".to_owned()) {
            continue;
        }
        if args[0] == "access" && !HAS_CLOUDS {
            continue;
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = world.run(&args);
        for canary in [&canary, &cell_canary] {
            canary.assert_clean(&format!("{args:?} on stdout"), ran.stdout.as_bytes());
            canary.assert_clean(&format!("{args:?} on stderr"), ran.stderr.as_bytes());
        }
        assert!(
            [0, 1, 3].contains(&ran.code),
            "{args:?}: {} {}",
            ran.code,
            ran.stderr
        );
    }
    for folder in ["state", "out", "evidence", "backup", "home"] {
        let files = world.files(folder);
        assert!(folder == "home" || !files.is_empty(), "{folder} is empty");
        for (path, bytes) in files {
            for block in unpacked(&bytes) {
                canary.assert_clean(&path.display().to_string(), &block);
                cell_canary.assert_clean(&path.display().to_string(), &block);
            }
            canary.assert_clean(&path.display().to_string(), &bytes);
            cell_canary.assert_clean(&path.display().to_string(), &bytes);
        }
    }
}

/// Pipelines, manifests and agent tools that hold the plants as values, and a token in place of
/// names: ids, jobs, addresses.
fn pipelines(world: &World, texts: &[&str], token: &str) {
    let indented = |text: &str, by: &str| text.replace('\r', "").replace('\n', &format!("\n{by}"));
    let mut workflow = "on: push\njobs:\n  a:\n    env:\n".to_owned();
    let mut manifest =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: all}\nstringData:\n".to_owned();
    for (number, text) in texts.iter().enumerate() {
        let text = indented(text, "        ");
        workflow.push_str(&format!("      V{number}: |\n        {text}\n"));
        manifest.push_str(&format!("  v{number}: |\n        {text}\n"));
    }
    for (path, text) in [
        (".github/workflows/ci.yml", workflow),
        ("k8s/secret.yaml", manifest),
        (
            ".gitlab-ci.yml",
            format!(
                "include: [{{remote: \"https://ci.example/{token}.yml\"}}]\n{token}:\n  environment: {token}\n  script: [\"x $A_TOKEN\"]\n  secrets: {{A: {{vault: {token}}}}}\n"
            ),
        ),
        (
            "Jenkinsfile",
            format!("stage('{token}') {{ sshagent(['{token}']) }}\n"),
        ),
        (
            ".mcp.json",
            format!(
                "{{\"mcpServers\": {{\"{token}\": {{\"url\": \"https://{token}.example/x\", \"headers\": {{\"Authorization\": \"{token}\"}}}}}}}}\n"
            ),
        ),
        (
            "compose.yml",
            format!(
                "services:\n  {token}:\n    environment: {{A: {token}}}\n    secrets: [{token}]\n"
            ),
        ),
        (
            "main.tf",
            format!("data \"vault_generic_secret\" \"x\" {{\n  path = \"{token}\"\n}}\n"),
        ),
        (
            "azure-pipelines.yml",
            format!("steps:\n  - task: A@1\n    inputs: {{azureSubscription: {token}}}\n"),
        ),
        (
            ".circleci/config.yml",
            format!("workflows: {{w: {{jobs: [{{j: {{name: {token}, context: {token}}}}}]}}}}\n"),
        ),
        (".github/CODEOWNERS", format!("* @{token}\n")),
    ] {
        world.write(&format!("repos/ci/{path}"), text);
    }
}

/// What a page packs: gzip in base64.
fn unpacked(page: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(page);
    let head = "<script type=\"application/gzip\" class=\"block\">";
    let blocks = text.split(head).skip(1).map(|rest| {
        let text = rest.split("</script>").next().expect("a block");
        let bytes = data_encoding::BASE64
            .decode(text.as_bytes())
            .expect("base64");
        let mut plain = Vec::new();
        std::io::copy(&mut flate2::read::GzDecoder::new(&*bytes), &mut plain).expect("gzip");
        plain
    });
    blocks.collect()
}

/// The test itself must be able to fail.
fn canary_is_alive(canary: &Canary, plants: &[(String, Vec<Vec<u8>>)]) {
    for (text, _) in plants {
        assert!(
            canary.automaton.is_match(text.as_bytes()),
            "the canary does not know a secret of its own"
        );
    }
}

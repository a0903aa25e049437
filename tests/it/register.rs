//! Registers, people, owners and decisions as organisations keep them, through a whole run.

use serde_json::Value;

use crate::world::{World, secret};

const NOW: &str = "2026-06-01T02:00:00Z";

/// A company of one account: a register in two halves, people in two directories, code owners.
fn company() -> (World, [String; 3]) {
    let world = World::new();
    let ids = [1, 2, 3].map(|seed| secret("{aws-id}", seed));
    let arn = |name: &str| format!("arn:aws:iam::123456789012:user/{name}");
    let mut users = Vec::new();
    for (name, id) in ["pay", "ship", "mail"].iter().zip(&ids) {
        users.push(format!(
            r#"{{"UserName": "{name}", "Path": "/", "UserId": "{name}", "Arn": "{}", "CreateDate": "2026-01-01T00:00:00Z", "Tags": []}}"#,
            arn(name)
        ));
        world.write(
            &format!("aws/keys-{name}.json"),
            format!(r#"{{"AccessKeyMetadata": [{{"UserName": "{name}", "AccessKeyId": "{id}", "Status": "Active", "CreateDate": "2026-01-01T00:00:00Z"}}]}}"#),
        );
    }
    world.write(
        "aws/authorization-details.json",
        format!(
            r#"{{"UserDetailList": [{}], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}}"#,
            users.join(",")
        ),
    );
    world.write(
        "register.csv",
        format!(
            "\u{feff}Register of keys;;\r\nNr;Bezeichnung;Schl\u{fc}ssel-ID;Fachanwendung;Verantwortlich;Zweck;Genehmigt von;Ablaufdatum\r\n\
             R1;pay;{};shop;jane@acme.example;Zahlungen;Cara;31.12.2026\r\nR2;mailer;;mail;;Versand;Cara;\r\n",
            ids[0]
        ),
    );
    world.write(
        "bought.yaml",
        format!("- id: B1\n  name: pay key\n  key id: {}\n  owner: bob@acme.example\n  purpose: Payments\n", ids[0]),
    );
    world.write(
        "people.csv",
        "id,mail,status,manager\np1,jane@acme.example,active,\np2,bob@acme.example,ended,p1\n",
    );
    world.write(
        "okta.json",
        r#"[{"id": "00u", "status": "ACTIVE", "profile": {"login": "carl@acme.example", "email": "carl@acme.example", "githubUsername": "carlgh"}}]"#,
    );
    world.write("repos/ship/CODEOWNERS", "* @bobgh\n/deploy/ @carlgh\n");
    world.write(
        "repos/ship/deploy/x.env",
        format!("AWS_ACCESS_KEY_ID={}\n", ids[1]),
    );
    world.write(
        "keymuster.toml",
        "estate = \"acme\"\n[state]\ndir = \"state\"\n\
         [[inventory]]\nname = \"core\"\nfile = \"register.csv\"\nprecedence = 1\n\
         [[inventory]]\nname = \"bought\"\nfile = \"bought.yaml\"\nprecedence = 2\nentity = \"Bought Ltd\"\n\
         [[people]]\nfile = \"people.csv\"\n[[people]]\nfile = \"okta.json\"\n\
         [owners]\nfiles = [\"repos/*/CODEOWNERS\"]\n[matches]\nfile = \"matches.toml\"\n[reviews]\nfile = \"reviews.csv\"\n\
         [[connector]]\ntype = \"aws-iam\"\nexports = [\"aws/*.json\"]\n[[connector]]\ntype = \"files\"\npaths = [\"repos/*\"]\n\
         [report]\ndir = \"out\"\nformats = [\"json\"]\n",
    );
    world.write("matches.toml", "");
    (world, ids)
}

fn audit(world: &World) -> Value {
    let ran = world.run(&["audit", "--now", NOW]);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    serde_json::from_str(&world.read("out/findings.json")).expect("JSON")
}

fn credential<'d>(document: &'d Value, id: &str) -> &'d Value {
    let all = document["credentials"].as_array().expect("credentials");
    let found = all.iter().find(|one| one["handle"]["value"] == id);
    found.unwrap_or_else(|| panic!("{id} is missing"))
}

fn findings<'d>(document: &'d Value, check: &str) -> Vec<&'d Value> {
    let all = document["findings"].as_array().expect("findings");
    all.iter().filter(|one| one["check"] == check).collect()
}

#[test]
fn registers_people_owners_and_decisions_meet_in_one_audit() {
    if !cfg!(feature = "aws-iam") {
        return;
    }
    let (world, ids) = company();
    assert_eq!(world.run(&["key", "new"]).code, 0);
    let document = audit(&world);
    let pay = credential(&document, &ids[0]);
    assert_eq!(
        (&pay["record_id"], &pay["owner"]),
        (&"R1".into(), &"jane@acme.example".into())
    );
    let disagree = findings(&document, "INV-04");
    let about = disagree
        .iter()
        .find(|one| one["record_id"] == "R1")
        .expect("two registers disagree");
    assert_eq!(about["severity"], "high");
    let text = about.to_string();
    assert!(
        text.contains("bob@acme.example") && text.contains("bought.yaml:1"),
        "{text}"
    );
    // Nobody recorded `ship`; the code owner of its place is asked, and not one who left.
    let ship = findings(&document, "OWN-01");
    let ship = ship
        .iter()
        .find(|one| one["credential"] == ids[1].as_str())
        .expect("OWN-01");
    assert_eq!(ship["route_to"], "@carlgh", "{ship}");

    // `mail` resembles R2; somebody says that it is it.
    assert!(credential(&document, &ids[2])["record_id"].is_null());
    let decision = format!(
        "[[match]]\ncredential = \"{}\"\nrecord = \"R2\"\nverdict = \"same\"\nby = \"jane\"\nat = 2026-05-01\n",
        ids[2]
    );
    world.write("matches.toml", decision);
    let document = audit(&world);
    let mail = credential(&document, &ids[2]);
    assert_eq!(
        (&mail["record_id"], &mail["matched"]["key"]),
        (&"R2".into(), &"confirmed".into())
    );

    // Reviews: one file per owner out, a decision back, the record knows.
    let ran = world.run(&["review", "export", "--out", "review"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let jane = world.read("review/review-jane-acme.example.csv");
    assert_eq!(jane.lines().count(), 2, "{jane}");
    assert!(world.path("review/review-nobody.csv").exists());
    let again = world.run(&["review", "export", "--out", "review"]);
    assert_eq!(again.code, 2, "what may be filled in is not written over");
    let ran = world.run(&["review", "import", "review/review-jane-acme.example.csv"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let filled = jane.replace(",,,,\r\n", ",keep,jane,2026-05-20,needed\r\n");
    assert_ne!(filled, jane);
    world.write("filled.csv", filled);
    let ran = world.run(&["review", "import", "filled.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        world
            .read("reviews.csv")
            .contains("R1,keep,jane,2026-05-20T00:00:00Z,needed")
    );
    audit(&world);
}

/// A mapping is proposed, questions are asked, rows are shown as they are read.
#[test]
fn a_register_is_explained_before_it_is_used() {
    let (world, _) = company();
    let ran = world.run(&["inventory", "map", "register.csv"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("owner = [\"Verantwortlich\"]"),
        "{}",
        ran.stdout
    );
    world.write("us.csv", "Name,Expires,Colour\na,03/04/2027,red\n");
    let ran = world.run(&["inventory", "map", "us.csv"]);
    assert!(
        ran.stdout.contains("03/04/2027 is 4 March 2027"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("# Colour: no field's name"),
        "{}",
        ran.stdout
    );
    assert_eq!(world.run(&["inventory", "check", "us.csv"]).code, 2);
    let ran = world.run(&["inventory", "map", "--people", "people.csv"]);
    assert!(
        ran.stdout.contains("status = [\"status\"]"),
        "{}",
        ran.stdout
    );
    let ran = world.run(&["inventory", "show", "bought.yaml"]);
    assert_eq!(ran.lines()[0]["owner"], "bob@acme.example");
}

/// What would make another audit than was meant stops the run.
#[test]
fn owners_and_decisions_that_cannot_be_read_stop_the_run() {
    let (world, _) = company();
    assert_eq!(world.run(&["key", "new"]).code, 0);
    world.write("matches.toml", "[[match]]\ncredential = 1\n");
    let ran = world.run(&["audit", "--now", NOW]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("matches.toml:2"), "{}", ran.stderr);
    world.write("matches.toml", "");
    std::fs::remove_file(world.path("repos/ship/CODEOWNERS")).expect("remove");
    let ran = world.run(&["audit", "--now", NOW]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("names no file"), "{}", ran.stderr);
}

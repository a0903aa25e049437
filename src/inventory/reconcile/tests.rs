//! Cases of matching, each a small estate against a small register.

use keymuster_api::{Known, SecretId};

use super::{
    super::{
        Inventory, InventorySpec, Matches, read,
        tests::{Hush, key_id},
    },
    world::World,
};

impl World {
    fn against(&self, csv: &str) -> (Matches, Inventory) {
        let inventory = register(csv);
        (super::reconcile(&self.0, &inventory), inventory)
    }
}

fn register(csv: &str) -> Inventory {
    let spec = InventorySpec {
        name: "register".into(),
        file_label: "register.csv".into(),
        ..InventorySpec::default()
    };
    read(&spec, csv.as_bytes(), &Hush).unwrap()
}

/// `accepted record id, key, confidence` of a credential, or `-`.
fn accepted(matches: &Matches, inventory: &Inventory, credential: usize) -> String {
    matches.accepted[credential]
        .as_ref()
        .map_or("-".into(), |m| {
            let id = &inventory.records[m.record as usize].id;
            format!("{id} {:?} {:.2}", m.key, m.confidence)
        })
}

fn asked(matches: &Matches, inventory: &Inventory, credential: usize) -> Vec<String> {
    let asked = matches.to_confirm[credential].iter();
    asked
        .map(|m| {
            let id = &inventory.records[m.record as usize].id;
            format!("{id} {:?} {:.2}", m.key, m.confidence)
        })
        .collect()
}

const ACME: &str = "123456789012";

#[test]
fn an_access_key_id_matches_whatever_its_spelling() {
    let (one, two) = (key_id("ONE"), key_id("TWO"));
    let mut world = World::default();
    let user = world.user(ACME, "ci");
    world.key(&one, Some(user));
    world.key(&two, Some(user));
    let (matches, inventory) = world.against(&format!(
        "ID,Name,Key ID\nR1,a,{}\nR2,b,\n",
        one.to_lowercase()
    ));
    assert_eq!(accepted(&matches, &inventory, 0), "R1 NativeId 1.00");
    assert_eq!(accepted(&matches, &inventory, 1), "-");
    assert_eq!(matches.of_record, [vec![0], vec![]]);
}

#[test]
fn dashes_and_case_of_guids_do_not_count() {
    let mut world = World::default();
    let handle = (
        world.0.texts.intern("entra-key-id"),
        world.0.texts.intern("0F8FAD5B-D9CB-469F-A165-70867728950E"),
    );
    world.credential("x").handle = Some(handle);
    let (matches, inventory) =
        world.against("ID,Name,Key ID\nR1,a,{0f8fad5b-d9cb-469f-a165-70867728950e}\n");
    assert_eq!(accepted(&matches, &inventory, 0), "R1 NativeId 1.00");
}

#[test]
fn short_ids_need_their_scheme() {
    let mut world = World::default();
    let handle = (
        world.0.texts.intern("github-app-installation-id"),
        world.0.texts.intern("4711"),
    );
    world.credential("x").handle = Some(handle);
    let (matches, inventory) =
        world.against("ID,Name,Token ID,Installation ID\nR1,a,4711,\nR2,b,,4711\n");
    assert_eq!(accepted(&matches, &inventory, 0), "R2 NativeId 1.00");
}

#[test]
fn a_secret_in_the_register_is_matched_by_its_keyed_name() {
    let mut world = World::default();
    world.secret(10, &[("api", "a.env")], &[]);
    let (matches, inventory) = world.against("ID,Name,Remarks\nR1,unlike,HUSH-12345\n");
    assert_eq!(accepted(&matches, &inventory, 0), "R1 Fingerprint 1.00");
}

#[test]
fn a_record_of_a_principal_covers_its_keys() {
    let (one, two, three) = (key_id("ONE"), key_id("TWO"), key_id("THREE"));
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    let other = world.user(ACME, "other");
    world.key(&one, Some(ci));
    world.key(&two, Some(ci));
    world.key(&three, Some(other));
    let arn = format!("arn:aws:iam::{ACME}:user/ci");
    for csv in [
        format!("ID,Name,ARN\nR1,ci keys,{arn}\n"),
        format!(
            "ID,Name,ARN\nR1,ci keys,{}\n",
            arn.replace("arn:aws:", "arn:aws-cn:")
        ),
        format!("ID,Name,User name,AWS account\nR1,ci keys,CI,{ACME}\n"),
        format!("ID,Name,AWS account\nR1,ci,{ACME}\n"),
    ] {
        let (matches, inventory) = world.against(&csv);
        assert_eq!(
            accepted(&matches, &inventory, 0),
            "R1 Principal 0.95",
            "{csv}"
        );
        assert_eq!(
            accepted(&matches, &inventory, 1),
            "R1 Principal 0.95",
            "{csv}"
        );
        assert_eq!(accepted(&matches, &inventory, 2), "-", "{csv}");
        assert_eq!(matches.of_record, [vec![0, 1]]);
    }
    let (matches, inventory) = world.against("ID,Name,User name\nR1,keys,ci\n");
    assert_eq!(asked(&matches, &inventory, 0), ["R1 Principal 0.70"]);
}

#[test]
fn one_record_may_stand_for_all_users_of_an_application() {
    let mut world = World::default();
    for name in ["payments-api", "payments-web", "shop"] {
        let user = world.user(ACME, name);
        world.key(&key_id(&name.to_uppercase().replace('-', "")), Some(user));
    }
    let csv = format!("ID,Name,ARN\nR1,all keys of payments,arn:aws:iam::{ACME}:user/payments-*\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(matches.of_record, [vec![0, 1]]);
    assert_eq!(accepted(&matches, &inventory, 1), "R1 Principal 0.95");
    let (matches, _) = world.against(&format!("ID,Name,ARN\nR1,all,arn:aws:iam::{ACME}:*\n"));
    assert_eq!(matches.of_record, [Vec::<u32>::new()]);
}

#[test]
fn the_keys_own_record_and_its_principals_are_no_duplicates() {
    let (one, two) = (key_id("ONE"), key_id("TWO"));
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&one, Some(ci));
    world.key(&two, Some(ci));
    let arn = format!("arn:aws:iam::{ACME}:user/ci");
    let csv = format!("ID,Name,Key ID,ARN\nR1,a,{one},{arn}\nR2,b,,{arn}\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(accepted(&matches, &inventory, 0), "R1 NativeId 1.00");
    assert_eq!(accepted(&matches, &inventory, 1), "R2 Principal 0.95");
    assert!(matches.also.iter().all(Vec::is_empty));
    assert_eq!(matches.of_record, [vec![0], vec![0, 1]]);
}

#[test]
fn a_changed_key_under_a_stale_record_is_asked_about() {
    let (old, new) = (key_id("OLD"), key_id("NEW"));
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&new, Some(ci));
    let arn = format!("arn:aws:iam::{ACME}:user/ci");
    let (matches, inventory) = world.against(&format!("ID,Name,Key ID,ARN\nR1,ci,{old},{arn}\n"));
    assert_eq!(accepted(&matches, &inventory, 0), "-");
    assert_eq!(asked(&matches, &inventory, 0), ["R1 Principal 0.75"]);
    assert!(
        matches.to_confirm[0][0]
            .because
            .contains("names another key")
    );
    // As long as the old key is there, the record is its own.
    world.key(&old, Some(ci));
    let (matches, inventory) = world.against(&format!("ID,Name,Key ID,ARN\nR1,ci,{old},{arn}\n"));
    assert_eq!(accepted(&matches, &inventory, 1), "R1 NativeId 1.00");
    assert_eq!(asked(&matches, &inventory, 0), [""; 0]);
}

#[test]
fn two_records_of_one_credential_are_told_in_order() {
    let one = key_id("ONE");
    let mut world = World::default();
    world.key(&one, None);
    let csv = format!("ID,Name,Key ID\nR2,a,{one}\nR1,b,{one}\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(accepted(&matches, &inventory, 0), "R1 NativeId 1.00");
    let also: Vec<&str> = matches.also[0]
        .iter()
        .map(|m| inventory.records[m.record as usize].id.as_str())
        .collect();
    assert_eq!(also, ["R2"]);
    assert_eq!(matches.of_record, [vec![0], vec![0]]);
}

#[test]
fn earlier_inventories_win_ties() {
    let one = key_id("ONE");
    let mut world = World::default();
    world.key(&one, None);
    let part = |name: &str, id: &str| {
        let mut part = register(&format!("ID,Name,Key ID\n{id},a,{one}\n"));
        part.records[0].source.inventory = name.to_owned();
        part
    };
    let inventory = Inventory::merge(vec![(2, part("b", "R1")), (1, part("a", "R2"))]);
    let matches = super::reconcile(&world.0, &inventory);
    assert_eq!(accepted(&matches, &inventory, 0), "R2 NativeId 1.00");
}

#[test]
fn a_tombstone_yields_to_a_record_in_force_and_stands_alone_otherwise() {
    let one = key_id("ONE");
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&one, Some(ci));
    let csv = format!("ID,Name,Key ID,Status\nR1,a,{one},revoked\nR2,b,{one},active\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(accepted(&matches, &inventory, 0), "R2 NativeId 1.00");
    assert_eq!(matches.also[0].len(), 1);
    assert_eq!(matches.of_record, [vec![], vec![0]]);
    let (matches, inventory) =
        world.against(&format!("ID,Name,Key ID,Status\nR1,a,{one},revoked\n"));
    assert_eq!(accepted(&matches, &inventory, 0), "R1 NativeId 1.00");
    assert_eq!(matches.of_record, [vec![0]]);
    // The key's own tombstone says more than the principal's record.
    let csv = format!(
        "ID,Name,Key ID,ARN,Status\nR1,a,{one},,revoked\n\
         R2,b,,arn:aws:iam::{ACME}:user/ci,active\n"
    );
    let (matches, inventory) = world.against(&csv);
    assert_eq!(accepted(&matches, &inventory, 0), "R1 NativeId 1.00");
}

#[test]
fn a_name_that_was_deleted_and_made_again_is_asked_about() {
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&key_id("NEW"), Some(ci));
    world.0.credentials[0].created = Known::Known("2026-05-01T00:00:00Z".parse().unwrap());
    let arn = format!("arn:aws:iam::{ACME}:user/ci");
    let csv =
        |revoked: &str| format!("ID,Name,ARN,Status,Revoked at\nR1,ci,{arn},retired,{revoked}\n");
    let (matches, inventory) = world.against(&csv("2025-01-01"));
    assert_eq!(accepted(&matches, &inventory, 0), "-");
    assert_eq!(asked(&matches, &inventory, 0), ["R1 Principal 0.70"]);
    let (matches, inventory) = world.against(&csv("2026-06-01"));
    assert_eq!(accepted(&matches, &inventory, 0), "R1 Principal 0.95");
}

#[test]
fn masked_ids_match_as_far_as_they_tell() {
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&key_id("ABCD"), Some(ci));
    world.key(&key_id("WXYZ"), None);
    let mask = |csv: &str| csv.replace("MASK", concat!("AK", "IA************ABCD"));
    let cases = [
        (
            "ID,Name,Key ID\nR1,a,MASK\n".to_owned(),
            "R1 Hint 0.80",
            None,
        ),
        (
            format!("ID,Name,Key ID,AWS account\nR1,a,MASK,{ACME}\n"),
            "R1 Hint 0.90",
            None,
        ),
        (
            "ID,Name,Key ID\nR1,a,…ABCD\n".to_owned(),
            "-",
            Some("R1 Hint 0.70"),
        ),
        (
            "ID,Name,Key ID\nR1,ci,…ABCD\n".to_owned(),
            "R1 Hint 0.85",
            None,
        ),
        ("ID,Name,Key ID\nR1,a,…QQQQ\n".to_owned(), "-", None),
    ];
    for (csv, expected, question) in cases {
        let (matches, inventory) = world.against(&mask(&csv));
        assert_eq!(accepted(&matches, &inventory, 0), expected, "{csv}");
        assert_eq!(
            asked(&matches, &inventory, 0).first().map(String::as_str),
            question,
            "{csv}"
        );
        assert_eq!(accepted(&matches, &inventory, 1), "-", "{csv}");
    }
    // The same ends twice: nobody knows.
    world.key(&key_id("YABCD"), None);
    let (matches, inventory) = world.against(&mask("ID,Name,Key ID\nR1,a,MASK\n"));
    assert_eq!(asked(&matches, &inventory, 0), ["R1 Hint 0.60"]);
    assert_eq!(asked(&matches, &inventory, 2), ["R1 Hint 0.60"]);
}

#[test]
fn places_match_where_they_hold_one_credential() {
    let mut world = World::default();
    world.secret(1, &[("acme/api", "config/.env")], &[]);
    world.secret(2, &[("acme/web", "a.yml"), ("acme/web", "old/a.yml")], &[]);
    world.secret(3, &[("acme/web", "a.yml")], &[]);
    let cases = [
        ("api:config/.env", 0, "R1 Locator 0.85"),
        ("acme/api:config/.env", 0, "R1 Locator 0.85"),
        ("ACME/api/config/.env", 0, "R1 Locator 0.85"),
        ("config/.env", 0, "R1 Locator 0.85"),
        ("web:old/a.yml", 1, "R1 Locator 0.85"),
    ];
    for (place, credential, expected) in cases {
        let (matches, inventory) = world.against(&format!("ID,Name,Location\nR1,x,{place}\n"));
        assert_eq!(
            accepted(&matches, &inventory, credential),
            expected,
            "{place}"
        );
    }
    let (matches, inventory) = world.against("ID,Name,Location\nR1,x,web:a.yml\n");
    assert_eq!(asked(&matches, &inventory, 1), ["R1 Locator 0.65"]);
    assert_eq!(asked(&matches, &inventory, 2), ["R1 Locator 0.65"]);
}

#[test]
fn the_same_variable_in_many_projects_is_told_apart() {
    let mut world = World::default();
    for project in 0..40_u8 {
        world.secret(project, &[], &[]);
        world.slot(
            &format!("github:acme/p{project}:actions:DEPLOY_TOKEN"),
            project,
        );
    }
    let csv = "ID,Name,CI variable\nR1,x,github:acme/p7:actions:deploy_token\nR2,y,DEPLOY_TOKEN\n";
    let (matches, inventory) = world.against(csv);
    assert_eq!(accepted(&matches, &inventory, 7), "R1 Locator 0.85");
    assert_eq!(matches.accepted.iter().flatten().count(), 1);
    assert!(matches.of_record[1].is_empty());
}

#[test]
fn a_credential_that_moved_is_still_the_same_secret() {
    let mut world = World::default();
    world.secret(1, &[], &[]);
    world.slot("vault:secret/data/new/payments", 1);
    let secret = SecretId([1; 16]);
    let csv = format!("ID,Name,Vault path,Secret fingerprint\nR1,x,secret/old/payments,{secret}\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(accepted(&matches, &inventory, 0), "R1 Fingerprint 1.00");
    let (matches, inventory) = world.against("ID,Name,Vault path\nR1,x,secret/new/payments\n");
    assert_eq!(accepted(&matches, &inventory, 0), "R1 Locator 0.85");
}

#[test]
fn what_a_credential_says_of_itself_is_a_hint() {
    let mail = "ci@acme.iam.gserviceaccount.com";
    let mut world = World::default();
    world.secret(1, &[("api", "sa.json")], &[("client_email", mail)]);
    world.secret(2, &[("api", "b.env")], &[("account", ACME)]);
    let csv = format!("ID,Name,AWS account,Client email\nR1,x,,{mail}\nR2,y,1234-5678-9012,\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(accepted(&matches, &inventory, 0), "R1 Hint 0.90");
    assert_eq!(asked(&matches, &inventory, 1), ["R2 Hint 0.70"]);
}

#[test]
fn equal_names_within_a_system_are_asked_about() {
    let mut world = World::default();
    let user = world.user(ACME, "deploy-bot");
    world.tag(user, "Application", "PaymentsAPI");
    world.tag(user, "env", "production");
    world.key(&key_id("ONE"), Some(user));
    let cases: [(&str, &[&str]); 5] = [
        ("R1,Deploy Bot,payments-api,prod", &["R1 Name 0.70"]),
        ("R1,Deploy_Bot,Payments API,", &["R1 Name 0.65"]),
        ("R1,Deploy Bot,payments-api,dev", &["R1 Fuzzy 0.65"]),
        ("R1,Deploy Bot,shop,prod", &[]),
        ("R1,Unlike,payments-api,prod", &[]),
    ];
    for (row, expected) in cases {
        let (matches, inventory) = world.against(&format!("ID,Name,System,Environment\n{row}\n"));
        assert_eq!(accepted(&matches, &inventory, 0), "-", "{row}");
        assert_eq!(asked(&matches, &inventory, 0), expected, "{row}");
    }
}

#[test]
fn the_three_nearest_records_are_named() {
    let mut world = World::default();
    let user = world.user(ACME, "payments-export-bot");
    world.key(&key_id("ONE"), Some(user));
    let csv = "ID,Name,Purpose\nR1,payments export,x\nR2,payments,x\nR3,unrelated,export to bank\n\
               R4,something,bot that posts\nR5,else,nothing\n";
    let (matches, inventory) = world.against(csv);
    let near: Vec<&str> = matches.nearest[0]
        .iter()
        .map(|near| inventory.records[near.record as usize].id.as_str())
        .collect();
    assert_eq!(near.len(), 3);
    assert_eq!(near[0], "R1");
    assert!(!near.contains(&"R5"));
    assert!(matches.nearest[0].iter().all(|near| near.score < 0.60));
    assert!(matches.nearest[0][0].because.contains("payments"));
}

#[test]
fn records_of_another_kind_are_asked_about() {
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&key_id("ONE"), Some(ci));
    let csv = format!("ID,Name,ARN,Type\nR1,ci,arn:aws:iam::{ACME}:user/ci,certificate\n");
    let (matches, inventory) = world.against(&csv);
    assert_eq!(asked(&matches, &inventory, 0), ["R1 Principal 0.75"]);
}

#[test]
fn the_order_of_the_register_does_not_show() {
    let mut world = World::default();
    let ci = world.user(ACME, "ci");
    world.key(&key_id("ONE"), Some(ci));
    world.key(&key_id("TWO"), Some(ci));
    let arn = format!("arn:aws:iam::{ACME}:user/ci");
    let rows = [
        format!("R1,a,{},", key_id("ONE")),
        format!("R2,b,,{arn}"),
        format!("R3,c,,{arn}"),
        format!("R4,ci,{},{arn}", key_id("GONE")),
    ];
    let outcome = |rows: &[String]| {
        let (matches, inventory) =
            world.against(&format!("ID,Name,Key ID,ARN\n{}\n", rows.join("\n")));
        (0..2)
            .map(|at| accepted(&matches, &inventory, at))
            .collect::<Vec<_>>()
    };
    let mut reversed = rows.clone();
    reversed.reverse();
    assert_eq!(outcome(&rows), outcome(&reversed));
    assert_eq!(outcome(&rows), ["R1 NativeId 1.00", "R2 Principal 0.95"]);
}

#[test]
fn empty_sides_match_nothing() {
    let (matches, _) = World::default().against("ID,Name\nR1,a\n");
    assert_eq!(matches.of_record, [Vec::<u32>::new()]);
    let mut world = World::default();
    world.key(&key_id("ONE"), None);
    let matches = super::reconcile(&world.0, &Inventory::default());
    assert_eq!(matches.accepted, [None]);
    assert!(matches.nearest[0].is_empty());
}

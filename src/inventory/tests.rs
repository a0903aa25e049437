//! Whole registers in, records out.

use keymuster_api::{Redaction, Redactor, SecretId};

use super::{
    Inventory, InventoryMap, InventorySpec, RecordStatus, Tier, propose, read, read_register_table,
};

/// Takes words that begin with `HUSH-` for secrets, and `pw-…` where it stands after `password`.
pub(super) struct Hush;

impl Redactor for Hush {
    fn redact(&self, text: &str) -> Vec<Redaction> {
        let marker = if text.starts_with("Password =") {
            "pw-"
        } else {
            "HUSH-"
        };
        let found = text.match_indices(marker);
        found
            .map(|(start, _)| {
                let end = text[start..]
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                    .map_or(text.len(), |len| start + len);
                Redaction {
                    span: start..end,
                    rule: "test.hush".into(),
                    kind: "test".into(),
                    secret: self.seal(&text.as_bytes()[start..end]),
                    handle: None,
                }
            })
            .collect()
    }

    fn seal(&self, secret: &[u8]) -> SecretId {
        SecretId([secret.len() as u8; 16])
    }
}

fn spec(config: &str) -> InventorySpec {
    InventorySpec {
        name: "register".into(),
        file_label: "register.csv".into(),
        map: toml::from_str::<InventoryMap>(config).unwrap(),
        ..InventorySpec::default()
    }
}

fn try_read(text: &str, config: &str) -> Result<Inventory, String> {
    read(&spec(config), text.as_bytes(), &Hush).map_err(|error| error.to_string())
}

fn inventory(text: &str) -> Inventory {
    try_read(text, "").unwrap()
}

/// A made-up access key id.
pub(super) fn key_id(tail: &str) -> String {
    format!("{}{:X>16}", concat!("AK", "IA"), tail)
}

fn identifiers(inventory: &Inventory, index: usize) -> Vec<String> {
    let all = inventory.records[index].identifiers.iter();
    all.map(|i| format!("{} {}", i.scheme, i.value)).collect()
}

#[test]
fn a_row_becomes_a_record() {
    let id = key_id("ONE");
    let text = format!(
        "\u{feff}ID;Name;Access Key ID;System;Provider;AWS Account;Environment;Owner;Approved by;\
         Approval date;Purpose;Permissions;Tier;Status;Created;Expires;Rotation;Vendor;Remarks\r\n\
         R-1;deploy;{id};Shop;Amazon Web Services;123456789012;Produktion;jane@acme.io;Bob;\
         2025-01-02;ships the shop;s3:Get*, s3:Put*;Tier 1;aktiv;2025-01-03;31.12.2027;90 days;n/a;\
         moved in May\r\n"
    );
    let read = inventory(&text);
    assert_eq!(read.notes, [] as [String; 0]);
    let record = &read.records[0];
    assert_eq!(record.id, "R-1");
    assert_eq!(record.source.to_string(), "register.csv:2");
    assert_eq!(identifiers(&read, 0), [format!("access_key_id {id}")]);
    assert_eq!(record.name.as_deref(), Some("deploy"));
    assert_eq!(record.provider.as_deref(), Some("aws"));
    assert_eq!(record.account.as_deref(), Some("123456789012"));
    assert_eq!(record.environment.as_deref(), Some("prod"));
    assert_eq!(record.owner.as_deref(), Some("jane@acme.io"));
    assert_eq!(record.approver.as_deref(), Some("Bob"));
    assert_eq!(record.scope, ["s3:Get*", "s3:Put*"]);
    assert_eq!(record.tier, Some(Tier::T1));
    assert_eq!(record.status, Some(RecordStatus::Active));
    assert_eq!(
        record.issued_at.unwrap().to_string(),
        "2025-01-03T00:00:00Z"
    );
    assert_eq!(
        record.expires_at.unwrap().to_string(),
        "2027-12-31T23:59:59Z"
    );
    assert_eq!(record.rotation_days, Some(90));
    assert_eq!(record.vendor, None);
    assert_eq!(record.extra["Remarks"], "moved in May");
}

#[test]
fn placeholders_are_nothing() {
    let read = inventory("Name,Owner,Purpose,Status\na,TBD,?,unknown\n");
    let record = &read.records[0];
    assert_eq!(
        (&record.owner, &record.purpose, record.status),
        (&None, &None, None)
    );
    let read = try_read("Name,Owner\na,leer\n", "null = [\"leer\"]").unwrap();
    assert_eq!(read.records[0].owner, None);
}

#[test]
fn words_that_are_not_known_are_kept_and_told() {
    let read = inventory(
        "Name,Status,Environment\na,active,prod\nb,active,prod\nc,active,prod\nd,active,prod\ne,purple,prod\n",
    );
    assert_eq!(read.records[4].status, None);
    assert_eq!(read.records[4].extra["Status"], "purple");
    assert!(
        read.notes[0].contains("`purple` is not known as `status`"),
        "{:?}",
        read.notes
    );
    assert!(read.notes[0].ends_with("(row 6)"), "{:?}", read.notes);
    let config = "status = \"Status\"\nvalues.status = { Purple = \"revoked\" }";
    let read = try_read("Name,Status\ne,purple\n", config).unwrap();
    assert_eq!(read.records[0].status, Some(RecordStatus::Revoked));
}

#[test]
fn severity_words_are_tiers_in_columns_of_tiers_only() {
    let read = inventory("Name,Criticality,Comment\na,high,high\n");
    assert_eq!(read.records[0].tier, Some(Tier::T1));
    let read = inventory("Name,Comment\na,high\n");
    assert_eq!(read.records[0].tier, None);
}

#[test]
fn identifiers_are_found_by_shape_in_any_column() {
    let (one, two) = (key_id("ONE"), key_id("TWO"));
    let text = format!(
        "Name,Key IDs,What,Note\n\
         a,{one} {two},x,\n\
         b,,arn:aws:iam::123456789012:user/ci,\n\
         c,,,was {one} before\n\
         d,AKIA************ABCD,,was {one} before\n\
         ci@acme.iam.gserviceaccount.com,,,\n"
    );
    let read = inventory(&text);
    assert_eq!(
        identifiers(&read, 0),
        [
            format!("access_key_id {one}"),
            format!("access_key_id {two}")
        ]
    );
    assert_eq!(
        identifiers(&read, 1),
        ["arn arn:aws:iam::123456789012:user/ci"]
    );
    assert_eq!(identifiers(&read, 2), [format!("access_key_id {one}")]);
    assert_eq!(identifiers(&read, 3), ["masked AKIA************ABCD"]);
    assert_eq!(
        identifiers(&read, 4),
        ["client_email ci@acme.iam.gserviceaccount.com"]
    );
}

#[test]
fn a_secret_in_a_cell_is_sealed_and_never_kept() {
    let text = "Name,Owner,Remarks,Password\na,Jane,the key is HUSH-abc\u{20}now,\nb,HUSH-12345,x,pw-12345\n";
    let read = inventory(text);
    assert!(!format!("{read:?}").contains("HUSH"), "{read:?}");
    assert!(!format!("{read:?}").contains("pw-1"), "{read:?}");
    let leaked: Vec<String> = read
        .leaked
        .iter()
        .map(|leak| format!("{} {}", leak.source, leak.column))
        .collect();
    assert_eq!(
        leaked,
        [
            "register.csv:2 Remarks",
            "register.csv:3 Owner",
            "register.csv:3 Password"
        ]
    );
    let expected = format!("fingerprint_hmac {}", read.leaked[0].secret);
    assert_eq!(identifiers(&read, 0), [expected]);
    assert_eq!(read.records[1].owner, None);
    assert!(
        read.notes
            .iter()
            .any(|note| note.contains("column `Password` is for secrets"))
    );
}

#[test]
fn columns_of_passwords_are_not_kept_even_where_nothing_is_recognised() {
    let read = inventory("Name,Passwort\na,geheim\n");
    assert!(read.records[0].extra.is_empty());
    assert!(!format!("{read:?}").contains("geheim"));
}

#[test]
fn a_header_that_is_a_secret_is_sealed_too() {
    let read = inventory("Name,HUSH-12345\na,b\n");
    assert_eq!(read.leaked[0].source.row, 1);
    assert_eq!(read.records[0].extra["column 2"], "b");
    let table = read_register_table(&spec(""), b"Name,HUSH-12345\na,HUSH-9\n", &Hush).unwrap();
    assert!(!propose(&table).iter().any(|p| p.column.contains("HUSH")));
    assert_eq!(table.rows[0].cells, ["a", ""]);
}

#[test]
fn public_identifiers_are_no_secrets_whatever_the_redactor_says() {
    struct All;
    impl Redactor for All {
        fn redact(&self, text: &str) -> Vec<Redaction> {
            let mut found = Hush.redact("HUSH-x");
            found[0].span = 0..text.len();
            found
        }
        fn seal(&self, secret: &[u8]) -> SecretId {
            Hush.seal(secret)
        }
    }
    let id = key_id("ONE");
    let text = format!("Name,Access Key ID\nab,{id}\n");
    let read = read(&spec(""), text.as_bytes(), &All).unwrap();
    // The long header is taken by this redactor; the id is not.
    assert_eq!(identifiers(&read, 0), [format!("access_key_id {id}")]);
}

#[test]
fn ids_are_derived_from_what_a_record_is() {
    let (one, two) = (key_id("ONE"), key_id("TWO"));
    let first = inventory(&format!("Name,Key ID,Owner\na,{one},x\nb,{two},y\n"));
    let moved = inventory(&format!("Owner,Name,Key ID\nz,b2,{two}\nx,a,{one}\n"));
    assert_eq!(first.records[0].id, moved.records[1].id);
    assert_eq!(first.records[1].id, moved.records[0].id);
    assert_eq!(first.records[0].id.len(), 12);
    let named = inventory("Name,System\nA b,S\na-B,s\n");
    assert_eq!(format!("{}-2", named.records[0].id), named.records[1].id);
    assert!(
        named
            .notes
            .iter()
            .any(|note| note.contains("rows 2 and 3 have the same id"))
    );
}

#[test]
fn dates_that_can_be_read_in_two_ways_stop_the_run() {
    let text = "Name,Expires\na,03/04/2027\nb,05/06/2027\n";
    assert_eq!(
        try_read(text, "").unwrap_err(),
        "register.csv:2: column `Expires`: no value tells day from month (row 2: `03/04/2027`, \
         row 3: `05/06/2027`); write `date-order = { expires_at = \"dmy\" }` (or \"mdy\") into \
         [inventory.map]"
    );
    let read = try_read(text, "date-order = { expires_at = \"mdy\" }").unwrap();
    assert_eq!(
        read.records[0].expires_at.unwrap().to_string(),
        "2027-03-04T23:59:59Z"
    );
    let mixed = try_read("Name,Expires\na,31/12/2027\nb,12/31/2027\n", "").unwrap_err();
    assert!(mixed.contains("change places"), "{mixed}");
    let short = try_read("Name,Expires\na,31/12/27\n", "").unwrap_err();
    assert!(short.contains("two digits"), "{short}");
    try_read("Name,Expires\na,31/12/27\n", "expires_at = []").unwrap();
    // A column that feeds no date may hold what it likes.
    try_read("Name,Seen\na,03/04/2027\n", "").unwrap();
}

#[test]
fn never_and_nonsense_are_no_dates() {
    let text =
        "Name,Expires\na,never\nb,2027-01-01\nc,2027-01-02\nd,2027-01-03\ne,soon\nf,31.12.9999\n";
    let read = inventory(text);
    let ends: Vec<bool> = read
        .records
        .iter()
        .map(|r| r.expires_at.is_some())
        .collect();
    assert_eq!(ends, [false, true, true, true, false, false]);
    assert_eq!(read.records[0].extra["Expires"], "never");
    assert!(
        read.notes[0].contains("holds no date and is read as nothing (row 6)"),
        "{:?}",
        read.notes
    );
}

#[test]
fn a_register_without_names_and_identifiers_is_refused() {
    assert_eq!(
        try_read("Colour,Size\nred,7\n", "").unwrap_err(),
        "register.csv:1: no column can be read as an identifier or a name; found `Colour`, \
         `Size`; see `keymuster inventory map register.csv`, and name the columns in \
         [inventory.map]"
    );
    assert!(try_read("", "").unwrap_err().contains("is empty"));
    // Shapes are enough.
    let id = key_id("ONE");
    assert_eq!(
        inventory(&format!("Colour,Size\nred,{id}\n")).records.len(),
        1
    );
    // So is an empty register with a header.
    assert!(inventory("Name,Owner\n").records.is_empty());
}

#[test]
fn rows_that_name_nothing_are_skipped_and_told() {
    let read = inventory("Name,Owner\na,x\n,total: 1\n");
    assert_eq!(read.records.len(), 1);
    assert!(read.notes[0].ends_with("neither identifier nor name; skipped (row 3)"));
}

#[test]
fn formulas_stay_text() {
    let read = inventory("Name,Owner\n=cmd|' /C calc'!A0,\"=HYPERLINK(\"\"x\"\")\"\n");
    assert_eq!(read.records[0].name.as_deref(), Some("=cmd|' /C calc'!A0"));
    assert_eq!(read.records[0].owner.as_deref(), Some("=HYPERLINK(\"x\")"));
}

#[test]
fn the_first_of_two_columns_that_says_something_wins() {
    let read = inventory("Name,Owner,Owner\na,,Jane\nb,Bob,Jane\n");
    let owners: Vec<_> = read.records.iter().map(|r| r.owner.as_deref()).collect();
    assert_eq!(owners, [Some("Jane"), Some("Bob")]);
}

#[test]
fn every_format_gives_the_same_records() {
    let csv = inventory("Name,Owner,Expires\na,Jane,2027-01-02\n");
    let objects = "{\"Name\":\"a\",\"Owner\":\"Jane\",\"Expires\":\"2027-01-02\"}\n";
    for (format, text) in [
        ("jsonl", objects.to_owned()),
        ("json", format!("[{objects}]")),
    ] {
        let spec = InventorySpec {
            format: Some(format.into()),
            ..spec("")
        };
        let mut read = read(&spec, text.as_bytes(), &Hush).unwrap();
        read.records[0].source.row = 2;
        assert_eq!(read.records, csv.records, "{format}");
    }
}

#[test]
fn what_people_decided_stands_above_every_key() {
    use super::{Confirmations, reconcile, reconcile::World, reconcile_confirmed};
    let mut world = World::default();
    let (one, two) = (key_id("ONE"), key_id("TWO"));
    world.key(&one, None);
    world.key(&two, None);
    let inventory = inventory(&format!("ID,Name,Key ID\nR1,a,{one}\nR2,b,\n"));
    let decided = |verdict: &str, credential: &str, record: &str| {
        let text = format!(
            "[[match]]\ncredential = \"{credential}\"\nrecord = \"{record}\"\nverdict = \"{verdict}\"\nby = \"jane\"\nat = 2026-01-02\n"
        );
        let read = Confirmations::from_toml(&text, "matches.toml").unwrap();
        reconcile_confirmed(&world.0, &inventory, &read)
    };
    assert!(reconcile(&world.0, &inventory).accepted[1].is_none());
    let (matches, notes) = decided("same", &two, "R2");
    let accepted = matches.accepted[1].as_ref().unwrap();
    assert_eq!(
        accepted.because,
        "confirmed by jane on 2026-01-02 (matches.toml:1)"
    );
    assert!(notes.is_empty());
    let (matches, _) = decided("different", &format!("aws-access-key-id:{one}"), "R1");
    assert!(matches.accepted[0].is_none() && matches.nearest[0].is_empty());
    let (_, notes) = decided("same", &one, "R9");
    assert!(
        notes[0].starts_with("matches.toml:1: no record `R9` any more"),
        "{notes:?}"
    );
}

#[test]
fn registers_merge_in_order_of_precedence() {
    let part = |name: &str, text: &str| {
        let spec = InventorySpec {
            name: name.into(),
            ..spec("")
        };
        read(&spec, text.as_bytes(), &Hush).unwrap()
    };
    let merged = Inventory::merge(vec![
        (2, part("old", "ID,Name\nR1,a\nR2,b\n")),
        (1, part("new", "ID,Name\nR1,c\n")),
    ]);
    let ids: Vec<&str> = merged.records.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["R1", "R1@old", "R2"]);
    assert_eq!(merged.records[0].source.inventory, "new");
}

#[test]
fn hostile_bytes_end_in_an_error_or_a_table() {
    let cases: [&[u8]; 8] = [
        b"\"",
        b",,,,\n,,,",
        b"\xff\xfe",
        b"\xff\xfe\x00",
        b"sep=;\n",
        b"\n\n\n",
        b"{",
        b"[[",
    ];
    for bytes in cases {
        let _ = read(&spec(""), bytes, &Hush);
        let spec = InventorySpec {
            file_label: "r".into(),
            ..spec("")
        };
        let _ = read(&spec, bytes, &Hush);
    }
    let wide = format!("{}\n", "a,".repeat(5000));
    assert!(try_read(&wide, "").unwrap_err().contains("columns"));
}

/// One register in every format that has a reader for records.
#[test]
fn exports_of_a_shape_of_their_own_become_records() {
    let read_as = |file: &str, text: &str| {
        let spec = InventorySpec {
            file_label: file.into(),
            ..InventorySpec::default()
        };
        read(&spec, text.as_bytes(), &Hush).unwrap()
    };
    let id = key_id("ONE");
    let state = format!(
        r#"{{"version": 4, "terraform_version": "1.9.0", "resources": [
            {{"mode": "managed", "type": "aws_iam_access_key", "name": "ci", "module": "module.x", "instances": [
                {{"index_key": 0, "attributes": {{"id": "{id}", "user": "ci", "secret": "HUSH-never-read", "status": "Active"}}}}]}},
            {{"mode": "managed", "type": "aws_iam_user", "name": "ci", "instances": [
                {{"attributes": {{"arn": "arn:aws:iam::123456789012:user/ci", "name": "ci", "tags_all": {{"Owner": "jane", "Environment": "prod"}}}}}}]}},
            {{"mode": "managed", "type": "aws_s3_bucket", "name": "x", "instances": []}}]}}"#
    );
    let read_state = read_as("terraform.tfstate", &state);
    assert_eq!(
        read_state.records[0].id,
        "module.x.aws_iam_access_key.ci[0]"
    );
    assert_eq!(
        identifiers(&read_state, 0),
        [format!("access_key_id {id}"), "principal ci".to_owned()]
    );
    assert!(
        read_state.leaked.is_empty(),
        "a state's secrets are not read"
    );
    let user = &read_state.records[1];
    assert_eq!(user.owner.as_deref(), Some("jane"));
    assert_eq!(user.environment.as_deref(), Some("prod"));
    assert_eq!(user.account.as_deref(), Some("123456789012"));

    let vault = r#"{"path": "kv/pay/db", "data": {"created_time": "2026-01-02T00:00:00Z", "current_version": 2,
        "custom_metadata": {"owner": "jane"}, "versions": {"1": {"created_time": "2026-01-02T00:00:00Z"},
        "2": {"created_time": "2026-03-04T05:06:07Z", "deletion_time": "", "destroyed": false}}}}"#;
    let read_vault = read_as("vault.jsonl", vault);
    let record = &read_vault.records[0];
    assert_eq!(identifiers(&read_vault, 0), ["vault_path kv/pay/db"]);
    assert_eq!(record.owner.as_deref(), Some("jane"));
    assert_eq!(
        record.last_rotated_at.unwrap().to_string(),
        "2026-03-04T05:06:07Z"
    );

    let backstage = "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: ci-key\n  description: ships\n  annotations: {acme.io/access-key-id: KEY}\nspec: {type: access-key, owner: group:payments, system: shop}\n---\n\
        apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: shop}\nspec: {type: service, owner: x}\n";
    let read_backstage = read_as("catalog-info.yaml", &backstage.replace("KEY", &id));
    assert_eq!(read_backstage.records.len(), 1);
    assert_eq!(
        identifiers(&read_backstage, 0),
        [format!("access_key_id {id}")]
    );
    assert_eq!(
        read_backstage.records[0].owner.as_deref(),
        Some("group:payments")
    );
}

#[test]
fn rare_fields_are_read_too() {
    let read = inventory(
        "Name,Rotated by,Contract end,Direction,Evidence,Reviewed by,Review decision\n\
         a,bob,2027-01-31,outgoing,review: CHG-1,Cara,certify\n",
    );
    let record = &read.records[0];
    assert_eq!(record.role(super::Role::Rotator), Some("bob"));
    assert_eq!(record.role(super::Role::Reviewer), Some("Cara"));
    let details = record.details();
    assert_eq!(details.direction.as_deref(), Some("outbound"));
    assert_eq!(
        details.contract_end.unwrap().to_string(),
        "2027-01-31T23:59:59Z"
    );
    assert_eq!(details.review_decision, Some(super::ReviewDecision::Keep));
    assert_eq!(details.evidence[0].reference, "CHG-1");
    assert!(inventory("Name,Owner\na,b\n").records[0].details.is_none());
}

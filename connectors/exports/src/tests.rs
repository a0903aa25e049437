//! Shapes of files, and what is wrong with them.

use std::{fs, sync::Arc};

use keymuster_api::{
    Cancel, Cx, GapKind, Memo, NoProgress, Redaction, Redactor, SecretId, SystemId,
};
use serde::Deserialize;

use crate::{Entry, Reader, Taken};

struct Nothing;

impl Redactor for Nothing {
    fn redact(&self, _: &str) -> Vec<Redaction> {
        Vec::new()
    }
    fn seal(&self, _: &[u8]) -> SecretId {
        SecretId([0; 16])
    }
}

/// What came out of one file: `member/of:line=name`, then gaps as `kind line: reason`.
fn read_bytes(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x.json"), bytes).expect("written");
    let cancel = Cancel::default();
    let memo: Option<&Arc<dyn Memo>> = None;
    let cx = Cx {
        system: SystemId(0),
        now: "2026-06-01T00:00:00Z".parse().expect("a time"),
        jobs: 1,
        max_memory: 1 << 30,
        cancel: &cancel,
        progress: &NoProgress,
        redactor: &Nothing,
        memo,
    };
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let mut reader = Reader::new(&cx, &["items", "value"], "not known");
    let mut seen = Vec::new();
    let take = |reader: &mut Reader<'_>, entry: Entry<'_>| {
        if !entry.raw.get().contains("name") {
            return Taken::Unknown;
        }
        if let Some(one) = reader.parse::<Named>("thing", &entry) {
            seen.push(format!(
                "{}/{}:{}={}",
                entry.list, entry.of, entry.line, one.name
            ));
        }
        Taken::Known
    };
    reader.read(&[folder.path().to_owned()], take);
    let gaps = reader.gaps.iter().map(|gap| {
        let line = gap
            .source
            .locator
            .rsplit_once(".json")
            .map_or("", |(_, line)| line);
        format!("{:?}{line} {}", gap.kind, gap.reason)
    });
    let gaps = gaps.collect();
    assert_eq!(
        reader.unread,
        reader
            .gaps
            .iter()
            .any(|gap| gap.kind != GapKind::Unsupported)
    );
    (seen, gaps)
}

fn read(text: &str) -> (Vec<String>, Vec<String>) {
    read_bytes(text.as_bytes())
}

#[test]
fn entries_stand_alone_in_lists_in_answers_and_in_several() {
    let cases = [
        (r#"{"name":"a"}"#, vec!["/:1=a"]),
        (
            "[{\"name\":\"a\"},\n{\"name\":\"b\"}]",
            vec!["/:1=a", "/:2=b"],
        ),
        (
            "{\"kind\":\"List\",\"items\":[\n{\"name\":\"a\"}]}",
            vec!["items/List:2=a"],
        ),
        (
            "[{\"value\":[{\"name\":\"a\"}]},{\"value\":[{\"name\":\"b\"}]}]",
            vec!["value/:1=a", "value/:1=b"],
        ),
        (
            "{\"name\":\"a\"}\n{\"name\":\"b\"}\n",
            vec!["/:1=a", "/:2=b"],
        ),
        // A member of that name that is no list is a part of the entry.
        (r#"{"name":"a","value":{"x":1}}"#, vec!["/:1=a"]),
        // Nor is one of names, or an empty one beside other members.
        (r#"{"name":"a","items":["x"]}"#, vec!["/:1=a"]),
        (r#"{"name":"a","items":[]}"#, vec!["/:1=a"]),
        ("[]", vec![]),
        (r#"{"items":[]}"#, vec![]),
    ];
    for (text, expected) in cases {
        let (seen, gaps) = read(text);
        assert_eq!(
            (seen, gaps),
            (expected.into_iter().map(str::to_owned).collect(), vec![]),
            "{text}"
        );
    }
}

#[test]
fn a_cut_file_keeps_what_stands_before_the_cut() {
    let (seen, gaps) = read("{\"items\":[{\"name\":\"a\"},\n{\"name\":\"b\"},\n{\"na");
    assert_eq!(seen, ["items/:1=a", "items/:2=b"]);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].starts_with("Corrupt:3 the file ends in the middle of a value at line 3"),
        "{gaps:?}"
    );
    let (seen, gaps) = read("{\"name\":\"a\"}\n{\"name\": nonsense}\n{\"name\":\"c\"}\n");
    assert_eq!(seen, ["/:1=a", "/:3=c"]);
    assert!(
        gaps[0].starts_with("Corrupt:2 this is no valid JSON at line 2"),
        "{gaps:?}"
    );
}

#[test]
fn wrong_types_and_doubled_keys_cost_one_entry_or_nothing() {
    let (seen, gaps) = read("[{\"name\":7},\n{\"name\":\"b\",\n\"name\":\"c\"},{\"name\":\"d\"}]");
    assert_eq!(seen, ["/:2=c", "/:3=d"]);
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(
        gaps[0].contains("the thing at line 1 column 9 has another shape"),
        "{gaps:?}"
    );
    assert!(gaps[1].contains("given twice"), "{gaps:?}");
    // Whatever a list holds besides objects is told.
    let (seen, gaps) = read("[{\"name\":\"a\"}, 3, null, \"x\", {\"other\":1}]");
    assert_eq!(seen, ["/:1=a"]);
    assert!(
        gaps[0].starts_with("Unsupported:1 4 entries are of no kind"),
        "{gaps:?}"
    );
}

#[test]
fn encodings_and_files_that_are_no_export() {
    assert_eq!(read("\u{feff}{\"name\":\"a\"}").0, ["/:1=a"]);
    let wide: Vec<u8> = "\u{feff}[{\"name\":\"ä\"}]"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read_bytes(&wide).0, ["/:1=ä"]);
    let (seen, gaps) = read_bytes(b"{\"name\":\"a\xff\"}");
    assert_eq!((seen.len(), gaps.len()), (1, 1));
    assert!(gaps[0].contains("no UTF-8"), "{gaps:?}");
    for (text, kind) in [
        ("", "Corrupt"),
        ("  \n", "Corrupt"),
        ("apiVersion: v1\n", "Unsupported"),
        ("{\"x\":1}", "Unsupported"),
    ] {
        let (seen, gaps) = read(text);
        assert_eq!((seen.len(), gaps.len()), (0, 1), "{text}: {gaps:?}");
        assert!(gaps[0].starts_with(kind), "{text}: {gaps:?}");
    }
}

#[test]
fn a_list_without_its_last_page_is_told() {
    let first = r#"{"@odata.context":"#.to_owned()
        + r##""$metadata#applications","@odata.nextLink":"https://graph","value":[{"name":"a"}]}"##;
    let last = r##"{"@odata.context":"$metadata#applications","value":[{"name":"b"}]}"##;
    let (_, gaps) = read(&first);
    assert!(
        gaps[0].contains("($metadata#applications)") || gaps[0].contains("$metadata#applications"),
        "{gaps:?}"
    );
    let (seen, gaps) = read(&format!("{first}\n{last}"));
    assert_eq!((seen.len(), gaps.len()), (2, 0), "{gaps:?}");
    let (_, gaps) =
        read(r#"{"kind":"SecretList","metadata":{"continue":"abc"},"items":[{"name":"a"}]}"#);
    assert!(gaps[0].contains("SecretList"), "{gaps:?}");
    assert_eq!(
        read(r#"{"kind":"SecretList","metadata":{"continue":""},"items":[{"name":"a"}]}"#).1,
        [""; 0]
    );
}

#[test]
fn deep_and_hostile_texts_end() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (seen, gaps) = read(&deep);
    assert_eq!((seen.len(), gaps.len()), (0, 1), "{gaps:?}");
    let deep = format!(
        "{{\"name\":\"a\",\"x\":{}{}}}",
        "{\"x\":".repeat(100_000),
        "}"
    );
    assert_eq!(read(&deep).1.len(), 1);
    let many = "{\n".repeat(50_000);
    assert!(!read(&many).1.is_empty());
}

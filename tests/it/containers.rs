//! Containers of files through the program: told as `outer!inner`, in trees and in histories,
//! with gaps for what was not opened.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use crate::world::{World, has_git, secret};

/// A member that a standard tool packs: python3 has them all.
const PACK: &str = r#"
import bz2, gzip, io, lzma, os, sqlite3, sys, tarfile, zipfile
text = sys.stdin.read()
os.makedirs("in", exist_ok=True)
def tar(mode, name="etc/app.conf"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo(name); info.size = len(text)
        file.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()
def zipped(*members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members: file.writestr(name, data)
    return out.getvalue()
files = {
    "a.jar": zipped(("META-INF/app.conf", text)),
    "bzip.zip": zipped(("app.conf", text), method=zipfile.ZIP_BZIP2),
    "a.tar": tar("w"), "a.tgz": tar("w:gz"), "a.tbz": tar("w:bz2"), "a.txz": tar("w:xz"),
    "long.tar": tar("w", "d/" * 90 + "app.conf"),
    "a.gz": gzip.compress(text.encode()), "a.xz": lzma.compress(text.encode()),
    "nested.war": zipped(("lib/in!ner.jar", zipped(("app.conf", text)))),
}
for name, data in files.items(): open("in/" + name, "wb").write(data)
db = sqlite3.connect("in/app.db")
db.execute("CREATE TABLE settings(name TEXT, value TEXT)")
db.execute("INSERT INTO settings VALUES ('github', ?)", (text,)); db.commit(); db.close()
"#;

fn pack(world: &World, text: &str) -> bool {
    let child = Command::new("python3")
        .args(["-c", PACK])
        .current_dir(world.path("."))
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return false };
    child
        .stdin
        .take()
        .expect("stdin")
        .write_all(text.as_bytes())
        .expect("write");
    assert!(child.wait().expect("python3 ends").success());
    true
}

fn paths(lines: &[serde_json::Value]) -> Vec<String> {
    lines
        .iter()
        .filter(|line| line["rule"] == "github.pat")
        .map(|line| line["path"].as_str().expect("path").to_owned())
        .collect()
}

#[test]
fn what_real_tools_packed_is_found_at_its_member() {
    let world = World::new();
    let token = secret("{github-token:ghp_}", 71);
    if !pack(&world, &format!("first line\ntoken = \"{token}\"\n")) {
        return; // no python3 here; the formats are made by code in the unit tests
    }
    let ran = world.run(&["scan", "in", "--format", "jsonl"]);
    assert_eq!((ran.code, &*ran.stderr), (1, ""), "{}", ran.stdout);
    let lines = ran.lines();
    let long = format!("long.tar!{}app.conf", "d/".repeat(90));
    let wanted = [
        "a.gz",
        "a.jar!META-INF/app.conf",
        "a.tar!etc/app.conf",
        "a.tbz!etc/app.conf",
        "a.tgz!etc/app.conf",
        "a.txz!etc/app.conf",
        "a.xz",
        "app.db!settings",
        "bzip.zip!app.conf",
        &long,
        "nested.war!lib/in!!ner.jar!app.conf",
    ];
    assert_eq!(paths(&lines), wanted);
    for line in lines.iter().filter(|line| line["rule"] == "github.pat") {
        let row = if line["path"] == "app.db!settings" {
            1
        } else {
            2
        };
        assert_eq!(line["line"], row, "{line}");
    }
    // Where only compression is around the text, the layers tell; else the path does.
    for (path, layers) in [("a.gz", vec!["gzip"]), ("a.tgz!etc/app.conf", vec![])] {
        let line = lines
            .iter()
            .find(|line| line["path"] == path && line["rule"] == "github.pat")
            .expect("a line");
        assert_eq!(line["decoded"], serde_json::json!(layers), "{path}");
    }
    // The oracle opens them too; nobody opens them at depth 0, and that is a gap each.
    let whole = world.run(&["scan", "in", "--engine", "whole", "--format", "jsonl"]);
    assert_eq!(whole.code, 1, "{}", whole.stderr);
    assert_eq!(paths(&whole.lines()), wanted);
    let shallow = world.run(&[
        "scan",
        "in",
        "--max-archive-depth",
        "0",
        "--format",
        "jsonl",
    ]);
    assert!(!paths(&shallow.lines()).contains(&"a.tgz!etc/app.conf".to_owned()));
}

#[test]
fn containers_in_a_history_are_opened_and_deleted_ones_too() {
    let world = World::new();
    let token = secret("{github-token:ghp_}", 72);
    if !has_git() || !pack(&world, &format!("token = \"{token}\"\n")) {
        return;
    }
    std::fs::create_dir(world.path("repo")).expect("folder");
    for name in ["a.tgz", "a.jar"] {
        std::fs::rename(
            world.path(&format!("in/{name}")),
            world.path(&format!("repo/{name}")),
        )
        .expect("rename");
    }
    world.commit_all("repo", "2024-01-01T00:00:00Z", "add archives");
    std::fs::remove_file(world.path("repo/a.tgz")).expect("remove");
    world.commit_all("repo", "2024-02-01T00:00:00Z", "take one out");
    let ran = world.run(&["scan", "repo", "--format", "jsonl"]);
    assert_eq!((ran.code, &*ran.stderr), (1, ""), "{}", ran.stdout);
    let lines = ran.lines();
    assert_eq!(
        paths(&lines),
        ["a.jar!META-INF/app.conf", "a.tgz!etc/app.conf"]
    );
    assert_eq!(lines[0]["at_tip"], serde_json::json!(["refs/heads/main"]));
    assert_eq!(lines[1]["at_tip"], serde_json::json!([]));
    assert!(lines[1]["introduced"][0]["id"].is_string());
}

#[test]
fn what_is_not_opened_is_a_gap_with_the_members_name() {
    let world = World::new();
    // An encrypted member, by the bit that says so; a gzip that is cut; a 7z.
    let mut zip =
        b"PK\x03\x04\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\0\0apw".to_vec();
    zip.extend(b"PK\x01\x02\x14\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a");
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x21\0\0\0\0\0");
    world.write("in/locked.zip", zip);
    world.write("in/x\x1b[2J.7z", b"7z\xbc\xaf\x27\x1c\0\x04");
    let ran = world.run(&["scan", "in", "--format", "jsonl"]);
    assert_eq!((ran.code, &*ran.stdout), (3, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("locked.zip!a: it is encrypted"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("x\\x1b[2J.7z: keymuster does not open 7z"),
        "{}",
        ran.stderr
    );
}

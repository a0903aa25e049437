//! Containers made here, whole and damaged: what is lent, and what becomes a gap.

use std::io::{Cursor, Write as _};

use keymuster_api::GapKind;

use super::{Format, Limits, Out, format, open};

/// What a walk gave.
#[derive(Default, Debug)]
struct Seen {
    members: Vec<(String, Vec<&'static str>, Vec<u8>)>,
    gaps: Vec<(GapKind, String, String)>,
}

impl Out for Seen {
    fn member(&mut self, path: &[u8], layers: &[&'static str], bytes: &[u8]) {
        let path = String::from_utf8_lossy(path).into_owned();
        self.members.push((path, layers.to_vec(), bytes.to_vec()));
    }

    fn gap(&mut self, kind: GapKind, path: &[u8], reason: String) {
        let path = String::from_utf8_lossy(path).into_owned();
        self.gaps.push((kind, path, reason));
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}

impl Seen {
    fn text(&self, path: &str) -> &[u8] {
        let found = self.members.iter().find(|(name, ..)| name == path);
        &found.unwrap_or_else(|| panic!("no {path} in {self:?}")).2
    }

    fn paths(&self) -> Vec<&str> {
        self.members.iter().map(|(path, ..)| &**path).collect()
    }
}

fn walk_with(bytes: &[u8], limits: Limits) -> Seen {
    let mut seen = Seen::default();
    if let Some(format) = format(bytes) {
        let length = bytes.len() as u64;
        open(format, &mut Cursor::new(bytes), length, limits, &mut seen);
    }
    seen
}

fn walk(bytes: &[u8]) -> Seen {
    walk_with(bytes, Limits::default())
}

const TEXT: &[u8] = b"user = svc\nkey = something that is searched\n";

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        if name.len() > 100 {
            entry(&mut out, "././@LongLink", b'L', name.as_bytes());
        }
        entry(&mut out, &name[..name.len().min(100)], b'0', bytes);
    }
    out.extend([0; 1024]);
    out
}

fn entry(out: &mut Vec<u8>, name: &str, kind: u8, bytes: &[u8]) {
    let mut header = [0u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    let size = format!("{:011o}", bytes.len());
    header[124..135].copy_from_slice(size.as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend(header);
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// A zip archive; `flags` go into every header.
fn zip(files: &[(&str, &[u8])], flags: u16) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in files {
        let mut packed = Vec::new();
        let mut encoder =
            flate2::write::DeflateEncoder::new(&mut packed, flate2::Compression::default());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory");
        let at = out.len() as u32;
        let mut common = Vec::new();
        common.extend(20u16.to_le_bytes());
        common.extend(flags.to_le_bytes());
        common.extend(8u16.to_le_bytes());
        common.extend([0; 8]);
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((bytes.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend(0u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(packed);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([(files.len() as u16).to_le_bytes(); 2].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).expect("options");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn ar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in files {
        out.extend(
            format!(
                "{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
                format!("{name}/"),
                0,
                0,
                0,
                644,
                bytes.len()
            )
            .bytes(),
        );
        out.extend(*bytes);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

fn cpio(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files.iter().chain([&("TRAILER!!!", &b""[..])]) {
        let fields = [
            0,
            0o100_644,
            0,
            0,
            1,
            0,
            bytes.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        out.extend(b"070701");
        out.extend(
            fields
                .iter()
                .flat_map(|field| format!("{field:08x}").into_bytes()),
        );
        out.extend(name.bytes().chain([0]));
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(*bytes);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

fn rpm(payload: &[u8]) -> Vec<u8> {
    let mut out = b"\xed\xab\xee\xdb".to_vec();
    out.resize(96, 0);
    for size in [5u32, 7] {
        out.extend([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend(size.to_be_bytes());
        out.extend(vec![b'-'; size as usize]);
        if size == 5 {
            out.extend([0; 3]);
        }
    }
    out.extend(payload);
    out
}

fn sqlite(rows: usize, long: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("db");
    let database = rusqlite::Connection::open(&path).expect("open");
    database
        .execute_batch("CREATE TABLE config(id INTEGER PRIMARY KEY, \"name\" TEXT, value VARCHAR(9, 2), CHECK (id > 0)); CREATE VIEW v AS SELECT 1;")
        .expect("tables");
    database.execute_batch("BEGIN").expect("begin");
    for row in 0..rows {
        let value = format!("value-{row}-{}", "x".repeat(long));
        database
            .execute(
                "INSERT INTO config(name, value) VALUES (?1, ?2)",
                [format!("n{row}\nb"), value],
            )
            .expect("insert");
    }
    database.execute_batch("COMMIT").expect("commit");
    drop(database);
    std::fs::read(path).expect("read")
}

/// One of each, with the path at which TEXT stands.
fn each() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("tar", tar(&[("a/b.env", TEXT)]), "a/b.env"),
        ("zip", zip(&[("a/b.env", TEXT)], 0), "a/b.env"),
        ("gzip", gzip(TEXT), ""),
        ("bzip2", bzip2(TEXT), ""),
        ("xz", xz(TEXT), ""),
        ("zstd", zstd(TEXT), ""),
        ("tar.gz", gzip(&tar(&[("x", TEXT)])), "x"),
        ("tar.bz2", bzip2(&tar(&[("x", TEXT)])), "x"),
        ("tar.xz", xz(&tar(&[("x", TEXT)])), "x"),
        ("tar.zst", zstd(&tar(&[("x", TEXT)])), "x"),
        (
            "deb",
            ar(&[
                ("debian-binary", b"2.0\n"),
                ("data.tar.gz", &gzip(&tar(&[("./etc/x", TEXT)]))),
            ]),
            "data.tar.gz!etc/x",
        ),
        ("cpio", cpio(&[("etc/x", TEXT)]), "etc/x"),
        ("rpm", rpm(&gzip(&cpio(&[("./etc/x", TEXT)]))), "etc/x"),
        (
            "jar in war",
            zip(&[("lib/a.jar", &zip(&[("m", TEXT)], 0))], 0),
            "lib/a.jar!m",
        ),
        (
            "image",
            tar(&[
                ("manifest.json", b"[]"),
                ("blobs/sha256/1", &gzip(&tar(&[("app/x", TEXT)]))),
            ]),
            "blobs/sha256/1!app/x",
        ),
    ]
}

#[test]
fn every_container_lends_its_members() {
    for (name, bytes, path) in each() {
        let seen = walk(&bytes);
        assert_eq!(seen.text(path), TEXT, "{name}");
        assert_eq!(seen.gaps, [], "{name}");
    }
    assert_eq!(walk(&bzip2(&xz(TEXT))).members[0].1, ["bzip2", "xz"]);
}

#[test]
fn what_is_cut_or_damaged_is_lent_as_far_as_it_goes_and_told() {
    for (name, bytes, _) in each() {
        // Every prefix of the small ones; the others are mostly zeros.
        let step = 1 + bytes.len() / 300;
        for cut in (0..bytes.len()).step_by(step) {
            let seen = walk(&bytes[..cut]);
            let is_whole = seen.members.iter().any(|(_, _, text)| text == TEXT);
            let looked = format(&bytes[..cut]).is_some();
            // A tar that lacks its end blocks, and a zip without its directory, are whole.
            // Nor does an ar say how many members it has.
            let is_between = name == "deb" && [8, 72].contains(&cut);
            assert!(
                !looked || is_whole || is_between || !seen.gaps.is_empty(),
                "{name} cut at {cut}: {seen:?}"
            );
        }
        for at in (0..bytes.len()).step_by(3 * step) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x55;
            walk(&broken);
        }
    }
    let seen = walk(&zip(&[("a", TEXT), ("b", TEXT)], 0)[..120]);
    assert_eq!(seen.text("a"), TEXT);
    assert_eq!(seen.gaps[0].0, GapKind::Corrupt);
}

#[test]
fn bombs_are_stopped_and_told_with_the_limit_to_raise() {
    let limits = Limits {
        depth: 8,
        bytes: 1 << 20,
        members: 20,
    };
    let zeros = vec![0u8; 3 << 20];
    for bytes in [
        gzip(&zeros),
        zip(&[("bomb", &zeros)], 0),
        gzip(&gzip(&zeros)),
        gzip(&tar(&[("bomb", &zeros)])),
        gzip(&[tar(&[("a", b"b")]), zeros.clone()].concat()),
    ] {
        let seen = walk_with(&bytes, limits);
        let held: usize = seen.members.iter().map(|(_, _, text)| text.len()).sum();
        assert!(held <= 1 << 20, "{held}");
        let last = seen.gaps.last().expect("a gap");
        assert!(
            last.0 == GapKind::Limit && last.2.contains("--max-archive-size"),
            "{last:?}"
        );
    }
    // More than any honest file gains, however large the limit.
    let seen = walk(&gzip(&gzip(&vec![0u8; 80 << 20])));
    assert!(seen.gaps[0].2.contains("250 times"), "{:?}", seen.gaps);
    // Many members; and all of them the same bytes, as bombs have it.
    let names: Vec<String> = (0..30).map(|number| format!("f{number}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, TEXT)).collect();
    for bytes in [tar(&files), zip(&files, 0)] {
        let seen = walk_with(&bytes, limits);
        assert_eq!(seen.members.len(), 20);
        assert!(
            seen.gaps[0].2.contains("--max-archive-members"),
            "{:?}",
            seen.gaps
        );
    }
}

#[test]
fn depth_is_bounded_and_told() {
    let mut inner = zip(&[("x", TEXT)], 0);
    let mut packed = gzip(TEXT);
    for _ in 0..100 {
        inner = zip(&[("a.zip", &inner)], 0);
        packed = gzip(&packed);
    }
    for bytes in [inner, packed] {
        let seen = walk(&bytes);
        assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
        assert!(seen.gaps[0].2.contains("--max-archive-depth"));
    }
    let none = Limits {
        depth: 0,
        ..Limits::default()
    };
    let seen = walk_with(&gzip(TEXT), none);
    assert_eq!((seen.members.len(), seen.gaps.len()), (0, 1));
}

#[test]
fn a_container_that_holds_itself_comes_to_an_end() {
    // Every entry of the directory points to the first member.
    let mut bytes = zip(&[("a", TEXT), ("b", TEXT), ("c", TEXT)], 0);
    let starts: Vec<usize> = memchr::memmem::find_iter(&bytes, b"PK\x01\x02").collect();
    for start in starts {
        bytes[start + 42..start + 46].fill(0);
    }
    assert_eq!(walk(&bytes).paths(), ["a", "b", "c"]);
    // A page tree that is a ring.
    let mut database = sqlite(400, 40);
    let page = 4096;
    for start in (page..database.len()).step_by(page) {
        if database[start] == 5 {
            let own = (start / page + 1) as u32;
            database[start + 8..start + 12].copy_from_slice(&own.to_be_bytes());
        }
    }
    assert!(
        walk(&database)
            .gaps
            .iter()
            .any(|gap| gap.0 == GapKind::Corrupt)
    );
}

#[test]
fn names_are_told_as_they_are_and_marks_doubled() {
    let long = "d/".repeat(80) + "x";
    for name in [
        "../../etc/passwd",
        "/abs",
        "a!b",
        "with\nline",
        "\u{202e}gpj",
        &long,
    ] {
        let seen = walk(&tar(&[(name, TEXT)]));
        assert_eq!(seen.paths(), [name.replace('!', "!!")]);
    }
}

#[test]
fn encrypted_and_unknown_members_are_gaps() {
    let seen = walk(&zip(&[("a/secret.txt", TEXT)], 1));
    assert_eq!(seen.members.len(), 0);
    assert_eq!(
        (seen.gaps[0].0, &*seen.gaps[0].1),
        (GapKind::Denied, "a/secret.txt")
    );
    let seen = walk(b"7z\xbc\xaf\x27\x1c\0\x04 and so on");
    assert_eq!(seen.gaps[0].0, GapKind::Unsupported);
    // The size a header states is not believed.
    let mut lies = tar(&[("a", TEXT)]);
    lies.truncate(lies.len() - 1024);
    entry(&mut lies, "b", b'0', b"");
    let at = lies.len() - 512;
    lies[at + 124..at + 136].copy_from_slice(b"\x80\0\0\0\x3f\xff\xff\xff\xff\xff\xff\xff");
    lies[at + 148..at + 156].fill(b' ');
    let sum: u32 = lies[at..].iter().map(|&byte| u32::from(byte)).sum();
    lies[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let seen = walk(&lies);
    assert_eq!(seen.text("a"), TEXT);
    assert_eq!(seen.gaps[0].0, GapKind::Corrupt);
}

#[test]
fn databases_lend_their_rows() {
    let seen = walk(&sqlite(3, 0));
    let wanted = "name = \"n0\\nb\", value = \"value-0-\"\n";
    assert!(
        seen.text("config").starts_with(wanted.as_bytes()),
        "{seen:?}"
    );
    // Several levels of pages, and values that overflow theirs.
    for (rows, long) in [(3000, 30), (20, 9000)] {
        let seen = walk(&sqlite(rows, long));
        let text: Vec<u8> = seen
            .members
            .iter()
            .flat_map(|(_, _, text)| text.clone())
            .collect();
        assert_eq!(memchr::memchr_iter(b'\n', &text).count(), rows);
        let last = format!("value-{}-{}\"", rows - 1, "x".repeat(long));
        assert!(memchr::memmem::find(&text, last.as_bytes()).is_some());
        assert_eq!(seen.gaps, []);
    }
    let whole = sqlite(60, 300);
    for at in (0..whole.len()).step_by(97) {
        let mut broken = whole.clone();
        broken[at] ^= 0xff;
        walk(&broken);
        walk(&whole[..at]);
    }
}

#[test]
fn notebooks_documents_and_compiled_code_lend_their_text() {
    let notebook = br#"{"cells": [{"cell_type": "code", "source": ["key = \"a\"\n", "b"], "outputs": [{"text": ["out\n"]}]}], "nbformat": 4}"#;
    let seen = walk(notebook);
    assert_eq!(seen.text("cells/1"), b"key = \"a\"\nb\nout\n");
    assert_eq!(walk(b"{\"cells\": [").gaps[0].0, GapKind::Corrupt);
    assert_eq!(format(b"{\"cell\": 1}"), None);

    let xml = br#"<?xml version="1.0"?><w:document><w:p><w:r><w:t>key = &quot;first</w:t></w:r><w:r><w:t xml:space="preserve">second&quot;</w:t></w:r></w:p><w:p><w:t>next</w:t></w:p></w:document>"#;
    let seen = walk(&zip(
        &[("word/document.xml", xml), ("other/document.xml", xml)],
        0,
    ));
    assert_eq!(
        seen.text("word/document.xml"),
        b"key = \"firstsecond\"\nnext\n"
    );
    assert_eq!(seen.text("other/document.xml"), xml);

    let mut code = vec![0xcb, 0x0d, b'\r', b'\n', 0, 0, 0, 0, 0xe3, 7, 7];
    for (head, text) in [
        (&b"\xfa\x05"[..], "hello"),
        (b"z\x09", "some text"),
        (b"s\x06\0\0\0", "in six"),
    ] {
        code.extend(head);
        code.extend(text.bytes());
        code.extend([1, 0]);
    }
    assert_eq!(walk(&code).text("(strings)"), b"hello\nsome text\nin six\n");
}

#[test]
fn text_is_no_container() {
    for text in [
        &b"PK is text"[..],
        b"BZh",
        b"# v2 nothing",
        b"%PDF",
        b"{}",
        b"",
        b"0",
        &[b'a'; 600],
        &[0; 600],
    ] {
        assert_eq!(format(text), None, "{:?}", &text[..text.len().min(20)]);
    }
    assert_eq!(format(b"PK\x03\x04"), Some(Format::Zip));
}

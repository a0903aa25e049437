//! Bad input through the program: bad content never stops a run and is a gap, bad configuration
//! stops it before it starts and says where and what to do.
//!
//! Not here: packs (`connectors/git/tests/it/corrupt.rs`), exports (`connectors/aws-iam`).

use std::{fs, io::Write as _, process::Stdio};

use crate::world::{Ran, World, secret};

const CONFIG: &str = "estate = \"e\"\n[state]\ndir = \"state\"\n[[connector]]\ntype = \"files\"\npaths = [\"repos\"]\n[report]\ndir = \"out\"\nformats = [\"json\", \"csv\"]\n";

/// A world with a key, a harmless tree, and the configuration with `more` behind it.
fn audited(files: &[(&str, &[u8])], more: &str) -> (World, Ran) {
    let world = World::new();
    world.write("repos/a.txt", "harmless\n");
    assert_eq!(world.run(&["key", "new", "--state", "state"]).code, 0);
    world.write("keymuster.toml", format!("{CONFIG}{more}"));
    for (name, bytes) in files {
        world.write(name, bytes);
    }
    let ran = world.run(&["audit", "--now", "2026-06-01T00:00:00Z"]);
    (world, ran)
}

/// Every file that people write is refused with file, line, column and what would be right.
#[test]
fn broken_configuration_names_place_and_next_step() {
    let policy = "[policy]\nfile = \"p.toml\"\n";
    let exceptions = "[exceptions]\nfile = \"e.toml\"\n";
    let cases: [(&str, &str, &str, [&str; 2]); 10] = [
        ("", "", "[policy\n", ["keymuster.toml:10:8", "init --print"]),
        (
            "",
            "",
            "[policy]\npreset = 3\n",
            ["keymuster.toml:11:10", "expected a string"],
        ),
        (
            "",
            "",
            "[polcy]\n",
            ["keymuster.toml:10:2", "did you mean `policy`?"],
        ),
        (
            "",
            "",
            "[state]\n",
            ["keymuster.toml:10:2", "duplicate key"],
        ),
        (
            "",
            "",
            "[[connector]]\ntype = \"gitt\"\n",
            ["keymuster.toml:11:8", "`git`"],
        ),
        (
            "",
            "",
            "[policy]\npreset = \"nope\"\n",
            ["'nope'", "cis, default, pci"],
        ),
        (
            "p.toml",
            "[dormant]\ndays = 3\nweeks = 1\n",
            policy,
            ["p.toml:3:1", "expected"],
        ),
        (
            "p.toml",
            "[dormant\n",
            policy,
            ["p.toml:1:9", "expected `]`"],
        ),
        (
            "e.toml",
            "[[exception]]\nidd = 1\n",
            exceptions,
            ["e.toml:2:1", "expected one of `id`"],
        ),
        (
            "none",
            "",
            policy,
            ["cannot read p.toml", "leave the line out"],
        ),
    ];
    for (file, text, config, wanted) in cases {
        let files = [(file, text.as_bytes())];
        let (_, ran) = audited(if file.is_empty() { &[] } else { &files }, config);
        assert_eq!(ran.code, 2, "{config}: {}", ran.stderr);
        for words in wanted {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("error: error"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "", "no result of what was not audited");
    }
}

#[test]
fn broken_rules_and_suppressions_name_their_place() {
    let world = World::new();
    world.write("app/a.txt", "harmless\n");
    let rule = "[[rule]]\nid = \"acme.key\"\ntitle = \"Acme key\"\nkind = \"generic.secret\"\nprefix = [\"acme_\"]\n";
    let cases: [(&str, String, &str); 5] = [
        ("--rules", format!("{rule}patern = 'x'\n"), "bad.toml:6:1"),
        ("--rules", "[[rule]\n".to_owned(), "bad.toml:1:8"),
        ("--rules", format!("{rule}pattern = '('\n"), "bad.toml:1"),
        (
            "--suppressions",
            "[[allow]]\nreson = \"x\"\n".to_owned(),
            "bad.toml:2:1",
        ),
        (
            "--suppressions",
            "[[allow]]\nrule = \"github.pat\"\nreason = \"x\"\n".to_owned(),
            "bad.toml:1",
        ),
    ];
    for (option, text, place) in cases {
        world.write("bad.toml", &text);
        let ran = world.run(&["scan", "app", option, "bad.toml"]);
        assert_eq!(ran.code, 2, "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains(place), "{place}: {}", ran.stderr);
    }
}

/// An exception that does not count says so, and what it was to cover stays open.
#[test]
fn an_exception_without_its_parts_is_told() {
    let token = secret("{github-token:ghp_}", 40);
    let (_, ran) = audited(
        &[
            ("repos/b.txt", token.as_bytes()),
            (
                "e.toml",
                b"[[exception]]\ncheck = \"EXP-01\"\nreason = \"no\"\n",
            ),
        ],
        "[exceptions]\nfile = \"e.toml\"\n",
    );
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("e.toml:1: exception ignored"),
        "{}",
        ran.stderr
    );
}

/// Registers as people keep them. What can be read is read, what could be read in two ways is
/// refused, and never a guess.
#[test]
fn odd_registers_are_read_or_refused() {
    let register =
        "[[inventory]]\nname = \"register\"\nfile = \"r.csv\"\n[policy]\nfail-on = \"never\"\n";
    let read: [(&str, &str); 4] = [
        (
            "byte order mark, semicolons, CRLF",
            "\u{feff}Name;Owner;Expires\r\nbackup;ada@acme.example;2027-01-31\r\n",
        ),
        (
            "a merged header",
            "Service accounts,,\nName,Owner,Expires\nbackup,ada@acme.example,2027-01-31\n",
        ),
        (
            "two columns of one name",
            "Name,Owner,Owner,Expires\nbackup,,ada@acme.example,2027-01-31\n",
        ),
        (
            "a formula",
            "Name,Owner,Expires\nbackup,ada@acme.example,2027-01-31\n=cmd|'/c calc'!A1,ada@acme.example,2027-01-31\n",
        ),
    ];
    for (name, text) in read {
        let (world, ran) = audited(&[("r.csv", text.as_bytes())], register);
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        let shown = world.run(&["inventory", "check", "r.csv"]);
        assert_eq!(shown.code, 0, "{name}: {}{}", shown.stdout, shown.stderr);
        let cells = world.read("out/findings.csv");
        assert!(
            !cells.contains(",=cmd") && !cells.contains("\"=cmd"),
            "{name}: {cells}"
        );
    }
    let refused: [(&str, &[u8], &str); 5] = [
        (
            "mixed date orders",
            b"Name,Owner,Expires\na,x,01/02/2026\nb,y,03/04/2026\n",
            "date-order",
        ),
        (
            "no name and no identifier",
            b"Foo,Bar\n1,2\n",
            "inventory map r.csv",
        ),
        ("empty", b"", "is empty"),
        ("not text", b"\x00\x01\x02\x03\x00\xff\xfe\x00", "r.csv"),
        ("missing", b"", "r2.csv"),
    ];
    for (name, bytes, wanted) in refused {
        let config = if name == "missing" {
            register.replace("r.csv", "r2.csv")
        } else {
            register.to_owned()
        };
        let (_, ran) = audited(&[("r.csv", bytes)], &config);
        assert_eq!(ran.code, 2, "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(wanted), "{name}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{name}");
    }
}

/// A register that holds a secret is read without it, and the secret is nowhere.
#[test]
fn a_secret_in_a_register_is_told_and_not_shown() {
    let token = secret("{github-token:ghp_}", 41);
    let text = format!("Name,Owner,Notes,Expires\nbackup,ada@acme.example,{token},2027-01-31\n");
    let register = "[[inventory]]\nname = \"register\"\nfile = \"r.csv\"\n";
    let (world, ran) = audited(&[("r.csv", text.as_bytes())], register);
    assert!([0, 1].contains(&ran.code), "{}", ran.stderr);
    let shown = world.run(&["inventory", "check", "r.csv"]);
    let told = format!(
        "{}{}{}{}",
        ran.stdout, ran.stderr, shown.stdout, shown.stderr
    );
    assert!(told.contains("r.csv"), "{told}");
    for (path, bytes) in [world.files("out"), world.files("state")].concat() {
        let found = bytes
            .windows(token.len())
            .any(|window| window == token.as_bytes());
        assert!(!found, "{}", path.display());
    }
    assert!(!told.contains(&token));
}

/// A named pipe or device is not silently clean.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_by_name_and_a_gap_in_an_audit() {
    let world = World::new();
    let ran = world.run(&["scan", "/dev/zero"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("keymuster scan - <"), "{}", ran.stderr);
    world.write("keymuster.toml", CONFIG.replace("repos", "/dev/null"));
    world.run(&["key", "new"]);
    let ran = world.run(&["audit"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
}

/// Links that go round in circles end, and cost nothing of the rest.
#[cfg(unix)]
#[test]
fn links_in_circles_and_deep_folders_end() {
    let world = World::new();
    let deep = "d/".repeat(200);
    world.write(
        &format!("app/{deep}a.txt"),
        secret("{github-token:ghp_}", 42),
    );
    for (from, to) in [
        ("one", "two"),
        ("two", "one"),
        ("self", "self"),
        ("up", ".."),
    ] {
        std::os::unix::fs::symlink(to, world.path("app").join(from)).expect("a link");
    }
    let ran = world.run(&["scan", "app", "--format", "jsonl"]);
    assert_eq!((ran.code, ran.lines().len()), (1, 1), "{}", ran.stderr);
    let ran = world.run(&["scan", "app/one"]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
}

/// Folders and files that may not be read are gaps, whoever runs the tests: as root, the program
/// is run by nobody.
#[cfg(unix)]
#[test]
fn unreadable_folders_and_files_are_gaps() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let world = World::new();
    world.write("app/open.txt", secret("{github-token:ghp_}", 43));
    world.write("app/shut/a.txt", "harmless\n");
    world.write("app/listed-only/a.txt", "harmless\n");
    world.write("app/shut.txt", "harmless\n");
    let mode = |path: &str, mode: u32| {
        let path = world.path(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("", 0o755);
    mode("home", 0o777);
    mode("app", 0o755);
    mode("app/open.txt", 0o644);
    for (path, shut) in [
        ("app/shut", 0o000),
        ("app/listed-only", 0o444),
        ("app/shut.txt", 0o000),
    ] {
        mode(path, shut);
    }
    let as_root = fs::read(world.path("app/shut.txt")).is_ok();
    let mut command = world.command(&["scan", "app", "--format", "jsonl", "-v"]);
    if as_root {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output();
    for path in ["app/shut", "app/listed-only", "app/shut.txt"] {
        mode(path, 0o755);
    }
    let output = output.expect("run the tests from a folder that others may enter");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stdout.lines().count(), 1, "the rest is read: {stdout}");
    for name in ["app/shut:", "listed-only", "shut.txt:"] {
        assert!(stderr.contains(name), "{name}: {stderr}");
    }
    assert!(stderr.contains("run as a user who may read it"), "{stderr}");
    assert!(!stderr.contains("IO error for operation"), "{stderr}");
}

/// Many small files are all counted.
#[test]
fn thousands_of_tiny_files_are_all_read() {
    let world = World::new();
    for at in 0..5_000 {
        world.write(&format!("app/{:02}/{at}", at % 50), b"x");
    }
    world.write("app/49/last", secret("{github-token:ghp_}", 44));
    let ran = world.run(&["scan", "app", "--max-memory", "1M"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("searched 5,001 files"),
        "{}",
        ran.stdout
    );
}

/// A line without end is searched in slices: what is at its end is found, in bounded memory.
#[cfg(target_os = "linux")]
#[test]
fn an_endless_line_is_searched_in_bounded_memory() {
    let world = World::new();
    let mut child = world
        .command(&["scan", "-", "--format", "jsonl", "-j", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("its input");
    let chunk = vec![b' '; 1 << 20];
    let chunks = 96;
    for _ in 0..chunks {
        input.write_all(&chunk).expect("it reads");
    }
    let token = secret("{github-token:ghp_}", 45);
    input.write_all(token.as_bytes()).expect("it reads");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a status");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one line");
    assert_eq!(
        (&line["line"], &line["column"]),
        (&1.into(), &((chunks << 20) + 1).into())
    );
    let peak: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .expect("a peak");
    assert!(peak < 90 << 10, "{peak} kB of {chunks} MiB");
}

/// A policy of which something was left out is a gap of the audit, not a smaller right.
#[cfg(feature = "aws-iam")]
#[test]
fn a_policy_that_is_not_understood_is_a_gap() {
    let world = World::new();
    let details = |policy: &str| {
        format!(
            r#"{{"UserDetailList":[{{"UserName":"ann","Arn":"arn:aws:iam::123456789012:user/ann",
              "UserPolicyList":[{{"PolicyName":"own","PolicyDocument":{policy}}}]}}],
              "GroupDetailList":[],"RoleDetailList":[],"Policies":[]}}"#
        )
    };
    let config = "estate = \"t\"\n[policy]\nfail-on = \"never\"\n[[connector]]\ntype = \"aws-iam\"\n\
        exports = [\"aws/*\"]\n[report]\ndir = \"out\"\nformats = [\"json\"]\n";
    world.write("keymuster.toml", config);
    for (policy, told) in [
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Effect":"Deny","Action":"s3:*","Resource":"*"}}"#,
            true,
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#,
            false,
        ),
    ] {
        world.write("aws/details.json", details(policy));
        let ran = world.run(&["audit", "--ephemeral", "--quiet"]);
        let findings = world.read("out/findings.json");
        assert_eq!(
            findings.contains("its policy was not understood as a whole"),
            told,
            "{} {}",
            ran.code,
            ran.stderr
        );
        if told {
            assert_eq!(ran.code, 3, "{}", ran.stderr);
        }
    }
}

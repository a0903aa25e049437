//! The program as a user sees it: arguments in, output and exit code out.

use std::fs;

use crate::world::{World, has_git, secret};

fn token(seed: u64) -> String {
    secret("{github-token:ghp_}", seed)
}

#[test]
fn a_token_in_a_tree_is_told_with_every_field_of_the_contract() {
    let world = World::new();
    world.write(
        "app/src/main.py",
        format!("import os\n\nTOKEN = \"{}\"\n", token(1)),
    );
    let ran = world.run(&["scan", "app", "--format", "jsonl"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let [line] = &ran.lines()[..] else {
        panic!("one line: {}", ran.stdout)
    };
    let keys: Vec<&str> = line
        .as_object()
        .expect("object")
        .keys()
        .map(String::as_str)
        .collect();
    let contract = [
        "schema",
        "rule",
        "kind",
        "confidence",
        "severity",
        "path",
        "line",
        "column",
        "end_line",
        "end_column",
        "secret_id",
        "handle",
        "preview",
        "decoded",
        "blob",
        "commit",
        "introduced",
        "versions",
        "at_tip",
        "suppressed",
    ];
    assert_eq!(keys[..contract.len()], contract);
    assert_eq!(line["rule"], "github.pat");
    assert_eq!(line["path"], "src/main.py");
    assert_eq!((&line["line"], &line["column"]), (&3.into(), &10.into()));
    assert_eq!(
        (&line["end_line"], &line["end_column"]),
        (&3.into(), &49.into())
    );
    assert_eq!(line["preview"], "ghp_… (40 characters)");
    assert_eq!(line["suppressed"], serde_json::Value::Null);
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let world = World::new();
    world.write("clean/readme.md", "nothing here\n");
    world.write("leaky/a.txt", format!("token {}\n", token(2)));
    world.write("broken.toml", "[[rule]]\nid = \"a.b\"\npatern = 'x'\n");
    let code = |args: &[&str]| world.run(args).code;
    assert_eq!(code(&["scan", "clean"]), 0);
    assert_eq!(code(&["scan", "leaky"]), 1);
    assert_eq!(code(&["scan", "leaky", "--fail-on", "never"]), 0);
    assert_eq!(code(&["scan", "nowhere"]), 2);
    assert_eq!(code(&["scan", "--no-such-option"]), 2);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["audit"]), 2, "no configuration");
    let ran = world.run(&["scan", "clean", "--rules", "broken.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("broken.toml:3:1"), "{}", ran.stderr);
}

#[test]
fn hidden_and_ignored_files_are_scanned_unless_told_otherwise() {
    let world = World::new();
    world.write("app/.env", format!("GITHUB_TOKEN={}\n", token(3)));
    world.write("app/.gitignore", ".env\n");
    assert_eq!(world.run(&["scan", "app"]).code, 1);
    assert_eq!(world.run(&["scan", "app", "--respect-gitignore"]).code, 0);
}

#[test]
fn standard_input_and_single_files_are_scanned() {
    let world = World::new();
    let text = format!("a\nb {}\n", token(4));
    world.write("one.txt", &text);
    let ran = world.run_with_input(&["scan", "-", "--format", "jsonl"], text.as_bytes());
    assert_eq!((ran.code, ran.lines()[0]["line"].clone()), (1, 2.into()));
    let ran = world.run(&["scan", "one.txt", "--format", "jsonl"]);
    assert_eq!(ran.lines()[0]["path"], "one.txt");
}

#[test]
fn what_is_suppressed_is_shown_as_suppressed() {
    let world = World::new();
    world.write(
        "app/a.py",
        format!("a = \"{}\"  # keymuster:allow revoked in 2023\n", token(5)),
    );
    world.write("app/b.py", format!("b = \"{}\"\n", token(6)));
    let ran = world.run(&["scan", "app", "--format", "jsonl", "--state", "state"]);
    assert_eq!(ran.code, 1);
    let suppressed: Vec<_> = ran
        .lines()
        .into_iter()
        .map(|line| line["suppressed"].clone())
        .collect();
    assert_eq!(suppressed[0]["reason"], "revoked in 2023");
    assert!(suppressed[1].is_null());
    world.write("allow.toml", "[[allow]]\nrule = \"github.pat\"\npath = \"b.py\"\nreason = \"a test account\"\n\n[[allow]]\nhandle = \"nobody\"\nreason = \"gone\"\n");
    let ran = world.run(&[
        "scan",
        "app",
        "--format",
        "jsonl",
        "--suppressions",
        "allow.toml",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(ran.lines()[1]["suppressed"]["by"], "allow.toml:1");
    assert!(
        ran.stderr
            .contains("allow.toml:6: this suppression covers nothing"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_configuration_inside_a_scanned_tree_is_not_picked_up() {
    let world = World::new();
    world.write("app/keymuster.toml", "this is = no configuration\n");
    world.write("app/a.txt", format!("{}\n", token(7)));
    assert_eq!(world.run(&["scan", "app"]).code, 1);
}

#[cfg(unix)]
#[test]
fn odd_things_in_a_tree_neither_stop_nor_hang_a_scan() {
    use std::os::unix::ffi::OsStringExt as _;

    let world = World::new();
    world.write("app/a.txt", format!("{}\n", token(8)));
    let app = world.path("app");
    std::os::unix::fs::symlink(&app, app.join("loop")).expect("link");
    std::os::unix::fs::symlink("/dev/zero", app.join("zero")).expect("link");
    let status = std::process::Command::new("mkfifo")
        .arg(app.join("pipe"))
        .status()
        .expect("mkfifo");
    assert!(status.success());
    let name = std::ffi::OsString::from_vec(b"\xff\x1b[2J.txt".to_vec());
    fs::write(app.join(name), format!("{}\n", token(9))).expect("write");
    let ran = world.run(&["scan", "app", "--format", "jsonl"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let paths: Vec<_> = ran
        .lines()
        .into_iter()
        .map(|line| line["path"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(paths, [r"\xff\x1b[2J.txt", "a.txt"]);
    let shown = world.run(&["scan", "app"]);
    assert!(
        !shown.stdout.contains('\u{1b}'),
        "an escape reaches the terminal"
    );
}

#[test]
fn text_in_utf16_is_read() {
    let world = World::new();
    let text: Vec<u8> = format!("\u{feff}key\r\n{}\r\n", token(10))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    world.write("app/a.reg", text);
    let ran = world.run(&["scan", "app", "--format", "jsonl"]);
    assert_eq!((ran.code, ran.lines()[0]["line"].clone()), (1, 2.into()));
}

#[test]
fn a_secret_across_the_border_of_two_slices_of_a_large_file_is_found_once_at_its_place() {
    let world = World::new();
    let slice = keymuster_files::SLICE + (64 << 10);
    for shift in [0usize, 20, 39, 60] {
        let mut text = vec![b'.'; slice - 20 - shift];
        text[1000] = b'\n';
        text.extend_from_slice(format!(" {} \n", token(11)).as_bytes());
        text.resize(slice + (1 << 20), b'.');
        world.write("big/a.bin", &text);
        let ran = world.run(&["scan", "big", "--format", "jsonl"]);
        let lines = ran.lines();
        assert_eq!(lines.len(), 1, "shift {shift}: {}", ran.stdout);
        assert_eq!(lines[0]["line"], 2);
        assert_eq!(lines[0]["column"], slice - 20 - shift - 1000 + 1);
    }
}

#[test]
fn results_are_the_same_bytes_for_any_number_of_jobs() {
    let world = World::new();
    for file in 0..300 {
        world.write(
            &format!("app/{:02}/f{file}.txt", file % 7),
            format!("x\n{}\n", token(file % 40)),
        );
    }
    world.run(&["key", "new", "--state", "state"]);
    let one = world.run(&[
        "scan", "app", "--format", "jsonl", "--state", "state", "-j", "1",
    ]);
    let four = world.run(&[
        "scan",
        "app",
        "--format",
        "jsonl",
        "--state",
        "state",
        "-j",
        "4",
        "--max-memory",
        "1K",
    ]);
    assert_eq!(one.lines().len(), 300);
    assert_eq!(one.stdout, four.stdout);
}

#[test]
fn a_broken_pipe_is_no_failure() {
    use std::process::Stdio;

    let world = World::new();
    let mut child = world
        .command(&["rules", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_stopped_run_still_reports_what_it_saw() {
    use std::{io::Write as _, process::Stdio, thread, time::Duration};

    let world = World::new();
    let mut child = world
        .command(&["scan", "-", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("stdin");
    input
        .write_all(format!("{}\n", token(12)).as_bytes())
        .expect("write");
    input
        .write_all(&vec![b'.'; keymuster_files::SLICE])
        .expect("write");
    thread::sleep(Duration::from_millis(300));
    let status = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(status.success());
    thread::sleep(Duration::from_millis(300));
    let _ = input.write_all(&vec![b'.'; keymuster_files::SLICE]);
    drop(input);
    let output = child.wait_with_output().expect("ends");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(stdout.contains("github.pat"), "{stdout}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("the run was stopped"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_help_page_and_every_format_works() {
    let world = World::new();
    world.write("app/a.txt", format!("{}\n", token(13)));
    for verb in [
        "scan",
        "audit",
        "demo",
        "init",
        "answer",
        "explain",
        "report",
        "import",
        "inventory",
        "connectors",
        "checks",
        "rules",
        "key",
        "completions",
        "man",
    ] {
        let ran = world.run(&[verb, "--help"]);
        assert_eq!(ran.code, 0, "{verb}");
        assert!(ran.stdout.contains("Usage:"), "{verb}");
    }
    for format in ["terminal", "jsonl", "json", "sarif", "csv"] {
        let ran = world.run(&["scan", "app", "--format", format, "-o", "result"]);
        assert_eq!(ran.code, 1, "{format}: {}", ran.stderr);
        assert!(world.read("result").contains("ithub"), "{format}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            world
                .run(&["completions", shell])
                .stdout
                .contains("keymuster"),
            "{shell}"
        );
    }
    assert!(
        world.run(&["man"]).stdout.starts_with(".ie"),
        "a manual page"
    );
    assert_eq!(world.run(&["rules", "check"]).code, 0);
    assert_eq!(world.run(&["checks", "list", "--format", "json"]).code, 0);
    let ran = world.run(&["explain", "LIF-6"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("did you mean LIF-06?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_broken_repository_is_a_gap_and_not_silence() {
    if !has_git() {
        return;
    }
    let world = World::new();
    world.write("repo/a.txt", "harmless\n");
    world.commit_all("repo", "2024-01-01T00:00:00Z", "one");
    let blob = world.git("repo", &["rev-parse", "HEAD:a.txt"]);
    let path = world
        .path("repo")
        .join(".git/objects")
        .join(&blob[..2])
        .join(&blob[2..]);
    let _ = fs::remove_file(&path);
    fs::write(&path, b"garbage").expect("write");
    let ran = world.run(&["scan", "repo"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(world.run(&["scan", "repo", "--allow-gaps"]).code, 0);
    assert!(
        ran.stdout.contains("could not") || ran.stderr.contains("not seen"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}

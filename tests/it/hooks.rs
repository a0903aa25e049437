//! The hooks and jobs that people copy, run as they stand: real git, real hooks, the very lines of
//! the job files.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use crate::world::{World, has_git, secret};

const KEY: &str = "sk_live_{alnum:24}";

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn path_with_keymuster() -> String {
    let folder = PathBuf::from(env!("CARGO_BIN_EXE_keymuster"));
    let folder = folder.parent().expect("a folder").display().to_string();
    format!("{folder}:{}", std::env::var("PATH").unwrap_or_default())
}

/// Runs a command in the repository, with keymuster on the path: exit code and what it said.
fn run(world: &World, folder: &str, program: &str, args: &[&str]) -> (i32, String) {
    let output = Command::new(program)
        .args(args)
        .current_dir(world.path(folder))
        .env_clear()
        .env("HOME", world.path("home"))
        .env("PATH", path_with_keymuster())
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.com"),
            ("GIT_COMMITTER_NAME", "Ada"),
            ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ])
        .output()
        .expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn install(world: &World, hook: &str) {
    let target = world.path("repo/.git/hooks").join(hook);
    fs::create_dir_all(target.parent().expect("a folder")).expect("folder");
    fs::copy(fixture("fixtures/ci").join(hook), &target).expect("copied");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).expect("executable");
}

#[test]
fn the_commit_hook_stops_a_secret_and_says_what_to_do() {
    if !has_git() {
        return;
    }
    let world = World::new();
    world.write("repo/a.py", "a = 1\n");
    world.commit_all("repo", "2024-03-01T12:00:00Z", "first");
    install(&world, "pre-commit");
    let key = secret(KEY, 1);
    world.write("repo/pay.py", format!("import pay\npay.key = \"{key}\"\n"));
    world.git("repo", &["add", "pay.py"]);
    let (code, said) = run(&world, "repo", "git", &["commit", "-q", "-m", "pay"]);
    assert_eq!(code, 1, "{said}");
    for part in ["pay.py:2:12", "Stripe", "keymuster:allow", "git add"] {
        assert!(said.contains(part), "{part} in: {said}");
    }
    assert!(!said.contains(&key));
    // The near miss: a reason on the line, or no secret at all.
    let line = format!("pay.key = \"{key}\"  # keymuster:allow a test account's key\n");
    world.write("repo/pay.py", line);
    world.git("repo", &["add", "pay.py"]);
    let (code, said) = run(&world, "repo", "git", &["commit", "-q", "-m", "pay"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_push_hook_looks_at_what_is_pushed_and_at_nothing_else() {
    if !has_git() {
        return;
    }
    let world = World::new();
    // What the remote has already is not held against the next push.
    world.write("repo/old.py", format!("key = \"{}\"\n", secret(KEY, 2)));
    world.commit_all("repo", "2024-03-01T12:00:00Z", "first");
    world.git(".", &["init", "-q", "--bare", "remote.git"]);
    world.git("repo", &["remote", "add", "origin", "../remote.git"]);
    world.git("repo", &["push", "-q", "origin", "main"]);
    install(&world, "pre-push");
    world.write("repo/b.py", "b = 2\n");
    world.commit_all("repo", "2024-03-02T12:00:00Z", "second");
    let (code, said) = run(&world, "repo", "git", &["push", "-q", "origin", "main"]);
    assert_eq!(code, 0, "{said}");
    world.git("repo", &["checkout", "-q", "-b", "topic"]);
    world.write("repo/c.py", format!("key = \"{}\"\n", secret(KEY, 3)));
    world.commit_all("repo", "2024-03-03T12:00:00Z", "third");
    let (code, said) = run(&world, "repo", "git", &["push", "-q", "origin", "topic"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("c.py:1:8") && !said.contains("old.py"),
        "{said}"
    );
    let (code, said) = run(&world, "repo", "git", &["push", "-q", "origin", ":main"]);
    assert_eq!(code, 0, "deleting sends nothing: {said}");
}

/// The `keymuster scan` lines of a file.
fn scan_lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(fixture(name)).expect("the file");
    text.lines()
        .filter_map(|line| {
            Some(
                line[line.find("keymuster scan ")?..]
                    .trim_end_matches('\'')
                    .to_owned(),
            )
        })
        .collect()
}

#[test]
fn the_lines_of_the_job_files_work() {
    if !has_git() {
        return;
    }
    let world = World::new();
    world.write("repo/a.py", "a = 1\n");
    let base = world.commit_all("repo", "2024-03-01T12:00:00Z", "first");
    world.write("repo/b.py", "b = 1\n");
    let clean = world.commit_all("repo", "2024-03-02T12:00:00Z", "second");
    world.write("repo/c.py", format!("key = \"{}\"\n", secret(KEY, 4)));
    let leaky = world.commit_all("repo", "2024-03-03T12:00:00Z", "third");
    let mut count = 0;
    for name in [
        "fixtures/ci/github-action.yml",
        "fixtures/ci/gitlab-ci.yml",
        ".pre-commit-hooks.yaml",
    ] {
        let lines = scan_lines(name);
        assert!(!lines.is_empty(), "{name}");
        for line in lines {
            count += 1;
            let range = |head: &str| {
                let variables = [
                    ("BASE", &*base),
                    ("HEAD", head),
                    ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
                    ("CI_COMMIT_SHA", head),
                    ("PRE_COMMIT_FROM_REF", &base),
                    ("PRE_COMMIT_TO_REF", head),
                ];
                let script: String = variables
                    .iter()
                    .map(|(name, value)| format!("{name}={value}; "))
                    .collect();
                run(&world, "repo", "sh", &["-c", &format!("{script}{line}")])
            };
            let (code, said) = range(&leaky);
            let wanted = i32::from(!line.contains("staged"));
            assert_eq!(code, wanted, "{name}: {line}: {said}");
            if line.contains("..") {
                let (code, said) = range(&clean);
                assert_eq!(code, 0, "{name}: {line}: {said}");
            }
        }
    }
    assert_eq!(count, 5, "a line was added: say here what it must do");
}
